/* sink.h - two sound sinks, whose parts can be replaced: one posts each event to a URL, the other appends it to a file.
 * Define ACT, CREATE, ... before including this, write that function, and end with HTTP_SINK("name") or
 * FILE_SINK("name"). */
#ifndef BROKEN_SINK_H
#define BROKEN_SINK_H

#include <patchbay/checkpoint.h>
#include <patchbay/idle.h>
#include <patchbay/preview.h>
#include <patchbay/services.h>
#include <patchbay/sugar.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef CREATE
#define CREATE sound_create
#endif
#ifndef DESTROY
#define DESTROY sound_destroy
#endif
#ifndef ACT
#define ACT sound_act
#endif
#ifndef DELIVER
#define DELIVER sound_deliver
#endif
#ifndef EXTENSION
#define EXTENSION sound_extension
#endif

#define UNUSED __attribute__((unused))

struct sound_config {
	patchbay_str url, path;
	bool allow_private;
};

struct sound {
	const patchbay_host *host;
	const struct sound_config *config;
	const patchbay_http_service *http;
	patchbay_http *client;
	char *path;
};

static patchbay_status CREATE(const patchbay_host *, patchbay_call *, const void *, void **);
static void DESTROY(void *);
static void ACT(void *, patchbay_call *, const patchbay_delivery *const *, size_t, patchbay_result *, patchbay_str *);
static patchbay_result DELIVER(struct sound *, patchbay_call *, const patchbay_delivery *);
static const void *EXTENSION(const char *);

UNUSED static const patchbay_option http_options[] = {
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_STR, url, .flags = PATCHBAY_F_SECRET | PATCHBAY_F_REQUIRED,
			.help = "Where to post."),
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_BOOL, allow_private, .def = "false",
			.help = "Permit a server on this machine."),
};

UNUSED static const patchbay_option file_options[] = {
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_STR, path, .flags = PATCHBAY_F_PATH | PATCHBAY_F_REQUIRED,
			.help = "The file to append to."),
};

UNUSED static void sound_destroy(void *self)
{
	struct sound *s = self;

	if (!s)
		return;
	if (s->client)
		s->http->close(s->client);
	free(s->path);
	free(s);
}

UNUSED static patchbay_status sound_create(const patchbay_host *host, patchbay_call *call, const void *options,
					   void **self)
{
	struct sound *s = calloc(1, sizeof(*s));

	if (!s)
		return PATCHBAY_ENOMEM;
	s->host = host;
	s->config = options;
	s->http = host->service(host, PATCHBAY_HTTP);
	s->path = strndup(s->config->path.n ? s->config->path.p : "", s->config->path.n);
	if (s->http)
		s->client = s->http->open(&(patchbay_http_options){ .size = sizeof(patchbay_http_options),
								    .allow_private = s->config->allow_private });
	if (!s->path || !s->client) {
		host->explain(call, PATCHBAY_S("this host has no " PATCHBAY_HTTP ", or no memory; use a newer one"));
		sound_destroy(s);
		return PATCHBAY_ECONFIG;
	}
	*self = s;
	return PATCHBAY_OK;
}

UNUSED static patchbay_result result(patchbay_status status, const char *why)
{
	return (patchbay_result){ status, 0, patchbay_cstr(why) };
}

/* Posts the event's data; what came of it. */
UNUSED static patchbay_status post(struct sound *s, patchbay_call *call, const patchbay_delivery *event,
				   patchbay_http_answer *answer)
{
	patchbay_kv headers[] = { { PATCHBAY_S("Content-Type"), PATCHBAY_S("application/json") } };
	patchbay_http_request request = { .size = sizeof(request),
					  .n_headers = 1,
					  .headers = headers,
					  .method = PATCHBAY_S("POST"),
					  .url = s->config->url,
					  .body = event->data };

	*answer = (patchbay_http_answer){ .size = sizeof(*answer) };
	return s->http->send(s->client, call, &request, answer);
}

UNUSED static patchbay_result deliver_by_http(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_http_answer answer;
	patchbay_status sent = post(s, call, event, &answer);

	if (sent != PATCHBAY_OK)
		return (patchbay_result){ sent, 0, answer.why };
	if (answer.status >= 200 && answer.status < 300)
		return result(PATCHBAY_OK, "");
	if (answer.status == 429 || answer.status >= 500)
		return result(PATCHBAY_DOWN, "the server takes nothing now");
	return result(answer.status == 400 ? PATCHBAY_EBADEVENT : PATCHBAY_EBADSINK, "the server refuses it");
}

UNUSED static patchbay_result deliver_to_file(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_str line = patchbay_fmt(s->host, call, "%.*s %.*s\n", (int)event->id.n, event->id.p,
					 (int)event->type.n, event->type.p);
	int fd = open(s->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	bool written = fd >= 0 && write(fd, line.p, line.n) == (ssize_t)line.n && fsync(fd) == 0;

	if (fd >= 0 && close(fd) != 0)
		written = false;
	return written && line.n ? result(PATCHBAY_OK, "") : result(PATCHBAY_EBADSINK, "the file cannot be written");
}

UNUSED static void sound_act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
			     patchbay_result *results, patchbay_str *checkpoint)
{
	struct sound *s = self;
	(void)checkpoint;

	for (size_t i = 0; i < n; i++)
		results[i] = s->host->left_ms(call) > 0 ? DELIVER(s, call, events[i])
							: (patchbay_result){ PATCHBAY_UNTOUCHED, 0, { "", 0 } };
}

UNUSED static const void *sound_extension(const char *id)
{
	(void)id;
	return NULL;
}

#define SINK_PLUGIN(name_, options_)                                                                                   \
	static const patchbay_sink sink_side = {                                                                       \
		.size = sizeof(sink_side),                                                                             \
		.n_options = sizeof(options_) / sizeof((options_)[0]),                                                 \
		.options = (options_),                                                                                 \
		.options_size = sizeof(struct sound_config),                                                           \
		.create = CREATE,                                                                                      \
		.destroy = DESTROY,                                                                                    \
		.act = ACT,                                                                                            \
		.extension = EXTENSION,                                                                                \
	};                                                                                                             \
	PATCHBAY_EXPORT const patchbay_plugin patchbay_plugin_v1 = {                                                   \
		.size = sizeof(patchbay_plugin),                                                                       \
		.name = (name_),                                                                                       \
		.version = "1.0.0",                                                                                    \
		.license = "MIT",                                                                                      \
		.summary = "a sink for tests of the conformance kit",                                                  \
		.sink = &sink_side,                                                                                    \
	}
#define HTTP_SINK(name_) SINK_PLUGIN(name_, http_options)
#define FILE_SINK(name_) SINK_PLUGIN(name_, file_options)

#endif
