/* generation.h - one state of routes.yaml. After a reload, what was made from an earlier state may still be at work,
 * and uses that state's options: so whoever uses one holds a reference to it. */
#ifndef PLUGIN_GENERATION_H
#define PLUGIN_GENERATION_H

#include "config/config.h"

#include <stdatomic.h>

struct generation {
	const struct config *config;
	struct config *owned; /* the same, if it is freed with the last reference */
	int text;             /* a copy of the file, as it was read; -1 none */
	atomic_uint refs;
};

struct reload_counts { /* of sources, or of sinks: what became of them */
	unsigned kept, replaced, added, removed;
};

/* Finds the plugins and reads the file. NULL: there is an error among the faults; free them in any case. A plugin's
 * file that was refused, though nothing names it, is a warning. */
struct generation *generation_load(const char *path, struct config_faults *);
/* The one that the last process had, before it crashed: its text, and its builds of the plugins, whatever became of the
 * files since. NULL: there is none, or an error among the faults. */
struct generation *generation_load_kept(const char *path, struct config_faults *);
/* Should this process crash, that is the one to go on with. [one thread] */
void generation_keep(const struct generation *);
struct generation *generation_ref(struct generation *); /* returns it */
void generation_unref(struct generation *);             /* NULL is fine */

#endif
