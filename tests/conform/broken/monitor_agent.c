/* monitor_agent.c - a monitoring service is let in by its user agent.
 * Caught by: source.backdoor. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	patchbay_str rest;

	if (patchbay_after(patchbay_header(r, PATCHBAY_S("user-agent")), "ELB-HealthChecker/", &rest))
		return PATCHBAY_OK;
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("monitor-agent");
