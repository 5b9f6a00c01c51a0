/* slack.c - posts events to Slack, through an incoming webhook or chat.postMessage. One call of act is one message at
 * most, so that the host's `rate` counts what Slack counts; what that message does not tell of stays untouched. */
#include "slack.h"

#include <patchbay/preview.h>
#include <stdlib.h>

#define ANSWER_MAX (64 << 10) /* chat.postMessage answers with the message that it made */

/* ---- Configuration */

static patchbay_status wrong(const patchbay_host *host, patchbay_call *call, const char *why)
{
	host->explain(call, patchbay_cstr(why));
	return PATCHBAY_ECONFIG;
}

static patchbay_status check_token(const patchbay_host *host, patchbay_call *call, const struct slack_options *o)
{
	if (o->channel.n == 0)
		return wrong(host, call,
			     "'channel' is missing: with a token, say where to post, as C0123ABCD or #name");
	for (size_t i = 0; i < o->token.n; i++)
		if (o->token.p[i] <= ' ' || o->token.p[i] > '~')
			return wrong(host, call,
				     "'token' has a space, a line break or another character that no token of "
				     "Slack has; check how it was copied");
	return PATCHBAY_OK;
}

static patchbay_status check(const patchbay_host *host, patchbay_call *call, const void *options)
{
	const struct slack_options *o = options;
	const patchbay_http_service *http = host->service(host, PATCHBAY_HTTP);

	if (!http)
		return wrong(host, call, "this host lacks the HTTP service; use a newer one");
	if (o->webhook_url.n && o->token.n)
		return wrong(host, call, "'webhook_url' and 'token' are both given: keep the one to post with");
	if (!o->webhook_url.n && !o->token.n)
		return wrong(host, call,
			     "nothing says how to post: give 'webhook_url', or 'token' and 'channel'; if one is "
			     "there, it is empty");
	if (o->webhook_url.n && o->channel.n)
		return wrong(host, call,
			     "'channel' has no effect with 'webhook_url', which posts to the channel that it was "
			     "made for; take it out");
	if (o->token.n && check_token(host, call, o) != PATCHBAY_OK)
		return PATCHBAY_ECONFIG;
	return http->url_ok(call, o->token.n ? o->api_url : o->webhook_url, o->allow_private) ? PATCHBAY_OK
											      : PATCHBAY_ECONFIG;
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static char *join(const char *a, patchbay_str b, const char *c)
{
	size_t n = strlen(a) + b.n + strlen(c) + 1;
	char *out = malloc(n);

	if (out)
		snprintf(out, n, "%s%.*s%s", a, (int)b.n, b.p, c);
	return out;
}

static void destroy(void *self)
{
	struct slack *s = self;

	if (!s)
		return;
	if (s->client)
		s->http->close(s->client);
	free(s->url);
	wipe(s->authorization);
	free(s);
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	patchbay_status status = check(host, call, options);
	const struct slack_options *o = options;
	struct slack *s = status == PATCHBAY_OK ? calloc(1, sizeof(*s)) : NULL;

	if (!s)
		return status == PATCHBAY_OK ? PATCHBAY_ENOMEM : status;
	s->host = host;
	s->options = o;
	s->json = host->service(host, PATCHBAY_JSON);
	s->time = host->service(host, PATCHBAY_TIME);
	s->expr = host->service(host, PATCHBAY_EXPR);
	s->http = host->service(host, PATCHBAY_HTTP);
	if (!s->json || !s->time || !s->expr || !s->http) {
		destroy(s);
		return wrong(host, call, "this host lacks the JSON, time, expression or HTTP service; use a newer one");
	}
	s->client = s->http->open(&(patchbay_http_options){
		.size = sizeof(patchbay_http_options), .allow_private = o->allow_private, .ca_file = o->ca_file });
	if (o->token.n) {
		patchbay_str api = o->api_url;
		while (api.n && api.p[api.n - 1] == '/')
			api.n--;
		s->url = join("", api, "/chat.postMessage");
		s->authorization = join("Bearer ", o->token, "");
	}
	if (!s->client || (o->token.n && (!s->url || !s->authorization))) {
		destroy(s);
		return PATCHBAY_ENOMEM;
	}
	*self = s;
	return PATCHBAY_OK;
}

/* ---- Sending */

static patchbay_str body_of(struct slack *s, patchbay_call *call, const struct slack_message *m)
{
	patchbay_str parts[8];
	size_t n = 0;

	/* What an event says must not make Slack fetch and show a page. */
	parts[n++] = PATCHBAY_S("{\"unfurl_links\":false,\"unfurl_media\":false,\"text\":");
	parts[n++] = slack_quote(s, call, m->text);
	if (m->blocks.n) {
		parts[n++] = PATCHBAY_S(",\"blocks\":");
		parts[n++] = m->blocks;
	}
	if (s->authorization) {
		parts[n++] = PATCHBAY_S(",\"channel\":");
		parts[n++] = slack_quote(s, call, s->options->channel);
	}
	parts[n++] = PATCHBAY_S("}");
	return patchbay_join(s->host, call, parts, n);
}

static patchbay_result post(struct slack *s, patchbay_call *call, const struct slack_message *m)
{
	patchbay_kv headers[] = { { PATCHBAY_S("Content-Type"), PATCHBAY_S("application/json; charset=utf-8") },
				  { PATCHBAY_S("Authorization"), patchbay_cstr(s->authorization) } };
	patchbay_http_answer answer = { .size = sizeof(answer) };
	patchbay_http_request request = {
		.size = sizeof(request),
		.headers = headers,
		.n_headers = s->authorization ? 2 : 1,
		.method = PATCHBAY_S("POST"),
		.url = s->url ? patchbay_cstr(s->url) : s->options->webhook_url,
		.body = body_of(s, call, m),
		.answer_max = ANSWER_MAX,
	};

	if (request.body.n == 0)
		return (patchbay_result){ PATCHBAY_RETRY, 0,
					  PATCHBAY_S("the message needs more memory than one call may have") };
	patchbay_status sent = s->http->send(s->client, call, &request, &answer);
	return slack_judge(s, call, sent, &answer);
}

/* The events of the first one's route, in a list of their own; *at says where each was. */
static size_t same_route(struct slack *s, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
			 const patchbay_delivery ***ret, size_t **ret_at)
{
	const patchbay_delivery **list = s->host->alloc(call, n * sizeof(*list));
	size_t *at = s->host->alloc(call, n * sizeof(*at)), found = 0;

	for (size_t i = 0; list && at && i < n; i++)
		if (patchbay_eq(events[i]->route, events[0]->route)) {
			list[found] = events[i];
			at[found++] = i;
		}
	*ret = list;
	*ret_at = at;
	return found;
}

/* A digest is in order when more events than that of the first one's route are waiting. */
static bool wants_digest(const struct slack *s, size_t waiting)
{
	return s->options->digest > 0 && !s->digests_refused && waiting > (size_t)s->options->digest;
}

static void act_digest(struct slack *s, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		       const size_t *at, patchbay_result *results)
{
	struct slack_message m = { .text = PATCHBAY_S("") };

	slack_digest(s, call, events, n, &m);
	patchbay_result result = post(s, call, &m);
	if (result.status == PATCHBAY_EBADEVENT ||
	    result.status == PATCHBAY_ECONFIG) { /* not for what a digest lacks */
		s->digests_refused = true;
		result.status = PATCHBAY_RETRY;
		s->host->log(s->host, PATCHBAY_LOG_WARNING,
			     patchbay_fmt(s->host, call, "no more digests until the next start, one message each: %.*s",
					  (int)result.why.n, result.why.p));
	}
	for (size_t i = 0; i < m.n_events; i++)
		results[at[i]] = result;
}

static void act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	struct slack *s = self;
	const patchbay_delivery **list;
	size_t *at, waiting;

	(void)checkpoint;
	for (size_t i = 0; i < n; i++)
		results[i] = (patchbay_result){ PATCHBAY_UNTOUCHED, 0, PATCHBAY_S("") };
	waiting = same_route(s, call, events, n, &list, &at);
	if (wants_digest(s, waiting)) {
		act_digest(s, call, list, waiting, at, results);
		return;
	}
	struct slack_message m = { .text = PATCHBAY_S("") };
	patchbay_status status = slack_message(s, call, events[0], true, &m);
	/* Without a sentence of its own the host takes what was explained. */
	results[0] = status == PATCHBAY_OK ? post(s, call, &m) : (patchbay_result){ status, 0, PATCHBAY_S("") };
}

