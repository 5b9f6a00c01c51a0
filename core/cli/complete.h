/* complete.h - what a shell asks while a command line is typed. `patchbay complete WORD...`, for shells only, prints
 * what the last WORD can become: one on each line, with what there is to say about it behind a tab; or ":files" or
 * ":folders", which the shell knows better. Options come from the very tables that parse them (args.h), so this cannot
 * fall behind.
 *
 * No secret is read, nothing is said about errors, and nothing is changed. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "base/str.h"
#include "cli/args.h"

/* From now on args_parse() completes instead, and nothing reaches stderr. */
void complete_begin(void);
bool complete_begun(void);
/* Prints a word, if it begins with what is typed. about: of its first line; NULL is fine. */
void complete_offer(const char *typed, const char *word, const char *about);
/* The last of argv is what is typed, the others stand before it. Returns the exit status, 0. */
int complete_args(const struct args *, int argc, char **argv);

/* ---- complete_values.c: operands, and the values of options */

enum complete_kind {
	COMPLETE_FILE,
	COMPLETE_FOLDER,
	COMPLETE_NOTHING, /* a number, a time, a name of one's own */
	COMPLETE_SOURCE,
	COMPLETE_SINK,
	COMPLETE_PLUGIN,
	COMPLETE_EVENT, /* that the source which stands before it can play */
	COMPLETE_ID,
	COMPLETE_DEAD_ID,
	COMPLETE_CLASS,
};

/* config: the file on the line, or the default. before: the operand before this one, or NULL. */
void complete_value(enum complete_kind, const char *typed, const char *config, const char *before);

#endif
