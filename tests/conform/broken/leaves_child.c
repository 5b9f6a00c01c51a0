/* leaves_child.c - starts a program for each event, and never asks what became of it.
 * Caught by: life.calls. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return deliver_by_http(s, call, event);
}

HTTP_SINK("leaves-child");
