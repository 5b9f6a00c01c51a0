/* motive.c - Motive (once KeepTruckin) company webhooks, version 1: options, and the proof that a
 * request comes from Motive. It is the HMAC-SHA1 of the raw body under the webhook's secret, in hex, in
 * X-KT-Webhook-Signature; it covers neither a time nor a number, so a request can be sent again for ever,
 * and only the keys that events.c makes tell that it is the same one. */
#include "motive.h"

#include <stdlib.h>

#define SHA1_HEX 40
#define UNSIGNED_PING_MAX 1024 /* nothing is known about who sent it: do not read much */

static patchbay_status check(const patchbay_host *host, patchbay_call *call, const void *options)
{
	const struct motive_options *o = options;

	if (o->secret.n == 0) {
		host->explain(call, PATCHBAY_S("'secret' is empty: without it nothing that arrives can be believed; "
					       "give the secret that stands with the webhook in Motive"));
		return PATCHBAY_ECONFIG;
	}
	return patchbay_keys_check(host, call, "secret", o->secret);
}

static void destroy(void *self)
{
	struct motive *m = self;

	if (!m)
		return;
	patchbay_keys_fini(&m->keys);
	free(m);
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	patchbay_status status = check(host, call, options);
	struct motive *m;

	if (status != PATCHBAY_OK)
		return status;
	m = calloc(1, sizeof(*m));
	if (!m)
		return PATCHBAY_ENOMEM;
	m->host = host;
	m->options = options;
	m->json = host->service(host, PATCHBAY_JSON);
	m->crypto = host->service(host, PATCHBAY_CRYPTO);
	m->time = host->service(host, PATCHBAY_TIME);
	if (!m->json || !m->crypto || !m->time) {
		host->explain(call, PATCHBAY_S("this host lacks the JSON, crypto or time service; use a newer one"));
		status = PATCHBAY_ECONFIG;
	} else {
		status = patchbay_keys_init(&m->keys, host, call, m->crypto, PATCHBAY_SHA1, "secret",
					    m->options->secret);
	}
	if (status != PATCHBAY_OK) {
		destroy(m);
		return status;
	}
	*self = m;
	return PATCHBAY_OK;
}

static patchbay_status refuse(const struct motive *m, patchbay_call *call, patchbay_str why)
{
	m->host->explain(call, why);
	return PATCHBAY_EDENIED;
}

static patchbay_status verify(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct motive *m = self;
	const patchbay_host *host = m->host;
	patchbay_str hex = { NULL, 0 };
	uint32_t found = patchbay_headers(r, PATCHBAY_S(MOTIVE_SIGNATURE), &hex);
	size_t match;

	(void)reply; /* as it comes: 200 */
	if (found == 0 && m->options->accept_unsigned_ping && r->body.n <= UNSIGNED_PING_MAX &&
	    motive_is_ping(m, call, r->body)) {
		host->explain(call, PATCHBAY_S("unsigned test request: answered, without any effect"));
		return PATCHBAY_REPLY;
	}
	if (found == 0)
		return refuse(m, call,
			      PATCHBAY_S("no X-KT-Webhook-Signature header: the request is not from Motive, or "
					 "something in between took the header out"));
	if (found > 1)
		return refuse(
			m, call,
			patchbay_fmt(host, call, "X-KT-Webhook-Signature came %u times, it must come once", found));
	if (hex.n != SHA1_HEX)
		return refuse(m, call,
			      patchbay_fmt(host, call,
					   "X-KT-Webhook-Signature has %zu characters; an HMAC-SHA1 has 40 hex digits",
					   hex.n));
	if (!patchbay_is_hex(hex))
		return refuse(m, call,
			      PATCHBAY_S("X-KT-Webhook-Signature has other characters than the 40 hex digits of an "
					 "HMAC-SHA1"));
	match = patchbay_keys_match(&m->keys, &r->body, 1, hex);
	if (match == 0)
		return patchbay_keys_refuse(&m->keys, call, "X-KT-Webhook-Signature",
					    "the webhook's in Motive; a proxy that changes the body breaks it, too");
	patchbay_str secret = patchbay_keys_name(&m->keys, call, match);
	host->explain(call, patchbay_fmt(host, call, "HMAC-SHA1, %.*s", (int)secret.n, secret.p));
	return PATCHBAY_OK;
}

static const void *extension(const char *id)
{
	return strcmp(id, PATCHBAY_SIMULATE) == 0 ? &motive_simulate : NULL;
}

static const patchbay_option options[] = {
	PATCHBAY_OPTION(struct motive_options, PATCHBAY_T_STRS, secret,
			.flags = PATCHBAY_F_REQUIRED | PATCHBAY_F_SECRET,
			.help = "The webhook's secret in Motive; a list while it is being changed.", .min = 1,
			.max = PATCHBAY_KEYS_MAX),
	PATCHBAY_OPTION(struct motive_options, PATCHBAY_T_BOOL, accept_unsigned_ping, .def = "false",
			.help = "Answer 200 to Motive's test request when it comes without a signature, with no other "
				"effect."),
};

static const uint32_t retry_s[] = { 60, 3600, 21600 };
static const uint16_t ok[] = { 200, 201 };

static const patchbay_provider provider = {
	.size = sizeof(provider),
	.answer_ms = 3000,
	.retry_s = retry_s,
	.n_retry = sizeof(retry_s) / sizeof(retry_s[0]),
	.retry_horizon_s = 27000,
	.ok = ok,
	.n_ok = 1,
	.final_refusal = 403,
	.authentication = "HMAC-SHA1 of the body under the webhook's secret, in hex, in X-KT-Webhook-Signature.",
	.notes = "type is Motive's 'action'; what some events call 'type' or 'event_type' is found in .data.\n"
		 "Enabling or changing a webhook sends a test request, journaled as a test event 'ping'.\n"
		 "403 is final; after three retries within 7 hours an event that was not accepted is lost.\n"
		 "The openssl and Ruby lines of Motive's manual have secret and signature swapped.",
	.docs_url = "https://developer.gomotive.com/reference/company-webhooks-overview",
};

static const patchbay_source source = {
	.size = sizeof(source),
	.n_options = sizeof(options) / sizeof(options[0]),
	.options = options,
	.options_size = sizeof(struct motive_options),
	.provider = &provider,
	.check = check,
	.create = create,
	.destroy = destroy,
	.verify = verify,
	.parse = motive_parse,
	.extension = extension,
};

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin_v1),
	.abi_minor = PATCHBAY_ABI_MINOR,
	.name = "motive",
	.version = "0.1.0",
	.license = "Apache-2.0",
	.summary = "Motive (KeepTruckin) company webhooks, version 1",
	.source = &source,
};
