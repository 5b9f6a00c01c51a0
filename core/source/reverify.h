/* reverify.h - requests that were refused, or not understood, are verified and parsed once more, after a secret, a list
 * of addresses or a plugin was mended; those that pass now are admitted, oldest first and once each, as if they had
 * passed then. What the journal has already, from a retry of the provider's say, is not made again. */
#ifndef SOURCE_REVERIFY_H
#define SOURCE_REVERIFY_H

#include "config/config.h"
#include "journal/journal.h"
#include "plugin/host.h"

#include <stdatomic.h>
#include <stdint.h>

struct reverify_counts { /* as in the last line, see below */
	uint64_t admitted, events, here, nothing, fails, before;
	bool live_refuses;
};

struct reverify {
	struct journal *journal;
	const struct config_source *source; /* as it is configured now; an instance is made of it */
	/* The running daemon's, which may still have the old secret. NULL: no daemon, or it does not know the source.
	 */
	const struct config_source *live_source;
	const struct instance *live;
	bool dry_run;                /* only say what would be done */
	const atomic_bool *stopping; /* or NULL */
	/* One JSON object, without a line's end. False: nobody listens any more, stop. For each request:
	 *   {"request": ID, "received": TIME, "result": "admitted"|"here"|"nothing"|"fails", "events": [ID...], "why":
	 * TEXT} admitted: why says what proved it authentic; here: `events` are those that the journal had; nothing:
	 * authentic, but it brings no event. Then, unless there was an error:
	 *   {"result": "end", "admitted": N, "events": N, "here": N, "nothing": N, "fails": N, "before": N,
	 *    "dry_run": BOOL, "live_refuses": BOOL}
	 * before: admitted by an earlier run; live_refuses: the running daemon would refuse at least one of them still.
	 */
	bool (*say)(void *ctx, patchbay_str json);
	void *ctx;
	struct reverify_counts *ret_counts; /* or NULL */
};

/* What was done until an error stays done, and is not done again. [any thread that may block] */
int reverify_run(const struct reverify *, struct err *err);

#endif
