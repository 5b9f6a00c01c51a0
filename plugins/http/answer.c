/* answer.c - what the receiver's answer means: for this event, for the receiver, or only for now. */
#include "http.h"

static const struct meaning {
	int32_t from, to; /* the first that fits counts */
	patchbay_status status;
	const char *advice;
} meanings[] = {
#define LATER PATCHBAY_DOWN, "it cannot take it now"
	{ 200, 299, PATCHBAY_OK, "" },
	{ 300, 399, PATCHBAY_EBADSINK, "redirects are not followed; put the address that it leads to into 'url'" },
	{ 401, 403, PATCHBAY_EBADSINK,
	  "it does not let this sink in; compare 'secret' and 'headers' with the receiver's" },
	{ 404, 405, PATCHBAY_EBADSINK, "nothing takes events there; compare 'url' with the receiver's" },
	{ 407, 407, PATCHBAY_EBADSINK, "a proxy stands in between; let it pass this machine" },
	{ 408, 408, LATER },
	{ 410, 410, PATCHBAY_EBADSINK,
	  "it wants no more events; take the sink out of routes.yaml, or ask the receiver" },
	{ 415, 415, PATCHBAY_EBADSINK, "it does not take this form of CloudEvents; try the other 'mode'" },
	{ 425, 425, LATER },
	{ 429, 429, PATCHBAY_DOWN, "too many requests for it; a lower 'rate' for this sink avoids that" },
	{ 400, 499, PATCHBAY_EBADEVENT, "it does not take this event" },
	{ 500, 599, LATER },
	{ INT32_MIN, INT32_MAX, PATCHBAY_EBADSINK, "that is no answer to a POST; compare 'url' with the receiver's" },
};

static const struct meaning *meaning_of(int32_t status)
{
	const struct meaning *m = meanings;

	while (status < m->from || status > m->to)
		m++;
	return m;
}

static patchbay_result no_answer(const struct http *h, patchbay_call *call, patchbay_status sent,
				 const patchbay_http_answer *a)
{
	const char *twice = a->maybe_sent
				    ? "; the receiver may have it all the same, and then gets it again, under the "
				      "same webhook-id"
				    : "";

	return (patchbay_result){ sent == PATCHBAY_EBADSINK ? PATCHBAY_EBADSINK : PATCHBAY_DOWN, 0,
				  patchbay_fmt(h->host, call, "%.*s%s", (int)a->why.n, a->why.p, twice) };
}

patchbay_result http_judge(const struct http *h, patchbay_call *call, patchbay_status sent,
			   const patchbay_http_answer *a)
{
	const struct meaning *m = meaning_of(a->status);
	patchbay_result result = { m->status, 0, PATCHBAY_S("") };

	if (sent != PATCHBAY_OK)
		return no_answer(h, call, sent, a);
	if (m->status == PATCHBAY_OK)
		return result;
	if (m->status == PATCHBAY_DOWN && a->retry_after_ms > 0)
		result.after_ms = a->retry_after_ms < UINT32_MAX ? (uint32_t)a->retry_after_ms : UINT32_MAX;
	result.why = patchbay_fmt(h->host, call, "the receiver answered %d: %s", (int)a->status, m->advice);
	return result;
}
