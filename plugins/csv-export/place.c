/* place.c - file names and the checkpoint's text: `v1 STATE OFFSET live|part COLUMNS INODE NUMBER FOLDER BASE`. */
#include "place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const state_names[] = { "none", "new", "open" };

uint32_t place_folder(const char *pattern)
{
	uint32_t n = 0;
	for (uint32_t i = 0; pattern[i] && pattern[i] != '%'; i++)
		if (pattern[i] == '/')
			n = i + 1;
	return n;
}

bool place_move(struct place *place, const char *pattern)
{
	uint32_t folder = place_folder(pattern);
	size_t rest = strlen(place->base + place->folder);
	if ((folder == place->folder && memcmp(place->base, pattern, folder) == 0) || folder + rest > PLACE_BASE_MAX)
		return false;
	memmove(place->base + folder, place->base + place->folder, rest + 1);
	memcpy(place->base, pattern, folder);
	place->folder = folder;
	return true;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the pattern is the operator's */

bool place_set_base(struct place *place, const char *pattern, int64_t now_ns)
{
	time_t now = (time_t)(now_ns / INT64_C(1000000000));
	struct tm tm;
	size_t n = gmtime_r(&now, &tm) ? strftime(place->base, sizeof(place->base), pattern, &tm) : 0;
	if (n == 0)
		place->base[0] = 0;
	return n > 0;
}

#pragma GCC diagnostic pop

void place_name(const struct place *place, const char *suffix, char out[PLACE_NAME_MAX])
{
	const char *file = strrchr(place->base, '/');
	file = file ? file + 1 : place->base;
	const char *dot = strrchr(file, '.');
	int stem = (int)(dot && dot != file ? (size_t)(dot - place->base) : strlen(place->base));
	if (place->number > 1)
		snprintf(out, PLACE_NAME_MAX, "%.*s-%" PRIu32 "%s%s", stem, place->base, place->number,
			 place->base + stem, suffix);
	else
		snprintf(out, PLACE_NAME_MAX, "%s%s", place->base, suffix);
}

void place_current_name(const struct place *place, char out[PLACE_NAME_MAX])
{
	place_name(place, place->part ? ".part" : "", out);
}

size_t place_format(const struct place *place, char out[PLACE_TEXT_MAX])
{
	int n = place->state == PLACE_NONE
			? snprintf(out, PLACE_TEXT_MAX, "v1 none")
			: snprintf(out, PLACE_TEXT_MAX,
				   "v1 %s %" PRId64 " %s %016" PRIx64 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %s",
				   state_names[place->state], place->offset, place->part ? "part" : "live",
				   place->columns, place->inode, place->number, place->folder, place->base);
	return (size_t)n;
}

bool place_parse(patchbay_str text, struct place *place)
{
	char copy[PLACE_TEXT_MAX + 1], state[8], mode[8];
	int behind = 0;
	*place = (struct place){ 0 };
	if (text.n > PLACE_TEXT_MAX || memchr(text.p, 0, text.n))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = 0;
	if (strcmp(copy, "v1 none") == 0)
		return true;
	if (sscanf(copy, "v1 %7s %" SCNd64 " %7s %" SCNx64 " %" SCNu64 " %" SCNu32 " %" SCNu32 "%n", state,
		   &place->offset, mode, &place->columns, &place->inode, &place->number, &place->folder,
		   &behind) != 7 ||
	    copy[behind] != ' ')
		return false;
	place->state = strcmp(state, "new") == 0 ? PLACE_NEW : strcmp(state, "open") == 0 ? PLACE_OPEN : PLACE_NONE;
	place->part = strcmp(mode, "part") == 0;
	const char *base = copy + behind + 1;
	if (place->state == PLACE_NONE || place->offset < 0 || place->number == 0 || !*base ||
	    strlen(base) > PLACE_BASE_MAX || place->folder > strlen(base))
		return false;
	strcpy(place->base, base);
	return true;
}
