/* admin.h - what machines ask the daemon, on the `admin` address: /health and /metrics. Never on `listen`. */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "base/err.h"
#include "config/config.h"
#include "deliver/dispatcher.h"
#include "fetch/enricher.h"
#include "fetch/poller.h"
#include "http/intake.h"
#include "journal/journal.h"

struct admin;

struct admin_parts { /* what it tells about; all must outlive the admin server */
	struct intake *intake;
	struct journal *journal;
	struct dispatcher *dispatcher;
	struct poller *poller;
	struct enricher *enricher;
};

/* NULL: err. */
struct admin *admin_start(const struct config_address *, const struct admin_parts *, struct err *err);
void admin_stop(struct admin *); /* NULL is fine */
const char *admin_address(const struct admin *);

#endif
