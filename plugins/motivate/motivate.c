/* motivate.c - Motivate Cloud's webhooks: options, and the proof that a message comes from there. The
 * signature is inside the body, HMAC-SHA256 over timestamp and token, joined. It covers nothing else:
 * whoever has seen one message could send another under its signature. That is what the host's memory
 * of tokens, and the limit on a message's age, are for. */
#include "motivate.h"

#include "enrich.h"
#include "poll.h"
#include "sink.h"

#include <inttypes.h>
#include <stdlib.h>

#define SHA256_HEX 64
#define RETRY_HORIZON_S 8100 /* seven retries within 2 h 3 min, and some slack */

static bool asks_api(const struct motivate_options *o)
{
	return o->poll.n > 0 || o->enrich;
}

static patchbay_status check(const patchbay_host *host, patchbay_call *call, const void *options)
{
	const struct motivate_options *o = options;
	patchbay_status status = asks_api(o) ? api_check(host, call, &o->api) : PATCHBAY_OK;

	if (status == PATCHBAY_OK)
		status = poll_check(host, call, o->poll);
	if (status != PATCHBAY_OK)
		return status;
	if (o->webhook_key.n == 0)
		host->explain(call,
			      PATCHBAY_S("without 'webhook_key' only the secrecy of the URL protects this source; "
					 "give the key that Motivate shows beside the webhook, or set "
					 "'path_secret'"));
	return patchbay_keys_check(host, call, "webhook_key", o->webhook_key);
}

static void destroy(void *self)
{
	struct motivate *m = self;

	if (!m)
		return;
	patchbay_keys_fini(&m->keys);
	api_destroy(m->api);
	free(m);
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	struct motivate *m = calloc(1, sizeof(*m));
	patchbay_status status;

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
		status = patchbay_keys_init(&m->keys, host, call, m->crypto, PATCHBAY_SHA256, "webhook_key",
					    m->options->webhook_key);
	}
	if (status == PATCHBAY_OK && asks_api(m->options))
		status = api_create(host, call, &m->options->api, &m->api);
	if (status != PATCHBAY_OK) {
		destroy(m);
		return status;
	}
	*self = m;
	return PATCHBAY_OK;
}

static patchbay_status refuse(const struct motivate *m, patchbay_call *call, patchbay_str why)
{
	m->host->explain(call, why);
	return PATCHBAY_EDENIED;
}

/* Too far from when it came, the past as well as the future? */
static bool is_stale(const struct motivate *m, int64_t timestamp_s, int64_t received_ns, int64_t *ret_off_s)
{
	int64_t off_s = received_ns / INT64_C(1000000000) - timestamp_s;

	*ret_off_s = off_s;
	return m->options->timestamp_tolerance > 0 && llabs(off_s) > m->options->timestamp_tolerance / 1000;
}

static patchbay_status verify(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct motivate *m = self;
	const patchbay_host *host = m->host;
	const patchbay_json *root, *token, *signature;
	patchbay_str parts[2], hex;
	int64_t timestamp_s, off_s;
	size_t match;

	(void)reply;
	if (m->keys.n == 0) {
		host->explain(call, PATCHBAY_S("nothing but the URL: no 'webhook_key' is configured"));
		return PATCHBAY_OK;
	}
	root = m->json->parse(call, r->body);
	if (m->json->type(root) != PATCHBAY_JSON_OBJECT)
		return refuse(m, call, PATCHBAY_S("the body is not a JSON object, so it carries no signature"));
	token = m->json->get(call, root, PATCHBAY_S("token"));
	signature = m->json->get(call, root, PATCHBAY_S("signature"));
	hex = m->json->text(call, signature);
	parts[0] = motivate_timestamp(m, call, root, &timestamp_s);
	parts[1] = m->json->text(call, token);
	if (parts[0].n == 0)
		return refuse(m, call, PATCHBAY_S("'timestamp' is missing, or not a time in seconds of ten digits"));
	if (m->json->type(token) != PATCHBAY_JSON_STRING || parts[1].n == 0)
		return refuse(m, call, PATCHBAY_S("'token' is missing, or not a string"));
	if (m->json->type(signature) != PATCHBAY_JSON_STRING || hex.n == 0)
		return refuse(m, call, PATCHBAY_S("'signature' is missing, or not a string"));
	if (hex.n != SHA256_HEX || !patchbay_is_hex(hex))
		return refuse(m, call, PATCHBAY_S("'signature' is not the 64 hex digits of an HMAC-SHA256"));
	match = patchbay_keys_match(&m->keys, parts, 2, hex);
	if (match == 0)
		return patchbay_keys_refuse(&m->keys, call, "'signature'",
					    "the one that Motivate shows beside the webhook");
	if (is_stale(m, timestamp_s, r->received_ns, &off_s))
		return refuse(m, call,
			      patchbay_fmt(host, call,
					   "'timestamp' is %" PRId64
					   " s %s the time of arrival, 'timestamp_tolerance' is "
					   "%" PRId64 " s: sent again by somebody, or a clock is wrong",
					   off_s < 0 ? -off_s : off_s, off_s < 0 ? "after" : "before",
					   m->options->timestamp_tolerance / 1000));
	patchbay_str secret = patchbay_keys_name(&m->keys, call, match);
	if (llabs(off_s) > RETRY_HORIZON_S)
		host->explain(call, patchbay_fmt(host, call,
						 "HMAC-SHA256 of timestamp and token, %.*s; the timestamp is "
						 "%" PRId64 " s %s the time of arrival",
						 (int)secret.n, secret.p, off_s < 0 ? -off_s : off_s,
						 off_s < 0 ? "after" : "before"));
	else
		host->explain(call, patchbay_fmt(host, call, "HMAC-SHA256 of timestamp and token, %.*s", (int)secret.n,
						 secret.p));
	return PATCHBAY_OK;
}

