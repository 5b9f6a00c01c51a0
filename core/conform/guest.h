/* guest.h - an instance of the plugin at a host of the kit's own: its clock, deadline, services and HTTP are what the
 * test wants them to be. Each call is announced before, and looked at afterwards. */
#ifndef CONFORM_GUEST_H
#define CONFORM_GUEST_H

#include "conform/http_fake.h"
#include "conform/kit.h"

#define GUEST_NOON_NS (INT64_C(1767268800) * 1000000000) /* 2026-01-01T12:00:00Z: what time it is */

struct guest {
	patchbay_host host; /* the first member: what the plugin hands back is the guest */
	struct kit *kit;
	enum side side;
	const struct config_secrets *secrets;
	const void *options;
	void *self;
	patchbay_call call; /* of every call that is made one after the other */
	uint64_t lines;     /* that it logged */
};

/* check() by itself. OK where there is none. *ret_said: what it explained, in the kit's memory. */
patchbay_status guest_check(struct kit *, enum side, const void *options, patchbay_str *ret_said);
/* An instance from options of the caller's; anything but OK: there is none, and call.why says why. */
patchbay_status guest_create(struct guest *, struct kit *, enum side, const void *options,
			     const struct config_secrets *);
/* The instance that the guessed options give; fails if there is none. */
void guest_open(struct guest *, struct kit *, enum side, int variant);
void guest_close(struct guest *);

patchbay_str guest_why(const struct guest *); /* what the last call explained */
void guest_begin(struct guest *, int64_t timeout_ms);

/* By the side's slot; NULL: it has no such ability. */
const void *guest_ability(struct kit *, enum side, const char *id);

#endif
