/* admin.h - what machines ask the daemon, on the `admin` address: /health and /metrics. Never on `listen`. */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "base/err.h"
#include "config/config.h"
#include "deliver/dispatcher.h"
#include "http/intake.h"
#include "journal/journal.h"

struct admin;

/* All must outlive the admin server. NULL: err. */
struct admin *admin_start(const struct config_address *, struct intake *, struct journal *, struct dispatcher *, struct err *err);
void admin_stop(struct admin *); /* NULL is fine */
const char *admin_address(const struct admin *);

#endif
