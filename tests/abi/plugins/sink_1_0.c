/* sink_1_0.c - a sink that uses as much of version 1.0 as there is: it writes what it is given into a file. Like the
 * headers that it is built against, it stays as it is. */
#include "common.h"

#include <patchbay/checkpoint.h>
#include <patchbay/idle.h>
#include <patchbay/preview.h>

#include <stdlib.h>

struct options {
	patchbay_str path;
	const patchbay_expr *expr, *text;
	patchbay_fields fields;
	patchbay_strs_expr to;
};

static const patchbay_option sink_options[] = {
	OPTION(struct options, PATCHBAY_T_STR, path, .flags = PATCHBAY_F_REQUIRED | PATCHBAY_F_PATH,
	       .help = "Where to write."),
	OPTION(struct options, PATCHBAY_T_EXPR, expr, .def = ".data.id", .help = "A value."),
	OPTION(struct options, PATCHBAY_T_TEXT, text, .help = "A text."),
	OPTION(struct options, PATCHBAY_T_FIELDS, fields, .def = "[type]", .help = "Some values."),
	OPTION(struct options, PATCHBAY_T_STRS_EXPR, to, .def = "nobody",
	       .help = "Strings, or an expression for them."),
};

struct sink {
	const patchbay_host *host;
	const struct options *options;
	struct services s;
	patchbay_http *http;
	FILE *file; /* from resume() on */
	unsigned done, idled;
};

static patchbay_status check(const patchbay_host *host, patchbay_call *call, const void *p)
{
	const struct options *o = p;
	return is(o->path, "/") ? explain(host, call, PATCHBAY_ECONFIG, "that is a folder") : PATCHBAY_OK;
}

static void destroy(void *p)
{
	struct sink *self = p;
	if (!self)
		return;
	if (self->s.http)
		self->s.http->close(self->http);
	if (self->file)
		fclose(self->file);
	free(self);
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **ret)
{
	struct sink *self = calloc(1, sizeof(*self));
	const patchbay_http_options http = { .size = sizeof(http), .allow_private = 1, .connect_ms = 500, GROWN };
	if (!self)
		return PATCHBAY_ENOMEM;
	*ret = self;
	self->host = host;
	self->options = options;
	const char *missing = find_services(host, &self->s);
	if (missing)
		return explain(host, call, PATCHBAY_ECONFIG, missing);
	self->http = self->s.http->open(&http);
	if (!self->http || !self->s.http->url_ok(call, str("https://example.org/a"), false) ||
	    !is(self->s.http->encode(call, str("a b")), "a%20b"))
		return explain(host, call, PATCHBAY_ECONFIG, "HTTP is not what it was in 1.0");
	return PATCHBAY_OK;
}

static patchbay_status resume(void *p, patchbay_call *call, patchbay_str checkpoint)
{
	struct sink *self = p;
	patchbay_str path = fmt(self->host, call, "%.*s", (int)self->options->path.n, self->options->path.p);
	self->file = path.n ? fopen(path.p, "ae") : NULL;
	if (!self->file)
		return explain(self->host, call, PATCHBAY_EBADSINK, "the file cannot be opened");
	fprintf(self->file, "resume\t%.*s\n", (int)checkpoint.n, checkpoint.p ? checkpoint.p : "");
	for (size_t i = 0; i < checkpoint.n; i++)
		self->done = 10 * self->done + (unsigned)(checkpoint.p[i] - '0');
	return fflush(self->file) == 0 ? PATCHBAY_OK : PATCHBAY_ELIMIT;
}

static patchbay_str in_brackets(void *ctx, patchbay_call *call, patchbay_str value)
{
	const struct sink *self = ctx;
	return fmt(self->host, call, "<%.*s>", (int)value.n, value.p);
}

static bool eval(const struct sink *self, patchbay_call *call, const patchbay_expr *expr,
		 const patchbay_delivery *event, patchbay_str *ret)
{
	patchbay_value value = { .size = sizeof(value), GROWN };
	if (!expr) {
		*ret = str("-");
		return true;
	}
	if (!self->s.expr->eval(call, expr, event, in_brackets, (void *)(uintptr_t)self, &value))
		return false;
#ifdef PATCHBAY_GROWN
	for (size_t i = 0; i < 3; i++) /* the host does not know of them, so they are what a default is */
		if (PATCHBAY_HAS(self->s.expr, eval) && self->host->abi_minor < PATCHBAY_ABI_MINOR && value.grown[i])
			return explain(self->host, call, 0, "what the host does not know is not zero") != 0;
#endif
	*ret = fmt(self->host, call, "%.*s%s", (int)value.text.n, value.text.p,
		   value.type == PATCHBAY_JSON_STRING ? "" : "!");
	return true;
}

