/* live.h - sources that posts come to, or that are asked for details: each with its instance, shared by the intake and
 * the requests that it has not verified yet, say, so that those end with what they began with when the configuration
 * changes. */
#ifndef SOURCE_LIVE_H
#define SOURCE_LIVE_H

#include "config/fault.h"
#include "plugin/generation.h"
#include "plugin/host.h"

struct pulse { /* what came to a source: counts since the start, whatever became of its configuration */
	_Atomic uint64_t genuine, refused, malformed; /* understood; not authentic; authentic, but not understood */
	atomic_uint refs;
};
struct pulse *pulse_ref(struct pulse *);
void pulse_unref(struct pulse *); /* NULL is fine. [any thread] */

struct live {
	const struct config_source *source;
	struct instance *instance;
	struct generation *generation; /* whose source that is */
	struct pulse *pulse;           /* that of its predecessor, in a set */
	atomic_uint refs;
};

struct live_set { /* all sources of one configuration, in its order */
	struct generation *generation;
	struct live **v;
	size_t n;
};

/* Takes over from `last` (NULL: nothing) those that did not change, and makes instances of the others. NULL: there are
 * faults, and nothing is left of it. [control] */
struct live_set *live_set_create(struct generation *, const struct live_set *last, struct faults *);
void live_set_destroy(struct live_set *); /* NULL is fine */
struct live *live_set_find(const struct live_set *, const char *name);

/* With an instance of its own. NULL: there is a fault. [control] */
struct live *live_create(struct generation *, const struct config_source *, struct faults *);
/* Does it do what this source of another configuration would do? Else that one is to be made. */
bool live_is_same(const struct live *, const struct config_source *);
struct live *live_ref(struct live *);
void live_unref(struct live *); /* NULL is fine. The last one destroys the instance. [any thread] */

#endif
