/* http_answer.h - takes in the answer to a request as it arrives, within bounds. */
#ifndef NET_HTTP_ANSWER_H
#define NET_HTTP_ANSWER_H

#include "base/call.h"
#include "base/str.h"

#include <curl/curl.h>
#include <patchbay/services.h>
#include <stdbool.h>

struct http_intake {
	struct buf head, body; /* header lines as they came; may be secret */
	size_t n_headers;
	size_t body_max;
	bool too_long; /* and broken off for that */
};

/* Has curl put the answer in there. */
void http_intake_attach(struct http_intake *, CURL *);
/* The headers and the body, copied into the call. False: over its memory. */
bool http_intake_answer(const struct http_intake *, patchbay_call *, patchbay_http_answer *ret);
void http_intake_fini(struct http_intake *); /* wipes it */

/* The value of a Retry-After header in milliseconds from now; -1: it is none. */
int64_t http_retry_after_ms(patchbay_str value, int64_t now_ns);

#endif
