/* clients.h - inside the enricher: the sources that can fetch details, each with an instance of its own. After a reload
 * those that are the same are shared by the old set and the new one. */
#ifndef FETCH_CLIENTS_H
#define FETCH_CLIENTS_H

#include "fetch/enricher.h"
#include "source/live.h"

#include <patchbay/fetch.h>

struct client {
	struct live *live;
	patchbay_enrich ability;
};

struct enricher_change { /* all that can be asked, from some time on */
	struct client *v;
	size_t n;
};

/* Takes over from `last` (NULL: nothing) those that did not change, and makes instances of the others. NULL: there are
 * faults, and nothing is left of it. enricher_abandon() frees it. [control] */
struct enricher_change *clients_create(struct generation *, const struct enricher_change *last, struct faults *);
/* Who can be asked about this event; NULL: nobody. */
const struct client *clients_find(const struct enricher_change *, const struct journal_record *);

#endif