static const void *extension(const char *id)
{
	static const struct {
		const char *id;
		const void *table;
	} extensions[] = {
		{ PATCHBAY_SIMULATE, &motivate_simulate },
		{ PATCHBAY_POLL, &motivate_poll },
		{ PATCHBAY_ENRICH, &motivate_enrich },
	};

	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (strcmp(id, extensions[i].id) == 0)
			return extensions[i].table;
	return NULL;
}

static const patchbay_option options[] = {
	PATCHBAY_OPTION(
		struct motivate_options, PATCHBAY_T_STRS, webhook_key, .flags = PATCHBAY_F_SECRET,
		.help = "The Webhook Key that Motivate shows beside the webhook; a list while it is being changed.",
		.max = PATCHBAY_KEYS_MAX),
	PATCHBAY_OPTION(
		struct motivate_options, PATCHBAY_T_MS, timestamp_tolerance, .def = "0",
		.help = "Refuse signed messages whose timestamp is further off than this; 0: never, only note it."),
	PATCHBAY_OPTION(struct motivate_options, PATCHBAY_T_LIST, poll, .fields = poll_option_table,
			.n_fields = POLL_N_OPTIONS, .fields_size = sizeof(struct poll_options), .max = POLLS_MAX,
			.help = "What to ask the API for on a schedule; every item of an answer is an event."),
	PATCHBAY_OPTION(struct motivate_options, PATCHBAY_T_MAP, enrich, .fields = enrich_option_table,
			.n_fields = ENRICH_N_OPTIONS, .fields_size = sizeof(struct enrich_options),
			.help = "Where the API has the details of FTP jobs with errors: .details of the event."),
	API_OPTIONS(struct motivate_options, 0),
};

static const uint32_t retry_s[] = { 60, 120, 300, 600, 900, 1800, 3600 };
static const uint16_t ok[] = { 200, 202, 204, 204 };

static const patchbay_provider provider = {
	.size = sizeof(provider),
	.retry_s = retry_s,
	.n_retry = sizeof(retry_s) / sizeof(retry_s[0]),
	.retry_horizon_s = RETRY_HORIZON_S,
	.ok = ok,
	.n_ok = 2,
	.authentication =
		"HMAC-SHA256 of timestamp and token under the Webhook Key, in hex, inside the body; the rest of "
		"the body is not covered.",
	.notes = "The manual does not say how event_type is spelled: route by kind, which is badge_earned,\n"
		 "course_completed, course_pack_completed, level_reached, reward_redeemed, ftp_job or unknown.\n"
		 "'Test this webhook' sends a test event. After the last retry Motivate mails the support address.\n"
		 "What 'poll' fetches is of the kind polled.",
	.docs_url = "https://motivatecloud.com/api/",
};

static const patchbay_source source = {
	.size = sizeof(source),
	.n_options = sizeof(options) / sizeof(options[0]),
	.options = options,
	.options_size = sizeof(struct motivate_options),
	.provider = &provider,
	.check = check,
	.create = create,
	.destroy = destroy,
	.verify = verify,
	.parse = motivate_parse,
	.extension = extension,
};

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin_v1),
	.abi_minor = PATCHBAY_ABI_MINOR,
	.name = "motivate",
	.version = "0.1.0",
	.license = "Apache-2.0",
	.summary = "Motivate Cloud (The Game Agency): its webhooks, and its REST API",
	.source = &source,
	.sink = &motivate_sink,
};
