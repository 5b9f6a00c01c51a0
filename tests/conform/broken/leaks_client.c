/* leaks_client.c - never closes its HTTP client.
 * Caught by: life.cycles. */
#define DESTROY broken_destroy
#define DELIVER deliver_by_http
#include "sink.h"

static void DESTROY(void *self)
{
	struct sound *s = self;

	if (s)
		free(s->path);
	free(s);
}

HTTP_SINK("leaks-client");
