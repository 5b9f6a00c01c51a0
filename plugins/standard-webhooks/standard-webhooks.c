/* standard-webhooks.c - a source for whoever keeps to the Standard Webhooks specification (standardwebhooks.com): three
 * headers, of which one is the signature of the other two and the body, under a shared secret (v1) or the provider's
 * own key (v1a). A provider that sends an event again signs it again, under the same id. */
#include "standard-webhooks.h"

#include <stdlib.h>

#define TYPE_MAX 255 /* bytes, as the host has it */

/* ---- Configuration */

static patchbay_status fail(const patchbay_host *host, patchbay_call *call, patchbay_status status, patchbay_str why)
{
	host->explain(call, why);
	return status;
}

static patchbay_status read_public_keys(struct webhooks *w, patchbay_call *call)
{
	const patchbay_host *host = w->host;
	patchbay_strs given = w->options->public_key;
	patchbay_str bytes;

	for (size_t i = 0; i < given.n; i++) {
		if (patchbay_key_bytes(host, call, w->crypto, "public_key", "whpk_", given, i, &bytes) != PATCHBAY_OK)
			return PATCHBAY_ECONFIG;
		if (bytes.n != KEY_BYTES)
			return fail(
				host, call, PATCHBAY_ECONFIG,
				patchbay_fmt(host, call,
					     "'public_key' has %zu bytes (number %zu of %zu), an ed25519 key has %d: "
					     "copy it again",
					     bytes.n, i + 1, given.n, KEY_BYTES));
		memcpy(w->public_keys[i], bytes.p, KEY_BYTES);
	}
	return PATCHBAY_OK;
}

static void destroy(void *self)
{
	struct webhooks *w = self;

	if (!w)
		return;
	patchbay_keys_fini(&w->keys);
	free(w);
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	const struct webhooks_options *o = options;
	struct webhooks *w = calloc(1, sizeof(*w));
	patchbay_status status = PATCHBAY_OK;

	if (!w)
		return PATCHBAY_ENOMEM;
	w->host = host;
	w->options = o;
	w->json = host->service(host, PATCHBAY_JSON);
	w->time = host->service(host, PATCHBAY_TIME);
	w->crypto = host->service(host, PATCHBAY_CRYPTO);
	w->ed25519 = host->service(host, PATCHBAY_ED25519);
	if (!w->json || !w->time || !w->crypto || !w->ed25519)
		status = fail(host, call, PATCHBAY_ECONFIG,
			      PATCHBAY_S("this host lacks the JSON, time, crypto or ed25519 service; use a newer one"));
	else if (o->secret.n + o->public_key.n == 0)
		status =
			fail(host, call, PATCHBAY_ECONFIG,
			     PATCHBAY_S("neither 'secret' nor 'public_key' is given: without one, nothing that arrives "
					"can be believed; the provider shows it beside the webhook"));
	if (status == PATCHBAY_OK)
		status = patchbay_keys_init_base64(&w->keys, host, call, w->crypto, PATCHBAY_SHA256, "secret", "whsec_",
						   o->secret);
	if (status == PATCHBAY_OK)
		status = read_public_keys(w, call);
	if (status == PATCHBAY_OK)
		*self = w;
	else
		destroy(w);
	return status;
}

static patchbay_status check(const patchbay_host *host, patchbay_call *call, const void *options)
{
	void *self = NULL;
	patchbay_status status = create(host, call, options, &self);

	destroy(self);
	return status;
}

/* ---- What does it say? */

static patchbay_str text_at(const struct webhooks *w, patchbay_call *call, const patchbay_json *root, const char *paths)
{
	return w->json->text(call, w->json->find(call, root, paths, false));
}

