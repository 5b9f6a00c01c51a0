/* control.h - a socket in the journal's folder, by which commands ask the running daemon to do something that takes its
 * journal or its environment. Only the daemon's user, and root, may connect.
 *
 * A client sends one line, "reverify SOURCE", "reverify SOURCE dry-run", "reload", "alarm TYPE", or "prune older MS" or
 * "prune size BYTES", behind which "quarantine" and "dry-run" may stand; and is sent JSON objects, one on
 * each line; the last one has "result": "end", or "result": "error" with a sentence in "why". Then the connection is
 * closed. */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "base/err.h"
#include "daemon/parts.h"

struct control;

/* Listens; without that the daemon does all that it must, so a socket that cannot be had is only said in the log. The
 * journal must be open already: its lock is what makes sure that there is one daemon. NULL: err. [control] */
struct control *control_create(struct parts *, struct err *err);
/* Serves one client at a time, in a thread of its own, which may change the parts from now on. Not 0: err. [control] */
int control_start(struct control *, struct err *err);
/* Has that thread reload the configuration, soon. [any thread] */
void control_reload(struct control *);
/* Ends what is under way between two requests. NULL is fine. [control] */
void control_stop(struct control *);

/* For a client: connects to the daemon that has this journal. -1: there is none, or it does not listen; err. */
int control_connect(const char *journal_folder, struct err *err);

#endif
