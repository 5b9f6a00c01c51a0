/* daemon.h - the parts, wired together: starts them in the order of the way of an event, back to front, and stops them
 * front to back, so that nothing is taken in that could not be kept. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "base/err.h"
#include "config/config.h"
#include "http/intake.h"
#include "journal/journal.h"

/* Runs until SIGTERM or SIGINT. 0: stopped as asked; -1: could not start. Call it before any thread is made. */
int daemon_run(const struct config *, struct err *err);

/* The journal as this configuration wants it, for whoever may be alone with it. intake: NULL if only
 * journal_append_wait() will be used. */
struct journal *daemon_open_journal(const struct config *, struct intake *, struct err *err);

#endif
