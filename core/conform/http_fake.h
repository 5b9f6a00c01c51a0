/* http_fake.h - the service PATCHBAY_HTTP without a network: it counts, and answers as it is told to. */
#ifndef CONFORM_HTTP_FAKE_H
#define CONFORM_HTTP_FAKE_H

#include <patchbay/services.h>

struct http_answer_fake {
	const char *name;        /* "status 500" */
	patchbay_status returns; /* DOWN, EBADSINK: there is no answer */
	int32_t status;
	bool maybe_sent;
	const char *body;
	int64_t retry_after_ms; /* 0: it does not say */
};

extern const patchbay_http_service http_fake_service;

/* What every request of this thread is answered; the first `good_first` of them as `good`. Both stay the caller's. */
void http_fake_set(const struct http_answer_fake *answer, const struct http_answer_fake *good, unsigned good_first);
unsigned http_fake_requests(void);      /* since http_fake_set() */
unsigned http_fake_good_answers(void);  /* those that were answered with 2xx */
bool http_fake_said(patchbay_str text); /* does it stand in any of those requests? */
int http_fake_open(void);               /* clients that were opened and not closed */
const char *http_fake_misused(void);    /* which struct that this thread gave has no size; NULL: none */

#endif
