/* simulate.c - plays a provider: a full and a thin payload as the specification has them, and a CloudEvent, signed with
 * the first secret. */
#include "standard-webhooks.h"

#include <patchbay/play.h>

#include <inttypes.h>

#include "samples.h"

#define SAMPLE(sample_name, sample_about)                                                                              \
	{                                                                                                              \
		.size = sizeof(patchbay_sample), .name = #sample_name, .about = (sample_about)                         \
	}
#define TEXT(sample_name)                                                                                              \
	{                                                                                                              \
		sample_##sample_name, sizeof(sample_##sample_name) - 1                                                 \
	}

static const patchbay_sample samples[] = {
	SAMPLE(contact_created, "a full payload: what was created is in it"),
	SAMPLE(invoice_paid, "a thin payload: an id only"),
	SAMPLE(cloudevent, "a CloudEvent, as another Patchbay's http sink sends it"),
};
static const patchbay_str texts[] = { TEXT(contact_created), TEXT(invoice_paid), TEXT(cloudevent) };
#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))
_Static_assert(sizeof(texts) / sizeof(texts[0]) == N_SAMPLES, "each sample has its text");

static patchbay_status body(const void *self, patchbay_call *call, uint32_t i, uint64_t serial, patchbay_str *out)
{
	const struct webhooks *w = self;
	patchbay_edits edits = { .host = w->host, .json = w->json, .time = w->time, .call = call };

	if (i >= N_SAMPLES) {
		w->host->explain(call, PATCHBAY_S("there is no such sample"));
		return PATCHBAY_EUNSUPPORTED;
	}
	*out = texts[i];
	if (serial == 0)
		return PATCHBAY_OK;
	if (patchbay_edits_begin(&edits, texts[i])) {
		patchbay_edit_id(&edits, "id", serial);
		patchbay_edit_id(&edits, "data.id", serial);
		patchbay_edit_time(&edits, "timestamp", serial);
		patchbay_edit_time(&edits, "time", serial);
	}
	return patchbay_edits_apply(&edits, out);
}

/* The same body is the same event, and has the same id; the time is that of the try. */
static patchbay_status sign(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct webhooks *w = self;
	const patchbay_host *host = w->host;
	patchbay_str hash = w->crypto->sha256_hex(call, r->body);
	patchbay_str id = patchbay_fmt(host, call, "msg_%.24s", hash.n ? hash.p : "");
	patchbay_str timestamp = patchbay_fmt(host, call, "%" PRId64, r->received_ns / INT64_C(1000000000));
	const patchbay_str parts[SIGNED_PARTS] = SIGNED(id, timestamp, r->body);
	size_t skip = flags & PATCHBAY_SIGN_WRONG ? 1 : 0; /* the id is not signed, then */

	(void)try_;
	if (w->keys.n == 0) {
		host->explain(call, PATCHBAY_S("only 'public_key' is configured, and with that nobody can sign; add a "
					       "'secret' to play the provider"));
		return PATCHBAY_EUNSUPPORTED;
	}
	patchbay_str mac = w->crypto->hmac_raw(call, w->keys.v[0], parts + skip, SIGNED_PARTS - skip);
	patchbay_str text = w->crypto->base64(call, mac);
	patchbay_str signature = patchbay_fmt(host, call, "v1,%.*s", (int)text.n, text.p);
	if (hash.n == 0 || text.n == 0 || patchbay_set_header(host, call, r, ID, id) != PATCHBAY_OK ||
	    patchbay_set_header(host, call, r, TIMESTAMP, timestamp) != PATCHBAY_OK)
		return PATCHBAY_ENOMEM;
	return patchbay_set_header(host, call, r, SIGNATURE, signature);
}

const patchbay_simulate webhooks_simulate = {
	.size = sizeof(webhooks_simulate),
	.n_samples = N_SAMPLES,
	.samples = samples,
	.body = body,
	.sign = sign,
};
