/* slack.h - inside the plugin: what its files share. */
#ifndef SLACK_H
#define SLACK_H

#include <patchbay/services.h>
#include <patchbay/sugar.h>

#define SLACK_TEXT_MAX 4000 /* bytes of a message's text; Slack advises against more, and cuts at 40,000 characters */

struct slack_options {
	patchbay_str webhook_url, token, channel, api_url, ca_file;
	const patchbay_expr *text, *blocks;
	int64_t digest;
	bool allow_private;
};

struct slack {
	const patchbay_host *host;
	const struct slack_options *options;
	const patchbay_json_service *json;
	const patchbay_time_service *time;
	const patchbay_expr_service *expr;
	const patchbay_http_service *http;
	patchbay_http *client;
	char *url;           /* of the API's method, or NULL: the webhook's */
	char *authorization; /* of the API, or NULL */
	bool digests_refused;
};

struct slack_message {
	patchbay_str text;   /* in Slack's own escaping, not JSON's */
	patchbay_str blocks; /* JSON; "" none */
	size_t n_events;     /* that it tells of, the first ones of their list */
};

/* ---- text.c. What needs memory gives "" when the call has no more. */

/* Escapes for Slack's markup: & < > (patchbay_escape, ctx is the struct slack). Of long values only the beginning. */
patchbay_str slack_escape(void *ctx, patchbay_call *, patchbay_str value);
/* The same for a place inside a JSON string. */
patchbay_str slack_escape_json(void *ctx, patchbay_call *, patchbay_str value);
/* At most max bytes of escaped text, with an ellipsis where it was cut: between characters, and not in an entity. */
patchbay_str slack_cut(const struct slack *, patchbay_call *, patchbay_str text, size_t max);
patchbay_str slack_quote(const struct slack *, patchbay_call *, patchbay_str text); /* as a JSON string */

/* ---- message.c, digest.c: what to send. Anything but OK: explained. */

/* `named`: with the event's id in it, as it is sent. */
patchbay_status slack_message(struct slack *, patchbay_call *, const patchbay_delivery *, bool named,
			      struct slack_message *ret);
/* As many of these events as one message can name. */
void slack_digest(struct slack *, patchbay_call *, const patchbay_delivery *const *events, size_t n,
		  struct slack_message *ret);

/* ---- answer.c */

/* What the answer (or, unless `sent` is OK, that there is none) means for the message. */
patchbay_result slack_judge(const struct slack *, patchbay_call *, patchbay_status sent, const patchbay_http_answer *);

#endif
