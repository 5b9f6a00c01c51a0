/* guess.h - what to write into routes.yaml for a plugin of which nothing is known but its table of options. */
#ifndef CONFORM_GUESS_H
#define CONFORM_GUESS_H

#include "conform/kit.h"

struct guess {
	const patchbay_plugin *plugin;
	enum side side;
	const struct conform_order *order; /* what was set by hand, and the seed */
	const char *folder;                /* for paths */
	int variant;                       /* 0, 1: other secrets, other paths */
	int attempt;                       /* 0.. guess_attempts() - 1: what else to try when a plugin refuses */
};

int guess_attempts(const patchbay_plugin *, enum side);
/* A whole routes.yaml with one source or sink, called "tried". */
void guess_write(const struct guess *, struct buf *out);
/* Is this "[source.|sink.]option=value", with an option that the plugin has? Else err says what is wrong. */
int guess_set_ok(const patchbay_plugin *, const char *set, struct err *err);

#endif
