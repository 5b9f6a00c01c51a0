/* message.c - the message for one event: its text, and its blocks where such are configured. Slack has no idempotency
 * key, so every message names its event: what was posted twice can be told from what happened twice. */
#include "slack.h"

#include <patchbay/play.h>

/* Slack's limits are in characters, and nobody says which; these are bytes, so never more. */
#define SECTION_MAX 3000
#define FIELD_MAX 2000
#define HEADER_MAX 150
#define BUTTON_MAX 75
#define BLOCKS_MAX 49      /* of 50: one names the event */
#define BLOCKS_BYTES 13000 /* of all blocks; undocumented, messages were refused at 13,200 characters */

static patchbay_status render(struct slack *s, patchbay_call *call, const char *option, const patchbay_expr *expr,
			      const patchbay_delivery *event, patchbay_escape escape, patchbay_str *ret)
{
	patchbay_value value = { .size = sizeof(value) };

	if (!s->expr->eval(call, expr, event, escape, s, &value))
		return PATCHBAY_ECONFIG; /* explained */
	*ret = value.text;
	for (size_t i = 0; i < ret->n; i++)
		if ((unsigned char)ret->p[i] > ' ')
			return PATCHBAY_OK;
	s->host->explain(call, patchbay_fmt(s->host, call,
					    "'%s' gives nothing for this event, and Slack takes no empty "
					    "message; give it something for every event of the route",
					    option));
	return PATCHBAY_ECONFIG;
}

static void shorten(struct slack *s, patchbay_edits *e, const patchbay_json *value, size_t max)
{
	if (s->json->type(value) != PATCHBAY_JSON_STRING)
		return;
	patchbay_str text = s->json->text(e->call, value);
	if (text.n > max)
		patchbay_edit(e, s->json->raw(value), slack_quote(s, e->call, slack_cut(s, e->call, text, max)));
}

static void shorten_list(struct slack *s, patchbay_edits *e, const patchbay_json *list)
{
	for (uint32_t i = 0; i < s->json->count(list); i++) {
		const patchbay_json *one = s->json->at(e->call, list, i);
		shorten(s, e, s->json->get(e->call, one, PATCHBAY_S("text")), FIELD_MAX);
		shorten(s, e, s->json->find(e->call, one, "text.text", false), BUTTON_MAX);
	}
}

static void shorten_block(struct slack *s, patchbay_edits *e, const patchbay_json *block)
{
	const patchbay_json *type = s->json->get(e->call, block, PATCHBAY_S("type"));
	bool header = patchbay_eq(s->json->text(e->call, type), PATCHBAY_S("header"));

	shorten(s, e, s->json->find(e->call, block, "text.text", false), header ? HEADER_MAX : SECTION_MAX);
	shorten_list(s, e, s->json->get(e->call, block, PATCHBAY_S("fields")));
	shorten_list(s, e, s->json->get(e->call, block, PATCHBAY_S("elements")));
}

/* The blocks as Slack takes them, or "" if there is no making them so: the text does, then. */
static patchbay_status make_blocks(struct slack *s, patchbay_call *call, const patchbay_delivery *event, bool named,
				   patchbay_str *ret)
{
	patchbay_edits e = { .host = s->host, .json = s->json, .time = s->time, .call = call };
	patchbay_str text;
	patchbay_status status = render(s, call, "blocks", s->options->blocks, event, slack_escape_json, &text);

	if (status != PATCHBAY_OK)
		return status;
	bool good = patchbay_edits_begin(&e, text) && s->json->type(e.root) == PATCHBAY_JSON_ARRAY;
	uint32_t n = s->json->count(e.root);
	for (uint32_t i = 0; good && i < n; i++)
		good = s->json->type(s->json->at(call, e.root, i)) == PATCHBAY_JSON_OBJECT;
	if (!good) {
		s->host->explain(call, PATCHBAY_S("'blocks' gives no JSON array of objects for this event; put what is "
						  "interpolated between quotes, and try it with patchbay test"));
		return PATCHBAY_ECONFIG;
	}
	*ret = PATCHBAY_S("");
	if (n == 0 || n > BLOCKS_MAX)
		return PATCHBAY_OK;
	for (uint32_t i = 0; i < n; i++)
		shorten_block(s, &e, s->json->at(call, e.root, i));
	if (named)
		patchbay_edit(
			&e, (patchbay_str){ e.text.p + e.text.n - 1, 0 },
			patchbay_fmt(
				s->host, call,
				",{\"type\":\"context\",\"elements\":[{\"type\":\"mrkdwn\",\"text\":\"event %.*s\"}]}",
				(int)event->id.n, event->id.p));
	patchbay_str blocks;
	if (patchbay_edits_apply(&e, &blocks) == PATCHBAY_OK && blocks.n <= BLOCKS_BYTES)
		*ret = blocks;
	return PATCHBAY_OK;
}

patchbay_status slack_message(struct slack *s, patchbay_call *call, const patchbay_delivery *event, bool named,
			      struct slack_message *ret)
{
	patchbay_str id = patchbay_fmt(s->host, call, "\n_event %.*s_", (int)event->id.n, event->id.p);
	patchbay_status status = render(s, call, "text", s->options->text, event, slack_escape, &ret->text);

	if (status == PATCHBAY_OK && s->options->blocks)
		status = make_blocks(s, call, event, named, &ret->blocks);
	if (status != PATCHBAY_OK)
		return status;
	ret->n_events = 1;
	ret->text = slack_cut(s, call, ret->text, SLACK_TEXT_MAX - id.n);
	if (named && !ret->blocks.n)
		ret->text = patchbay_join(s->host, call, (patchbay_str[]){ ret->text, id }, 2);
	return PATCHBAY_OK;
}