static patchbay_status parse(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct webhooks *w = self;
	patchbay_str subject = w->options->subject;
	/* The id names the event. That another body comes under it is against the specification: the first counts. */
	patchbay_event event = { .size = sizeof(event), .key = patchbay_header(r, ID), .data = r->body };
	const patchbay_json *root = w->json->parse(call, r->body);

	if (!root)
		return PATCHBAY_EMALFORMED; /* explained, with the offset */
	if (w->json->type(root) != PATCHBAY_JSON_OBJECT)
		return fail(w->host, call, PATCHBAY_EMALFORMED, PATCHBAY_S("the body is JSON, but not an object"));
	event.type = text_at(w, call, root, "type");
	if (event.type.n > TYPE_MAX)
		return fail(w->host, call, PATCHBAY_EMALFORMED, PATCHBAY_S("'type' is longer than 255 bytes"));
	if (event.type.n == 0) {
		event.type = PATCHBAY_S("unknown");
		event.flags |= PATCHBAY_EVENT_TYPE_GUESSED;
	}
	event.subject = text_at(w, call, root, patchbay_fmt(w->host, call, "%.*s", (int)subject.n, subject.p).p);
	if (!w->time->parse(text_at(w, call, root, "timestamp|time"), &event.time_ns)) /* `time`: of a CloudEvent */
		event.time_ns = 0;
	return emitter->emit(emitter->ctx, &event);
}

/* ---- What the host is told */

static const void *extension(const char *id)
{
	return strcmp(id, PATCHBAY_SIMULATE) == 0 ? &webhooks_simulate : NULL;
}

static const patchbay_option options[] = {
	PATCHBAY_OPTION(struct webhooks_options, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_SECRET,
			.help = "Checks v1 signatures: whsec_ and base64; a list while it is being changed.",
			.max = PATCHBAY_KEYS_MAX),
	PATCHBAY_OPTION(struct webhooks_options, PATCHBAY_T_STRS, public_key,
			.help = "Checks v1a signatures: whpk_ and base64; a list while it is being changed.",
			.max = PATCHBAY_KEYS_MAX),
	PATCHBAY_OPTION(struct webhooks_options, PATCHBAY_T_MS, tolerance, .def = "5m", .min = 1000, .max = 86400000,
			.help = "Refuse requests whose webhook-timestamp is further off than this, either way."),
	PATCHBAY_OPTION(struct webhooks_options, PATCHBAY_T_STR, subject, .def = "subject|data.id",
			.help = "Where the body says what the event is about: paths, of which the first that is there "
				"counts."),
};

/* What the specification recommends. */
static const uint32_t retry_s[] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };
static const uint16_t ok[] = { 200, 299 };

static const patchbay_provider provider = {
	.size = sizeof(provider),
	.answer_ms = 15000,
	.retry_s = retry_s,
	.n_retry = sizeof(retry_s) / sizeof(retry_s[0]),
	.retry_horizon_s = 272105,
	.ok = ok,
	.n_ok = 1,
	.final_refusal = 410,
	.authentication = "webhook-signature: HMAC-SHA256 (v1) or ed25519 (v1a) of webhook-id, webhook-timestamp and "
			  "body, in base64.",
	.notes = "type is the body's 'type'; a body without one is of the type unknown.\n"
		 "Timing and retries are what the specification recommends; the provider's own manual counts.\n"
		 "The clock must be right: requests that are off by more than 'tolerance' are refused.",
	.docs_url = "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
};

static const patchbay_source source = {
	.size = sizeof(source),
	.n_options = sizeof(options) / sizeof(options[0]),
	.options = options,
	.options_size = sizeof(struct webhooks_options),
	.provider = &provider,
	.check = check,
	.create = create,
	.destroy = destroy,
	.verify = webhooks_verify,
	.parse = parse,
	.extension = extension,
};

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin_v1),
	.abi_minor = PATCHBAY_ABI_MINOR,
	.name = "standard-webhooks",
	.version = "0.1.0",
	.license = "Apache-2.0",
	.summary = "webhooks of any provider that keeps to the Standard Webhooks specification",
	.source = &source,
};
