/* http.c - a sink that posts each event to a URL as a CloudEvent 1.0, signed as Standard Webhooks has it. One call of
 * act is one request, so that `rate` counts requests; the event's id is the CloudEvent's and the webhook's, the same at
 * every try, so a receiver can tell what it has. */
#include "http.h"

#include <patchbay/preview.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#define CONCURRENCY_MAX 16
#define ALL_HEADERS_MAX (ATTRIBUTES_MAX + 3 + HEADERS_MAX)

enum { STRUCTURED, BINARY };
static const char *const modes[] = { "structured", "binary", NULL };

/* ---- Configuration */

static patchbay_status wrong(const patchbay_host *host, patchbay_call *call, patchbay_str why)
{
	host->explain(call, why);
	return PATCHBAY_ECONFIG;
}

/* What is wrong with it, NULL: nothing. Those that this sink or HTTP itself sets would be there twice. */
static const char *header_fault(const struct http_header *header)
{
	static const char *const taken[] = { "ce-", "webhook-", "content-", "transfer-encoding", "host", "connection" };
	patchbay_str name = header->name, value = header->value;

	for (size_t i = 0; i < name.n; i++)
		if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '-' && name.p[i] != '_')
			return "has a name with other characters than letters, digits, - and _";
	for (size_t i = 0; i < value.n; i++)
		if (iscntrl((unsigned char)value.p[i]))
			return "has a line break or another control character in its value; check how it was copied";
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (name.n >= strlen(taken[i]) && strncasecmp(name.p, taken[i], strlen(taken[i])) == 0)
			return "is set by this sink; take it out";
	return name.n > 0 ? NULL : "has no name";
}

static patchbay_status check_headers(const patchbay_host *host, patchbay_call *call, const struct http_options *o)
{
	const struct http_header *headers = o->headers.v;

	for (size_t i = 0; i < o->headers.n; i++)
		if (header_fault(&headers[i]))
			return wrong(host, call,
				     patchbay_fmt(host, call, "number %zu of 'headers' %s", i + 1,
						  header_fault(&headers[i])));
	return PATCHBAY_OK;
}

static void destroy(void *self)
{
	struct http *h = self;

	if (!h)
		return;
	patchbay_keys_fini(&h->keys);
	if (h->client)
		h->http->close(h->client);
	free(h);
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	const struct http_options *o = options;
	struct http *h = calloc(1, sizeof(*h));
	patchbay_status status = PATCHBAY_OK;

	if (!h)
		return PATCHBAY_ENOMEM;
	h->host = host;
	h->options = o;
	h->json = host->service(host, PATCHBAY_JSON);
	h->time = host->service(host, PATCHBAY_TIME);
	h->crypto = host->service(host, PATCHBAY_CRYPTO);
	h->http = host->service(host, PATCHBAY_HTTP);
	if (!h->json || !h->time || !h->crypto || !h->http)
		status = wrong(host, call,
			       PATCHBAY_S("this host lacks the JSON, time, crypto or HTTP service; use a newer one"));
	else if (!h->http->url_ok(call, o->url, o->allow_private))
		status = PATCHBAY_ECONFIG; /* explained */
	if (status == PATCHBAY_OK)
		status = check_headers(host, call, o);
	if (status == PATCHBAY_OK)
		status = patchbay_keys_init_base64(&h->keys, host, call, h->crypto, PATCHBAY_SHA256, "secret", "whsec_",
						   o->secret);
	if (status == PATCHBAY_OK) {
		h->client = h->http->open(&(patchbay_http_options){ .size = sizeof(patchbay_http_options),
								    .allow_private = o->allow_private,
								    .ca_file = o->ca_file });
		status = h->client ? PATCHBAY_OK : PATCHBAY_ENOMEM;
	}
	if (status == PATCHBAY_OK)
		*self = h;
	else
		destroy(h);
	return status;
}

static patchbay_status check(const patchbay_host *host, patchbay_call *call, const void *options)
{
	const struct http_options *o = options;
	void *self = NULL;
	patchbay_status status = create(host, call, options, &self);

	if (status == PATCHBAY_OK && o->secret.n + o->headers.n == 0)
		host->explain(call,
			      PATCHBAY_S("without 'secret' nothing is signed, and nothing tells the receiver that "
					 "this is no stranger; give both sides a secret"));
	destroy(self);
	return status;
}

/* ---- Sending */

/* "v1,<base64> v1,<base64>", one for each secret: a receiver takes any, so both sides can change theirs in turn. */
static patchbay_str sign(const struct http *h, patchbay_call *call, const patchbay_str *parts, size_t n)
{
	patchbay_str list = PATCHBAY_S("");

	for (size_t i = 0; i < h->keys.n; i++) {
		patchbay_str one = h->crypto->base64(call, h->crypto->hmac_raw(call, h->keys.v[i], parts, n));
		list = patchbay_fmt(h->host, call, "%.*s%sv1,%.*s", (int)list.n, list.p, i ? " " : "", (int)one.n,
				    one.p);
		if (one.n == 0 || list.n == 0)
			return PATCHBAY_S("");
	}
	return list;
}

