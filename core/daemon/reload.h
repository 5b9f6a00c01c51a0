/* reload.h - takes up a changed routes.yaml, changed secrets and changed plugins while everything runs. All of it is
 * loaded and made beside what is at work, and only if nothing is wrong takes its place; what did not change goes on,
 * what is under way finishes as it began. */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include "daemon/parts.h"

struct reload {
	struct parts *parts;
	const atomic_bool *stopping; /* it is not taken up any more then */
	/* One JSON object, without a line's end, for each fault and warning
	 *   {"result": "fault"|"warning", "text": "routes.yaml:3:5: what is wrong; what to do"}
	 * and one at the end
	 *   {"result": "end", "reloaded": BOOL, "file": PATH, "generation": N, "plugins_loaded": N,
	 *    "sources": {"kept": N, "replaced": N, "added": N, "removed": N}, "sinks": the same} */
	bool (*say)(void *ctx, patchbay_str json);
	void *ctx;
};

/* Everything is in the log as well. [control] */
void reload_run(const struct reload *);
/* Frees what has ended since. True: something is about to, so call it again soon. [control] */
bool reload_tidy(struct parts *);

#endif
