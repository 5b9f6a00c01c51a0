/* place.h - where rows go, as remembered in the checkpoint: which file, and how much of it is settled. */
#ifndef CSV_EXPORT_PLACE_H
#define CSV_EXPORT_PLACE_H

#include <patchbay/plugin.h>

#define PLACE_BASE_MAX 3800
#define PLACE_NAME_MAX (PLACE_BASE_MAX + 32)
#define PLACE_TEXT_MAX 4096 /* the contract's limit for a checkpoint */

enum place_state {
	PLACE_NONE, /* no file at hand */
	PLACE_NEW,  /* a name is claimed; the file gets it together with its first rows */
	PLACE_OPEN, /* `offset` bytes of the file are settled, what stands behind them is not */
};

struct place {
	int32_t state;
	bool part;        /* the file is called `name.part` until it is handed over */
	int64_t offset;
	uint64_t columns; /* hash of what the file's rows look like */
	uint64_t inode;   /* of the file */
	uint32_t folder;  /* bytes of base that are the pattern's folder: elsewhere after the folder was moved */
	uint32_t number;  /* 1: `base` itself, 2: base-2, ... */
	char base[PLACE_BASE_MAX + 1];
};

/* How much of a pattern is its folder: up to the last '/' before the first '%'. */
uint32_t place_folder(const char *pattern);
/* Puts the folder of this pattern in the place of the one that base had. False: it is the same, or too long. */
bool place_move(struct place *, const char *pattern);
/* Fills base from the pattern (strftime, UTC). False: too long, or empty. */
bool place_set_base(struct place *, const char *pattern, int64_t now_ns);
/* "/x/a.csv" and number 2: "/x/a-2.csv", with suffix ("" ".part" ".tmp") behind it. */
void place_name(const struct place *, const char *suffix, char out[PLACE_NAME_MAX]);
void place_current_name(const struct place *, char out[PLACE_NAME_MAX]); /* of the open file */

size_t place_format(const struct place *, char out[PLACE_TEXT_MAX]); /* returns its length */
bool place_parse(patchbay_str text, struct place *ret);

#endif