/* Returns how many; 0: no memory. */
static size_t make_headers(const struct http *h, patchbay_call *call, const patchbay_delivery *e, patchbay_str body,
			   patchbay_kv ret[ALL_HEADERS_MAX])
{
	const struct http_header *configured = h->options->headers.v;
	int64_t now_s = h->host->now_ns(h->host) / INT64_C(1000000000); /* of this try: old ones are refused */
	patchbay_str timestamp = patchbay_fmt(h->host, call, "%" PRId64, now_s);
	const patchbay_str parts[] = { e->id, PATCHBAY_S("."), timestamp, PATCHBAY_S("."), body };
	patchbay_str signature = sign(h, call, parts, sizeof(parts) / sizeof(parts[0]));
	size_t n = 1;

	ret[0] = (patchbay_kv){ PATCHBAY_S("content-type"), PATCHBAY_S("application/cloudevents+json; charset=UTF-8") };
	if (h->options->mode == BINARY)
		n = cloudevent_headers(h, call, e, ret);
	if (n == 0 || timestamp.n == 0 || (h->keys.n > 0 && signature.n == 0))
		return 0;
	ret[n++] = (patchbay_kv){ PATCHBAY_S("webhook-id"), e->id };
	ret[n++] = (patchbay_kv){ PATCHBAY_S("webhook-timestamp"), timestamp };
	if (h->keys.n > 0)
		ret[n++] = (patchbay_kv){ PATCHBAY_S("webhook-signature"), signature };
	for (size_t i = 0; i < h->options->headers.n; i++)
		ret[n++] = (patchbay_kv){ configured[i].name, configured[i].value };
	return n;
}

static patchbay_result post(const struct http *h, patchbay_call *call, const patchbay_delivery *e)
{
	patchbay_str body = h->options->mode == BINARY ? e->data : cloudevent_json(h, call, e);
	patchbay_kv headers[ALL_HEADERS_MAX];
	patchbay_http_answer answer = { .size = sizeof(answer) };
	patchbay_http_request request = { .size = sizeof(request),
					  .headers = headers,
					  .n_headers = (uint32_t)make_headers(h, call, e, body, headers),
					  .method = PATCHBAY_S("POST"),
					  .url = h->options->url,
					  .body = body };

	if (body.n == 0 || request.n_headers == 0)
		return (patchbay_result){ PATCHBAY_RETRY, 0,
					  PATCHBAY_S("the request needs more memory than one call may have") };
	patchbay_status sent = h->http->send(h->client, call, &request, &answer);
	return http_judge(h, call, sent, &answer);
}

static void act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	(void)checkpoint;
	results[0] = post(self, call, events[0]);
	for (size_t i = 1; i < n; i++)
		results[i].status = PATCHBAY_UNTOUCHED;
}

/* The event as it is in structured mode; in the other one it says the same. */
static patchbay_status preview(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
			       patchbay_str *out)
{
	(void)n;
	*out = cloudevent_json(self, call, events[0]);
	return out->n > 0 ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

/* ---- What the host is told */

static const void *extension(const char *id)
{
	static const patchbay_preview previews = { .size = sizeof(previews), .preview = preview };

	return strcmp(id, PATCHBAY_PREVIEW) == 0 ? &previews : NULL;
}

static const patchbay_option header_options[] = {
	PATCHBAY_OPTION(struct http_header, PATCHBAY_T_STR, name, .flags = PATCHBAY_F_REQUIRED,
			.help = "Authorization, say."),
	PATCHBAY_OPTION(struct http_header, PATCHBAY_T_STR, value, .flags = PATCHBAY_F_REQUIRED | PATCHBAY_F_SECRET,
			.help = "What it says."),
};

static const patchbay_option options[] = {
	PATCHBAY_OPTION(struct http_options, PATCHBAY_T_STR, url, .flags = PATCHBAY_F_REQUIRED | PATCHBAY_F_SECRET,
			.help = "Where to post; it is kept as a secret, since many such URLs are."),
	PATCHBAY_OPTION(struct http_options, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_SECRET,
			.help = "Signs requests: whsec_ and base64; with several, each signs.",
			.max = PATCHBAY_KEYS_MAX),
	PATCHBAY_OPTION(struct http_options, PATCHBAY_T_ENUM, mode, .def = "structured", .one_of = modes,
			.help = "structured: the whole event in the body. binary: the provider's JSON in the body, the "
				"rest in headers, which no signature covers."),
	PATCHBAY_OPTION(struct http_options, PATCHBAY_T_LIST, headers, .fields = header_options,
			.n_fields = sizeof(header_options) / sizeof(header_options[0]),
			.fields_size = sizeof(struct http_header), .max = HEADERS_MAX,
			.help = "Headers that every request gets."),
	PATCHBAY_OPTION(struct http_options, PATCHBAY_T_BOOL, allow_private, .def = "false",
			.help = "Permit a server on this machine or network, and plain http to it."),
	PATCHBAY_OPTION(struct http_options, PATCHBAY_T_STR, ca_file, .flags = PATCHBAY_F_PATH,
			.help = "PEM file of the authorities to trust, instead of the system's."),
};

static const patchbay_sink sink = {
	.size = sizeof(sink),
	.n_options = sizeof(options) / sizeof(options[0]),
	.options = options,
	.options_size = sizeof(struct http_options),
	.concurrency_max = CONCURRENCY_MAX,
	.check = check,
	.create = create,
	.destroy = destroy,
	.act = act,
	.extension = extension,
};

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin_v1),
	.abi_minor = PATCHBAY_ABI_MINOR,
	.name = "http",
	.version = "0.1.0",
	.license = "Apache-2.0",
	.summary = "posts events as CloudEvents, signed as Standard Webhooks",
	.sink = &sink,
};
