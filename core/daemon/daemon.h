/* daemon.h - the parts, wired together: starts them in the order of the way of an event, back to front, and stops them
 * front to back, so that nothing is taken in that could not be kept. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "base/err.h"
#include "config/config.h"
#include "http/intake.h"
#include "journal/journal.h"

/* The worker: loads that routes.yaml, with its faults on stderr, and runs until SIGTERM or SIGINT; SIGHUP loads it
 * again, unless it comes because its terminal is gone. 0: stopped as asked; -1: could not start (err->text is empty if
 * the faults say why). To be called before any thread is made. */
int daemon_run(const char *path, struct err *err);

/* The journal as this configuration wants it, for whoever may be alone with it. intake: NULL if only
 * journal_append_wait() will be used. */
struct journal *daemon_open_journal(const struct config *, struct intake *, struct err *err);

#endif
