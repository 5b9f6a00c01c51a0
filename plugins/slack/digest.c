/* digest.c - one message for many events: how many of which type, when, and their ids. */
#include "slack.h"

#define TYPES_MAX 24
#define TYPE_MAX 100 /* bytes of a type's name that are shown */
#define LINE_MAX_BYTES (TYPE_MAX + 80)
#define HEAD_MAX_BYTES 200

struct line { /* the events of one type */
	patchbay_str type;
	size_t n;
	int64_t first_ns, last_ns;
};

/* "14:05" of today, "2026-11-21 14:05" of another day. */
static patchbay_str minute(const struct slack *s, patchbay_call *call, int64_t ns)
{
	patchbay_str today = s->time->format(call, s->host->now_ns(s->host)), then = s->time->format(call, ns);

	if (then.n < 16 || today.n < 16)
		return then;
	if (memcmp(then.p, today.p, 10) == 0)
		return (patchbay_str){ then.p + 11, 5 };
	return patchbay_fmt(s->host, call, "%.10s %.5s", then.p, then.p + 11);
}

static patchbay_str line_text(struct slack *s, patchbay_call *call, const struct line *line)
{
	patchbay_str type = slack_cut(s, call, slack_escape(s, call, line->type), TYPE_MAX);
	patchbay_str first = minute(s, call, line->first_ns), last = minute(s, call, line->last_ns);
	bool moment = patchbay_eq(first, last);

	return patchbay_fmt(s->host, call, "%zu \xc3\x97 %.*s, %.*s%s%.*s (UTC)\n", line->n, (int)type.n, type.p,
			    (int)first.n, first.p, moment ? "" : "\xe2\x80\x93", moment ? 0 : (int)last.n, last.p);
}

/* The line of this type, a new one if need be; NULL: there are too many. */
static struct line *line_for(struct line *lines, size_t *n, patchbay_str type)
{
	for (size_t i = 0; i < *n; i++)
		if (patchbay_eq(lines[i].type, type))
			return &lines[i];
	if (*n == TYPES_MAX)
		return NULL;
	lines[*n] = (struct line){ .type = type, .first_ns = INT64_MAX, .last_ns = INT64_MIN };
	return &lines[(*n)++];
}

void slack_digest(struct slack *s, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		  struct slack_message *ret)
{
	struct line lines[TYPES_MAX];
	patchbay_str parts[TYPES_MAX + 3], ids = PATCHBAY_S("");
	size_t n_lines = 0, n_parts = 1, bytes = HEAD_MAX_BYTES, taken = 0;

	for (; taken < n; taken++) {
		const patchbay_delivery *event = events[taken];
		size_t before = n_lines;
		struct line *line = line_for(lines, &n_lines, event->type);
		bytes += event->id.n + 1 + (n_lines > before ? LINE_MAX_BYTES : 0);
		if (!line || bytes > SLACK_TEXT_MAX) {
			n_lines = before;
			break;
		}
		line->n++;
		if (event->time_ns < line->first_ns)
			line->first_ns = event->time_ns;
		if (event->time_ns > line->last_ns)
			line->last_ns = event->time_ns;
	}
	for (size_t i = 0; i < n_lines; i++)
		parts[n_parts++] = line_text(s, call, &lines[i]);
	patchbay_str *list = s->host->alloc(call, (2 * taken + 1) * sizeof(*list));
	for (size_t i = 0; list && i < taken; i++) {
		list[2 * i] = PATCHBAY_S(" ");
		list[2 * i + 1] = events[i]->id;
	}
	if (list)
		ids = patchbay_join(s->host, call, list, 2 * taken);
	parts[0] = patchbay_fmt(s->host, call, "*%zu events* in one message, since so many were waiting\n", taken);
	parts[n_parts++] = patchbay_fmt(s->host, call, "_events%.*s_", (int)ids.n, ids.p);
	ret->text = patchbay_join(s->host, call, parts, n_parts);
	ret->blocks = PATCHBAY_S("");
	ret->n_events = taken;
}
