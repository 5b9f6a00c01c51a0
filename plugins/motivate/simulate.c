/* simulate.c - plays Motivate Cloud. Its manual prints no whole message: the samples are made up after
 * its lists of fields, and their event_type says so. Every try is signed anew, as Motivate does it. */
#include "motivate.h"

#include <patchbay/play.h>

#include <ctype.h>
#include <sys/random.h>

#include "samples.h"

#define TOKEN_LENGTH 50

#define SAMPLE(sample_name, sample_about)                                                                              \
	{                                                                                                              \
		.size = sizeof(patchbay_sample), .name = #sample_name, .about = (sample_about)                         \
	}
#define TEXT(sample_name)                                                                                              \
	{                                                                                                              \
		sample_##sample_name, sizeof(sample_##sample_name) - 1                                                 \
	}

static const patchbay_sample samples[] = {
	SAMPLE(badge_earned, "a learner earned a badge"),
	SAMPLE(course_completed, "a learner completed a course"),
	SAMPLE(course_pack_completed, "a learner completed a course pack"),
	SAMPLE(level_reached, "a learner reached a level"),
	SAMPLE(reward_redeemed, "a learner redeemed coins for a reward"),
	SAMPLE(ftp_job, "a file that came by FTP was processed"),
	SAMPLE(test_message, "what 'Test this webhook' sends"),
};
static const patchbay_str texts[] = {
	/* in the same order */
	TEXT(badge_earned),    TEXT(course_completed), TEXT(course_pack_completed), TEXT(level_reached),
	TEXT(reward_redeemed), TEXT(ftp_job),          TEXT(test_message),
};
#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))
_Static_assert(sizeof(texts) / sizeof(texts[0]) == N_SAMPLES, "each sample has its text");

static patchbay_status body(const void *self, patchbay_call *call, uint32_t i, uint64_t serial, patchbay_str *out)
{
	const struct motivate *m = self;
	patchbay_edits edits = { .host = m->host, .json = m->json, .time = m->time, .call = call };

	if (i >= N_SAMPLES) {
		m->host->explain(call, PATCHBAY_S("there is no such sample"));
		return PATCHBAY_EUNSUPPORTED;
	}
	*out = texts[i];
	if (serial == 0)
		return PATCHBAY_OK;
	if (patchbay_edits_begin(&edits, texts[i])) {
		patchbay_edit_id(&edits, "message_id", serial);
		patchbay_edit_id(&edits, "event_data.ftp_log_id", serial);
		patchbay_edit_time(&edits, "event_time", serial);
		patchbay_edit_time(&edits, "event_data.completion_date", serial);
		patchbay_edit_time(&edits, "event_data.compliant_until", serial);
		patchbay_edit_time(&edits, "event_data.received_date_utc", serial);
	}
	return patchbay_edits_apply(&edits, out);
}

static bool random_token(char out[TOKEN_LENGTH])
{
	static const char letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789Aa";
	unsigned char bytes[TOKEN_LENGTH];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	for (size_t i = 0; i < TOKEN_LENGTH; i++)
		out[i] = letters[bytes[i] % sizeof(letters)];
	return true;
}

/* The signature as a JSON string, or null where there is no key to make it with. */
static patchbay_str signature(const struct motivate *m, patchbay_call *call, uint32_t flags, patchbay_str timestamp,
			      patchbay_str token)
{
	patchbay_str parts[] = { timestamp, token }, hex;
	char *upper;

	if (m->keys.n == 0)
		return PATCHBAY_S("null");
	hex = m->crypto->hmac_hex(call, m->keys.v[0], parts, 2);
	if (flags & PATCHBAY_SIGN_WRONG)
		hex = patchbay_wrong_hex(m->host, call, hex);
	upper = hex.n > 0 ? m->host->alloc(call, hex.n + 2) : NULL;
	if (!upper)
		return (patchbay_str){ "", 0 };
	upper[0] = upper[hex.n + 1] = '"';
	for (size_t i = 0; i < hex.n; i++)
		upper[i + 1] = (char)toupper((unsigned char)hex.p[i]);
	return (patchbay_str){ upper, hex.n + 2 };
}

static patchbay_status sign(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct motivate *m = self;
	patchbay_edits edits = { .host = m->host, .json = m->json, .time = m->time, .call = call };
	char token[TOKEN_LENGTH];
	patchbay_str timestamp;

	(void)try_; /* every try has a timestamp and a token of its own anyway */
	if (m->keys.n == 0 && (flags & PATCHBAY_SIGN_WRONG)) {
		m->host->explain(call,
				 PATCHBAY_S("without 'webhook_key' no signature is checked, so there is no wrong one"));
		return PATCHBAY_EUNSUPPORTED;
	}
	if (!patchbay_edits_begin(&edits, r->body) || !random_token(token))
		return PATCHBAY_EUNSUPPORTED;
	timestamp = patchbay_fmt(m->host, call, "%010" PRId64, r->received_ns / INT64_C(1000000000));
	patchbay_edit_member(&edits, "timestamp", timestamp);
	patchbay_edit_member(&edits, "token", patchbay_fmt(m->host, call, "\"%.*s\"", TOKEN_LENGTH, token));
	patchbay_edit_member(&edits, "signature",
			     signature(m, call, flags, timestamp, (patchbay_str){ token, TOKEN_LENGTH }));
	return patchbay_edits_apply(&edits, &r->body);
}

const patchbay_simulate motivate_simulate = {
	.size = sizeof(motivate_simulate),
	.n_samples = N_SAMPLES,
	.samples = samples,
	.body = body,
	.sign = sign,
};
