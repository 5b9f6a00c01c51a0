/* @NAME@.c - a sink: posts each event as JSON to a URL. `body` of routes.yaml says what of the event. The server can
 * tell that an event came twice by its Idempotency-Key, which is the same at every attempt. */
#include <patchbay/preview.h>
#include <patchbay/services.h>
#include <patchbay/sugar.h>

#include <stdlib.h>

struct options {
	patchbay_str url;
	const patchbay_expr *body;
	bool allow_private;
};

struct sink {
	const patchbay_host *host;
	const struct options *options;
	const patchbay_expr_service *expr;
	const patchbay_http_service *http;
	patchbay_http *client;
};

static patchbay_status check(const patchbay_host *host, patchbay_call *call, const void *options)
{
	const patchbay_http_service *http = patchbay_service(host, call, PATCHBAY_HTTP);
	const struct options *o = options;

	return http && http->url_ok(call, o->url, o->allow_private) ? PATCHBAY_OK : PATCHBAY_ECONFIG;
}

static void destroy(void *self)
{
	struct sink *s = self;

	if (s && s->http)
		s->http->close(s->client);
	free(s);
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	struct sink *s = *self = calloc(1, sizeof(*s)); /* when this fails, the host calls destroy() */

	if (!s)
		return PATCHBAY_ENOMEM;
	s->host = host;
	s->options = options;
	if (!(s->expr = patchbay_service(host, call, PATCHBAY_EXPR)) ||
	    !(s->http = patchbay_service(host, call, PATCHBAY_HTTP)))
		return PATCHBAY_ECONFIG;
	s->client = s->http->open(&(patchbay_http_options){ .size = sizeof(patchbay_http_options),
							    .allow_private = s->options->allow_private });
	return s->client ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

/* What is to be posted. Not OK: explained. */
static patchbay_status render(const struct sink *s, patchbay_call *call, const patchbay_delivery *event,
			      patchbay_str *out)
{
	patchbay_value value = { .size = sizeof(value) };

	if (!s->expr->eval(call, s->options->body, event, NULL, NULL, &value))
		return PATCHBAY_ECONFIG;
	*out = value.text;
	if (value.type == PATCHBAY_JSON_OBJECT || value.type == PATCHBAY_JSON_ARRAY)
		return PATCHBAY_OK;
	s->host->explain(call, PATCHBAY_S("'body' gives neither an object nor an array for this event; mend it"));
	return PATCHBAY_ECONFIG;
}

/* Who is to blame: nobody, this event, the destination for now, or the destination until a person mends it? */
static patchbay_result judge(const struct sink *s, patchbay_call *call, const patchbay_http_answer *a)
{
	patchbay_result result = { PATCHBAY_EBADEVENT, 0, PATCHBAY_S("") };

	if (a->status / 100 == 2)
		return (patchbay_result){ PATCHBAY_OK, 0, PATCHBAY_S("") };
	if (a->status == 408 || a->status == 429 || a->status >= 500)
		result.status = PATCHBAY_DOWN;
	else if (a->status < 400 || a->status == 401 || a->status == 403 || a->status == 404)
		result.status = PATCHBAY_EBADSINK;
	if (result.status == PATCHBAY_DOWN && a->retry_after_ms > 0)
		result.after_ms = a->retry_after_ms < UINT32_MAX ? (uint32_t)a->retry_after_ms : UINT32_MAX;
	result.why = patchbay_fmt(s->host, call, "the server answered %d%s", (int)a->status,
				  result.status == PATCHBAY_DOWN       ? ": it takes nothing now"
				  : result.status == PATCHBAY_EBADSINK ? ": see 'url'"
								       : ": it does not take this event; see 'body'");
	return result;
}

static patchbay_result post(const struct sink *s, patchbay_call *call, const patchbay_delivery *event)
{
	const patchbay_kv headers[] = { { PATCHBAY_S("Content-Type"), PATCHBAY_S("application/json") },
					{ PATCHBAY_S("Idempotency-Key"), event->id } };
	patchbay_http_request request = { .size = sizeof(request),
					  .headers = headers,
					  .n_headers = 2,
					  .method = PATCHBAY_S("POST"),
					  .url = s->options->url };
	patchbay_http_answer answer = { .size = sizeof(answer) };
	patchbay_status status = render(s, call, event, &request.body);

	if (status != PATCHBAY_OK)
		return (patchbay_result){ status, 0, PATCHBAY_S("") }; /* what was explained is the reason */
	status = s->http->send(s->client, call, &request, &answer);
	return status == PATCHBAY_OK ? judge(s, call, &answer) : (patchbay_result){ status, 0, answer.why };
}

static void act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	bool trouble = false;

	(void)checkpoint; /* for sinks that need to know where they stopped */
	for (size_t i = 0; i < n; i++) {
		results[i] = trouble ? (patchbay_result){ PATCHBAY_UNTOUCHED, 0, PATCHBAY_S("") }
				     : post(self, call, events[i]);
		trouble = trouble || results[i].status == PATCHBAY_DOWN || results[i].status == PATCHBAY_EBADSINK;
	}
}

/* For `patchbay test`: what would be posted. */
static patchbay_status preview(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
			       patchbay_str *out)
{
	const struct sink *s = self;
	patchbay_str body;
	patchbay_status status = render(s, call, events[0], &body);

	(void)n; /* each event has a request of its own */
	if (status == PATCHBAY_OK)
		*out = patchbay_fmt(s->host, call, "{\"body\": %.*s}", (int)body.n, body.p);
	return status;
}

static const void *extension(const char *id)
{
	static const patchbay_preview previews = { .size = sizeof(previews), .preview = preview };

	return strcmp(id, PATCHBAY_PREVIEW) == 0 ? &previews : NULL;
}

static const patchbay_option options[] = {
	PATCHBAY_OPTION(struct options, PATCHBAY_T_STR, url, .flags = PATCHBAY_F_REQUIRED, .help = "Where to post."),
	PATCHBAY_OPTION(struct options, PATCHBAY_T_EXPR, body, .def = ".data",
			.help = "What to post of an event: an object or an array."),
	PATCHBAY_OPTION(struct options, PATCHBAY_T_BOOL, allow_private, .def = "false",
			.help = "Permit a server on this machine or network, and plain http to it."),
};

static const patchbay_sink sink = {
	.size = sizeof(sink),
	PATCHBAY_OPTIONS(options, struct options),
	.concurrency_max = 16,
	.check = check,
	.create = create,
	.destroy = destroy,
	.act = act,
	.extension = extension,
};

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin_v1),
	.abi_minor = PATCHBAY_ABI_MINOR,
	.name = "@NAME@",
	.version = "0.1.0",
	.license = "Apache-2.0",
	.summary = "posts events as JSON",
	.sink = &sink,
};
