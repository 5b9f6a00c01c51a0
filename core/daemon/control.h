/* control.h - a socket in the journal's folder, by which commands ask the running daemon to do something that takes its
 * journal or its environment. Only the daemon's user, and root, may connect.
 *
 * A client sends one line, "reverify SOURCE" or "reverify SOURCE dry-run", and is sent JSON objects, one on each line;
 * the last one has "result": "end", or "result": "error" with a sentence in "why". Then the connection is closed. */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "base/err.h"
#include "config/config.h"
#include "journal/journal.h"
#include "plugin/host.h"

struct control;

/* Serves one client at a time, in a thread of its own. `sources`: instances in the order of config->sources. The
 * journal must be open already: its lock is what makes sure that there is one daemon. NULL: err. [control] */
struct control *control_start(const struct config *, struct instance *const *sources, struct journal *,
			      struct err *err);
/* Ends what is under way between two requests. NULL is fine. [control] */
void control_stop(struct control *);

/* For a client: connects to the daemon that has this journal. -1: there is none, or it does not listen; err. */
int control_connect(const char *journal_folder, struct err *err);

#endif
