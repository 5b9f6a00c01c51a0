/* router.h - which events go to which sinks: the routes of a configuration, with their `when` compiled.
 * A router belongs to one thread. It compiles a `when` when it first needs it, once for each distinct text. */
#ifndef DELIVER_ROUTER_H
#define DELIVER_ROUTER_H

#include "base/call.h"
#include "config/config.h"

struct router;

#define ROUTER_ALL_SINKS ((size_t)-1)

/* Of the routes that lead to that sink, or of all. The configuration must outlive the router. */
struct router *router_create(const struct config *, size_t sink_index);
void router_destroy(struct router *); /* NULL is fine */

enum router_outcome {
	ROUTER_MATCHED,     /* goes to the sink */
	ROUTER_NOT_ROUTED,  /* no route leads it there */
	ROUTER_WHEN_FAILED, /* no route leads it there, but the `when` of one could not be evaluated */
};

/* The call must have been begun for this event (what is evaluated is kept in it). *ret_route (ret_route may be
 * NULL) is set for ROUTER_MATCHED only: the first route that matches; it is the configuration's. *ret_why is set
 * for ROUTER_WHEN_FAILED only: the route, and what went wrong; it lives as long as the call. */
enum router_outcome router_match(struct router *, patchbay_call *, const patchbay_delivery *,
				 const struct config_route **ret_route, patchbay_str *ret_why);

/* ---- For showing a person how an event is routed: every route by itself. */

enum router_reason {
	ROUTER_OK,
	ROUTER_OTHER_SOURCE,
	ROUTER_OTHER_TYPE,
	ROUTER_TEST_EVENT, /* and the route does not say `test: true` */
	ROUTER_WHEN_FALSE,
	ROUTER_WHEN_ERROR, /* explained in the call */
};
size_t router_count(const struct router *);
const struct config_route *router_route(const struct router *, size_t i);
enum router_reason router_check(struct router *, size_t i, patchbay_call *, const patchbay_delivery *);
const char *router_reason_text(enum router_reason); /* "the type does not match" */

#endif
