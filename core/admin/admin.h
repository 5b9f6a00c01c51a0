/* admin.h - what machines ask the daemon, on the `admin` address: /health and /metrics. Never on `listen`. */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "alarm/alarms.h"
#include "base/err.h"
#include "config/config.h"
#include "deliver/dispatcher.h"
#include "fetch/enricher.h"
#include "fetch/poller.h"
#include "http/intake.h"
#include "journal/journal.h"

#include <stdatomic.h>

struct admin;

struct admin_reloads { /* of the configuration, since the start */
	_Atomic uint64_t ok, refused, generation;
	_Atomic int64_t last_ms; /* wall clock: when the one at work was taken up */
};

struct admin_parts { /* what it tells about; all must outlive the admin server */
	struct intake *intake;
	struct journal *journal;
	struct dispatcher *dispatcher;
	struct poller *poller;
	struct enricher *enricher;
	const struct admin_reloads *reloads;
	struct alarms *alarms;
};

/* NULL: err. */
struct admin *admin_start(const struct config_address *, const struct admin_parts *, struct err *err);
void admin_stop(struct admin *); /* NULL is fine */
const char *admin_address(const struct admin *);

#endif
