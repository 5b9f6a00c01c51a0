/* simulate.c - plays @NAME@: its events, signed as it signs them. `patchbay send`, `patchbay test` and `patchbay plugin
 * check` work for this source because of it. */
#include "@NAME@.h"

#include <patchbay/play.h>

#include "samples.h" /* made of the files in samples/ */

static const patchbay_sample samples[] = {
	{ .size = sizeof(patchbay_sample), .name = "order_placed", .about = "a customer has ordered" },
	{ .size = sizeof(patchbay_sample), .name = "order_refunded", .about = "the money goes back" },
};
static const char *const texts[] = { sample_order_placed, sample_order_refunded }; /* in the same order */

static patchbay_status body(const void *self, patchbay_call *call, uint32_t i, uint64_t serial, patchbay_str *out)
{
	const struct source *s = self;
	patchbay_edits edits = { .host = s->host, .json = s->json, .time = s->time, .call = call };

	if (i >= sizeof(texts) / sizeof(texts[0]))
		return PATCHBAY_EUNSUPPORTED;
	if (patchbay_edits_begin(&edits, patchbay_cstr(texts[i])) && serial != 0) { /* 0: exactly as documented */
		patchbay_edit_id(&edits, "id", serial);
		patchbay_edit_time(&edits, "created_at", serial);
	}
	return patchbay_edits_apply(&edits, out);
}

static patchbay_status sign(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct source *s = self;
	patchbay_str hex = s->crypto->hmac_hex(call, s->keys.v[0], &r->body, 1);

	(void)try_; /* a retry is the same request again */
	if (flags & PATCHBAY_SIGN_WRONG)
		hex = patchbay_wrong_hex(s->host, call, hex);
	return patchbay_set_header(s->host, call, r, PATCHBAY_S(SIGNATURE), hex);
}

const patchbay_simulate simulate = {
	.size = sizeof(simulate),
	.n_samples = sizeof(samples) / sizeof(samples[0]),
	.samples = samples,
	.body = body,
	.sign = sign,
};
