/* outcome.h - what came of one mail to one recipient: what it means, and a sentence for a person. */
#ifndef SMTP_OUTCOME_H
#define SMTP_OUTCOME_H

#include "options.h"
#include "watch.h"

struct outcome {
	/* OK; EBADEVENT, RETRY: of this recipient, others may fare better; DOWN, EBADSINK, ECONFIG: of the server. */
	patchbay_status status;
	patchbay_str why; /* unless OK: in memory of the call */
};

struct attempt {
	const patchbay_host *host;
	const struct options *options;
	patchbay_str server; /* host:port */
	const struct watch *watch;
	int curl;             /* CURLcode */
	const char *error;    /* its text; "": none */
	bool refused_private; /* no address of the server is one that may be connected to */
};

struct outcome outcome_of(const struct attempt *, patchbay_call *);

#endif