/* A request that must be refused before it is sent, with an answer that says so. */
static bool http_refuses(const struct sink *self, patchbay_call *call)
{
	const patchbay_http_request request = {
		.size = sizeof(request), .method = S("GET"), .url = S("gopher://example.org"), GROWN
	};
	patchbay_http_answer answer = { .size = sizeof(answer), GROWN };
	return self->s.http->send(self->http, call, &request, &answer) == PATCHBAY_EBADSINK && answer.status == 0 &&
	       answer.maybe_sent == 0 && answer.retry_after_ms == -1 && answer.why.n > 0;
}

static bool line_of(const struct sink *self, patchbay_call *call, const patchbay_delivery *event, patchbay_str *ret)
{
	const struct options *o = self->options;
	patchbay_str expr, text, field = S("-"), to = S("-");
	if (!eval(self, call, o->expr, event, &expr) || !eval(self, call, o->text, event, &text) ||
	    (o->fields.n && !eval(self, call, o->fields.v[o->fields.n - 1].expr, event, &field)) ||
	    (o->to.expr && !eval(self, call, o->to.expr, event, &to)))
		return false;
	patchbay_str name = o->fields.n ? o->fields.v[o->fields.n - 1].name : str("-");
	if (o->to.strs.n)
		to = o->to.strs.v[o->to.strs.n - 1];
	*ret = fmt(self->host, call, "%.*s\t%.*s\t%.*s\t%.*s\t%zu:%.*s=%.*s\t%.*s\t%.*s\t%u", (int)event->type.n,
		   event->type.p, (int)event->subject.n, event->subject.p, (int)expr.n, expr.p, (int)text.n, text.p,
		   o->fields.n, (int)name.n, name.p, (int)field.n, field.p, (int)to.n, to.p, (int)event->details.n,
		   event->details.p, event->attempt);
	return ret->n > 0;
}

static void act(void *p, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	struct sink *self = p;
	for (size_t i = 0; i < n; i++) {
		patchbay_str line;
		if (!http_refuses(self, call)) {
			results[i].why = str("HTTP is not what it was in 1.0");
		} else if (!line_of(self, call, events[i], &line)) {
			results[i].status = PATCHBAY_EBADEVENT;
		} else if (events[i]->attempt == 1 && is(events[i]->type, "pong")) {
			results[i].after_ms = 10;
			results[i].why = str("once more, please");
		} else {
			fprintf(self->file, "%.*s\n", (int)line.n, line.p);
			self->done++;
			results[i].status = PATCHBAY_OK;
			results[i].why = str("written");
		}
	}
	fflush(self->file);
	*checkpoint = fmt(self->host, call, "%u", self->done);
}

static patchbay_status idle(void *p, patchbay_call *call, patchbay_str *checkpoint)
{
	struct sink *self = p;
	(void)call;
	(void)checkpoint;
	if (self->idled++ == 0) {
		fprintf(self->file, "idle\n");
		fflush(self->file);
	}
	return PATCHBAY_OK;
}

static patchbay_status preview(void *p, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
			       patchbay_str *out)
{
	const struct sink *self = p;
	patchbay_str text;
	if (n != 1 || !eval(self, call, self->options->text, events[0], &text))
		return PATCHBAY_EBADEVENT;
	*out = fmt(self->host, call, "{\"text\":\"%.*s\"}", (int)text.n, text.p);
	return PATCHBAY_OK;
}

static const void *extension(const char *id)
{
	static const patchbay_checkpoint resumes = { .size = sizeof(resumes), .resume = resume, GROWN };
	static const patchbay_idle idles = { .size = sizeof(idles), .every_ms = 50, .idle = idle, GROWN };
	static const patchbay_preview previews = { .size = sizeof(previews), .preview = preview, GROWN };
	static const uint32_t of_tomorrow[4] = { sizeof(of_tomorrow), 1, 2, 3 };
	if (strcmp(id, PATCHBAY_CHECKPOINT) == 0)
		return &resumes;
	if (strcmp(id, PATCHBAY_IDLE) == 0)
		return &idles;
	if (strcmp(id, PATCHBAY_PREVIEW) == 0)
		return &previews;
	return strcmp(id, "x.acme.tomorrow/1") == 0 ? of_tomorrow : NULL;
}

static const patchbay_sink sink = { .size = sizeof(sink),
				    .n_options = LENGTH(sink_options),
				    .options = sink_options,
				    .options_size = sizeof(struct options),
				    .batch_events = 2,
				    .batch_bytes = 4096,
				    .timeout_ms = 5000,
				    .rate = "1000/s",
				    .check = check,
				    .create = create,
				    .destroy = destroy,
				    .act = act,
				    .extension = extension,
				    GROWN };

const patchbay_plugin patchbay_plugin_v1 = { .size = sizeof(patchbay_plugin),
					     .abi_minor = PATCHBAY_ABI_MINOR,
					     .abi_minor_need = 0,
					     .name = "abi-sink",
					     .version = "1.0.0",
					     .license = "Apache-2.0",
					     .summary = "a sink of version 1.0, for tests",
					     .sink = &sink,
					     GROWN };
