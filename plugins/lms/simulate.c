/* simulate.c - plays the platform: the documented payloads; signed where a secret is configured. The
 * sender's address cannot be played: a real POST must come from one that allow_from admits. */
#include "lms.h"

#include <patchbay/play.h>

#include "samples.h"

#define SAMPLE(sample_name, sample_about)                                                                              \
	{                                                                                                              \
		.size = sizeof(patchbay_sample), .name = (sample_name), .about = (sample_about)                        \
	}
#define TEXT(sample_name)                                                                                              \
	{                                                                                                              \
		sample_##sample_name, sizeof(sample_##sample_name) - 1                                                 \
	}

static const patchbay_sample samples[] = {
	SAMPLE("course_completed", "a learner completed a course"),
	SAMPLE("course_completed-2019", "the same, as the older manual shows it"),
	SAMPLE("learning_path_completed", "a learner completed a learning path"),
	SAMPLE("quiz_attempt", "a learner submitted a quiz"),
	SAMPLE("learning_path_other", "another event of a learning path (not in the manual)"),
};
static const patchbay_str texts[] = {
	/* in the same order */
	TEXT(course_completed), TEXT(course_completed_2019), TEXT(learning_path_completed),
	TEXT(quiz_attempt),     TEXT(learning_path_other),
};
#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))
_Static_assert(sizeof(texts) / sizeof(texts[0]) == N_SAMPLES, "each sample has its text");

static patchbay_status body(const void *self, patchbay_call *call, uint32_t i, uint64_t serial, patchbay_str *out)
{
	const struct lms *lms = self;
	patchbay_edits edits = { .host = lms->host, .json = lms->json, .time = lms->time, .call = call };

	if (i >= N_SAMPLES) {
		lms->host->explain(call, PATCHBAY_S("there is no such sample"));
		return PATCHBAY_EUNSUPPORTED;
	}
	*out = texts[i];
	if (serial == 0)
		return PATCHBAY_OK;
	if (patchbay_edits_begin(&edits, texts[i])) {
		patchbay_edit_id(&edits, "id", serial);
		patchbay_edit_time(&edits, "timestamp", serial);
		patchbay_edit_time(&edits, "createdAt", serial);
		patchbay_edit_time(&edits, "updatedAt", serial);
	}
	return patchbay_edits_apply(&edits, out);
}

static patchbay_status sign(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct lms *lms = self;
	patchbay_str hex;

	(void)try_; /* a retry is the same request again */
	if (lms->keys.n == 0) {
		if (!(flags & PATCHBAY_SIGN_WRONG))
			return PATCHBAY_OK;
		lms->host->explain(call,
				   PATCHBAY_S("without 'signing_secret' no signature is looked at, so there is no "
					      "wrong one; post from an address outside 'allow_from' instead"));
		return PATCHBAY_EUNSUPPORTED;
	}
	hex = lms->crypto->hmac_hex(call, lms->keys.v[0], &r->body, 1);
	if (flags & PATCHBAY_SIGN_WRONG)
		hex = patchbay_wrong_hex(lms->host, call, hex);
	return patchbay_set_header(lms->host, call, r, PATCHBAY_S(LMS_SIGNATURE), hex);
}

const patchbay_simulate lms_simulate = {
	.size = sizeof(lms_simulate),
	.n_samples = N_SAMPLES,
	.samples = samples,
	.body = body,
	.sign = sign,
};
