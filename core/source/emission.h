/* emission.h - from what a plugin emits (parsing a request, or polling) to records for the journal. */
#ifndef SOURCE_EMISSION_H
#define SOURCE_EMISSION_H

#include "config/config.h"
#include "journal/journal.h"

struct emission {
	/* the caller's */
	const struct config_source *source;
	patchbay_call *call;           /* the one that emits */
	struct journal_ticket *ticket; /* gets the records */
	int64_t received_ns;
	patchbay_str client, note; /* of every record */
	/* Instead of the ticket, if set: may change the record, which is gone when it returns. */
	void (*take)(void *ctx, struct journal_record *);
	void *ctx;
	/* results */
	uint32_t n;
	const char *fault; /* what was wrong with an event; nothing that was emitted counts then. Static text */
};

patchbay_emitter emission_emitter(struct emission *);

#endif
