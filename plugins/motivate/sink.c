/* sink.c - calls Motivate Cloud for an event: POST or PUT of JSON to a path, both made by the expressions of
 * routes.yaml. One event in a call, so that `rate` counts requests. */
#include "api.h"
#include "path.h"
#include "sink.h"
#include "text.h"

#include <patchbay/preview.h>

#include <stdlib.h>

#define CONCURRENCY_MAX 8
#define ANSWER_MAX (UINT64_C(256) << 10)

struct sink_options {
	struct api_options api;
	const patchbay_expr *path, *body;
	int64_t method;
};

struct sink {
	const patchbay_host *host;
	const struct sink_options *options;
	const patchbay_expr_service *expr;
	struct api *api;
};

static const char *const methods[] = { "POST", "PUT", NULL };

static const patchbay_option options_table[] = {
	API_OPTIONS(struct sink_options, PATCHBAY_F_REQUIRED),
	PATCHBAY_OPTION(struct sink_options, PATCHBAY_T_ENUM, method, .def = "POST", .one_of = methods,
			.help = "POST makes something new, PUT changes what is there."),
	PATCHBAY_OPTION(struct sink_options, PATCHBAY_T_TEXT, path, .flags = PATCHBAY_F_REQUIRED,
			.help = "Where, below api_url: '/users/\\(.data.user)/awards'; what is filled in is "
				"percent-encoded."),
	PATCHBAY_OPTION(struct sink_options, PATCHBAY_T_EXPR, body, .def = ".data",
			.help = "What is sent, as JSON: '{course: .data.title, completed: .time}'."),
};

static patchbay_status check(const patchbay_host *host, patchbay_call *call, const void *options)
{
	return api_check(host, call, &((const struct sink_options *)options)->api);
}

static void destroy(void *self)
{
	struct sink *sink = self;

	if (!sink)
		return;
	api_destroy(sink->api);
	free(sink);
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	patchbay_status status;

	if (!sink)
		return PATCHBAY_ENOMEM;
	sink->host = host;
	sink->options = options;
	sink->expr = host->service(host, PATCHBAY_EXPR);
	status = api_create(host, call, &sink->options->api, &sink->api);
	if (status == PATCHBAY_OK && !sink->expr) {
		host->explain(call, PATCHBAY_S("this host has no " PATCHBAY_EXPR "; use a newer one"));
		status = PATCHBAY_ECONFIG;
	}
	if (status != PATCHBAY_OK) {
		destroy(sink);
		return status;
	}
	*self = sink;
	return PATCHBAY_OK;
}

/* Path and contents of the request for an event. Anything but OK: explained. */
static patchbay_status render(const struct sink *sink, patchbay_call *call, const patchbay_delivery *event,
			      patchbay_str *ret_path, patchbay_str *ret_body)
{
	struct text quoted = { .host = sink->host, .call = call };
	patchbay_value value = { .size = sizeof(value) };
	patchbay_status status = path_render(sink->api, sink->host, call, sink->options->path, event, ret_path);

	if (status != PATCHBAY_OK)
		return status;
	if (!sink->expr->eval(call, sink->options->body, event, NULL, NULL, &value))
		return PATCHBAY_EBADEVENT; /* explained */
	if (value.type == PATCHBAY_JSON_NULL) {
		sink->host->explain(call, PATCHBAY_S("`body` gives null for this event; if nothing is to be sent, "
						     "write body: '{}'"));
		return PATCHBAY_EBADEVENT;
	}
	if (value.type == PATCHBAY_JSON_STRING) {
		text_add_string(&quoted, value.text);
		value.text = text_str(&quoted);
	}
	*ret_body = value.text;
	return value.text.n > 0 ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

static void act_one(struct sink *sink, patchbay_call *call, const patchbay_delivery *event, patchbay_result *result)
{
	struct api_request request = { .method = methods[sink->options->method],
				       .key = event->id,
				       .answer_max = ANSWER_MAX };
	struct api_answer answer;
	patchbay_str path;

	result->status = render(sink, call, event, &path, &request.body);
	if (result->status == PATCHBAY_ENOMEM) {
		result->status = PATCHBAY_EBADEVENT;
		result->why = PATCHBAY_S("the request is larger than a call's memory");
	}
	if (result->status != PATCHBAY_OK)
		return; /* the reason was explained */
	request.target = api_target(sink->api, call, path);
	api_send(sink->api, call, &request, &answer);
	result->status = answer.status;
	result->after_ms = answer.after_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)answer.after_ms;
	result->why = answer.why;
	if (answer.status == PATCHBAY_OK && answer.location.n > 0)
		result->why =
			patchbay_fmt(sink->host, call, "Location: %.*s", (int)answer.location.n, answer.location.p);
}

static void act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	(void)checkpoint;
	act_one(self, call, events[0], &results[0]);
	for (size_t i = 1; i < n; i++)
		results[i].status = PATCHBAY_UNTOUCHED;
}

static patchbay_status preview(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
			       patchbay_str *out)
{
	const struct sink *sink = self;
	struct text t = { .host = sink->host, .call = call };
	patchbay_str path, body;
	patchbay_status status = render(sink, call, events[0], &path, &body);

	(void)n;
	if (status != PATCHBAY_OK)
		return status;
	text_add_c(&t, "{\"method\":");
	text_add_string(&t, patchbay_cstr(methods[sink->options->method]));
	text_add_c(&t, ",\"path\":");
	text_add_string(&t, path);
	text_add_c(&t, ",\"body\":");
	text_add(&t, body);
	text_add_c(&t, "}");
	*out = text_str(&t);
	return out->n > 0 ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

static const patchbay_preview previewing = { .size = sizeof(previewing), .preview = preview };

static const void *extension(const char *id)
{
	return strcmp(id, PATCHBAY_PREVIEW) == 0 ? &previewing : NULL;
}

const patchbay_sink motivate_sink = {
	.size = sizeof(motivate_sink),
	.n_options = sizeof(options_table) / sizeof(options_table[0]),
	.options = options_table,
	.options_size = sizeof(struct sink_options),
	.check = check,
	.create = create,
	.destroy = destroy,
	.act = act,
	.extension = extension,
	.concurrency_max = CONCURRENCY_MAX,
};
