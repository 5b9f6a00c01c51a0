/* admit.h - from a whole request to records in a ticket for the journal: the source's plugin verifies the raw bytes and
 * parses them, each event becomes a record; what is not authentic or not understood becomes one for the quarantine.
 * Nothing here waits. */
#ifndef SOURCE_ADMIT_H
#define SOURCE_ADMIT_H

#include "plugin/host.h"
#include "source/emission.h"

enum admitted {
	ADMITTED_EVENTS = 1, /* they are in the ticket */
	ADMITTED_NOTHING,    /* authentic, and there is no event in it */
	ADMITTED_REPLY,      /* the plugin answers by itself, see *reply; nothing is to be stored */
	ADMITTED_REFUSED,    /* not authentic */
	ADMITTED_MALFORMED,  /* authentic, but not understood */
	ADMITTED_NOT_NOW,    /* its plugin is left alone for now, since it crashed too often; the call's `why` */
};

/* `path_secret`: as it was presented. The emission's call must have begun; its client, note and received_ns are filled
 * in here. Of what is REFUSED or MALFORMED, the ticket gets a record for the quarantine. */
enum admitted admit_request(struct emission *, const struct instance *, const patchbay_request *,
			    patchbay_str path_secret, patchbay_reply *reply);

/* The plugin's part of it alone: no look at the path secret, nothing for the quarantine. The call's `why` says what
 * proved the request authentic, or why it is REFUSED or MALFORMED; it is not empty unless for REPLY. */
enum admitted admit_by_plugin(struct emission *, const struct instance *, const patchbay_request *,
			      patchbay_reply *reply);

#endif