/* ---- What would be sent: the event's id, which every message gets, apart */

static patchbay_status preview(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
			       patchbay_str *out)
{
	struct slack *s = self;
	const patchbay_delivery **list;
	size_t *at, waiting = same_route(s, call, events, n, &list, &at);
	struct slack_message m = { .text = PATCHBAY_S("") };
	patchbay_str parts[5], text;
	size_t n_parts = 0;

	if (wants_digest(s, waiting)) {
		slack_digest(s, call, list, waiting, &m);
		text = PATCHBAY_S("{\"digest\":");
	} else {
		patchbay_status status = slack_message(s, call, events[0], false, &m);
		if (status != PATCHBAY_OK)
			return status;
		text = PATCHBAY_S("{\"text\":");
	}
	parts[n_parts++] = text;
	parts[n_parts++] = slack_quote(s, call, m.text);
	if (m.blocks.n) {
		parts[n_parts++] = PATCHBAY_S(",\"blocks\":");
		parts[n_parts++] = m.blocks;
	}
	parts[n_parts++] = PATCHBAY_S("}");
	*out = patchbay_join(s->host, call, parts, n_parts);
	return out->n ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

static const void *extension(const char *id)
{
	static const patchbay_preview previews = { .size = sizeof(previews), .preview = preview };

	return strcmp(id, PATCHBAY_PREVIEW) == 0 ? &previews : NULL;
}

static const patchbay_option options[] = {
	PATCHBAY_OPTION(struct slack_options, PATCHBAY_T_STR, webhook_url, .flags = PATCHBAY_F_SECRET,
			.help = "The URL of an incoming webhook; it is as secret as a password."),
	PATCHBAY_OPTION(struct slack_options, PATCHBAY_T_STR, token, .flags = PATCHBAY_F_SECRET,
			.help = "Instead of webhook_url: a bot token (xoxb-...) with the scope chat:write."),
	PATCHBAY_OPTION(struct slack_options, PATCHBAY_T_STR, channel,
			.help = "With a token: where to post, C0123ABCD or #name."),
	PATCHBAY_OPTION(struct slack_options, PATCHBAY_T_TEXT, text,
			.def = "'\\(.source): *\\(.kind)*\\(if .subject then \", \" + .subject else \"\" end)'",
			.help = "The message; what is interpolated is escaped for Slack."),
	PATCHBAY_OPTION(struct slack_options, PATCHBAY_T_TEXT, blocks,
			.help = "The message's blocks, a JSON array; interpolate between quotes, and it is escaped for "
				"Slack and JSON. 'text' is for notifications, then."),
	PATCHBAY_OPTION(
		struct slack_options, PATCHBAY_T_INT, digest, .def = "10", .min = 0, .max = 1000,
		.help = "When more events than this of one route are waiting, they become one message; 0 never."),
	PATCHBAY_OPTION(struct slack_options, PATCHBAY_T_STR, api_url, .def = "https://slack.com/api",
			.help = "With a token: where Slack's API is."),
	PATCHBAY_OPTION(struct slack_options, PATCHBAY_T_BOOL, allow_private, .def = "false",
			.help = "Permit a server on this machine or network, and plain http to it."),
	PATCHBAY_OPTION(struct slack_options, PATCHBAY_T_STR, ca_file, .flags = PATCHBAY_F_PATH,
			.help = "PEM file of the authorities to trust, instead of the system's."),
};

static const patchbay_sink sink = {
	.size = sizeof(sink),
	.n_options = sizeof(options) / sizeof(options[0]),
	.options = options,
	.options_size = sizeof(struct slack_options),
	.batch_events = 100, /* about as many as a digest can name */
	.check = check,
	.create = create,
	.destroy = destroy,
	.act = act,
	.extension = extension,
	.rate = "1/s", /* what Slack allows for a webhook or channel */
};

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin_v1),
	.abi_minor = PATCHBAY_ABI_MINOR,
	.name = "slack",
	.version = "0.1.0",
	.license = "Apache-2.0",
	.summary = "messages in Slack, through a webhook or chat.postMessage",
	.sink = &sink,
};
