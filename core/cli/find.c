/* find.c - see find.h. */
#include "cli/find.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_MARGIN_NS (NS_PER_S * 120) /* an id is made a little before or after its record */

struct found {
	const char *digits;
	struct id id; /* of the first one */
	size_t n;
};

/* The digits of an id or of its beginning, without hyphens, in lower case. False: that is none. */
static bool parse_prefix(const char *text, char out[33])
{
	size_t n = 0;
	for (; *text; text++) {
		char c = *text >= 'A' && *text <= 'F' ? (char)(*text - 'A' + 'a') : *text;
		if (c == '-')
			continue;
		if (n == 32 || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n >= FIND_DIGITS_MIN;
}

/* Takes note of this id, if it begins so, and is not the one that was found already. */
static void consider(struct found *found, const struct id *id)
{
	char text[ID_TEXT_SIZE], digits[33];
	id_format(id, text);
	if (!parse_prefix(text, digits) || strncmp(digits, found->digits, strlen(found->digits)) != 0)
		return;
	if (found->n && memcmp(&found->id, id, sizeof(*id)) == 0)
		return;
	if (!found->n++)
		found->id = *id;
}

/* The earliest time that an id with these digits can be of. */
static int64_t prefix_time_ns(const char *digits)
{
	char padded[33], *end = NULL;
	snprintf(padded, sizeof(padded), "%.12s000000000000", digits);
	padded[12] = '\0';
	return (int64_t)strtoull(padded, &end, 16) * NS_PER_MS;
}

typedef int read_backward(struct journal_reader *, struct journal_pos *, struct journal_record *, struct err *);

/* Looks from the newest back to the time of the prefix. */
static void search(struct view *view, read_backward *next, struct journal_pos pos, struct found *found)
{
	struct journal_record record;
	struct err err = { 0 };
	int64_t not_before = prefix_time_ns(found->digits) - ID_MARGIN_NS;
	struct journal_pos before = pos;
	for (int got; (got = next(view->reader, &pos, &record, &err)) != 0;) {
		if (got < 0 && journal_pos_cmp(pos, before) == 0)
			break; /* not even passed over */
		before = pos;
		if (got < 0)
			continue;
		if (view_came_before(&record, not_before))
			break;
		if (view_is_entry(&record))
			consider(found, &record.id);
	}
}

static bool consider_dead(void *ctx, const struct journal_dead *dead)
{
	consider(ctx, &dead->id);
	return true;
}

int find_id(struct view *view, const char *text, struct id *ret, struct err *err)
{
	char digits[33];
	struct found found = { .digits = digits };
	struct journal_dead_filter dead = { 0 };
	if (id_parse(str_c(text), ret))
		return 0;
	if (!parse_prefix(text, digits))
		return err_set(err, "'%s' is no event id, nor the first %d or more digits of one", text,
			       FIND_DIGITS_MIN);
	search(view, journal_read_before, journal_end(view->journal), &found);
	search(view, journal_read_refused, (struct journal_pos){ 0 }, &found);
	if (!found.n && journal_dead(view->journal, &dead, consider_dead, &found, err) < 0)
		return -1; /* it may be on record still, though the event itself is not */
	if (found.n > 1)
		return err_set(err, "the ids of %zu events begin with '%s': more digits, please", found.n, text);
	if (!found.n)
		return err_set(err, "no event's id begins with '%s'; `patchbay events` lists them", text);
	*ret = found.id;
	return 0;
}
