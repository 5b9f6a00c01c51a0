/* supervisor.h - the process that `patchbay serve` starts as: it does no work itself, and so does not crash. All is
 * done by its child, the worker, which has the plugins. When that ends by itself, or must be ended because a call into
 * a plugin does not return, the supervisor finds out whose fault it was (guard/guard.h), and starts the next one: at
 * once if it was a plugin's, after growing delays otherwise. The sockets that are listened on stay open meanwhile.
 *
 * One process for each instance of a plugin would contain more, but every event and every request would have to be
 * carried over and back, and what plugins are given and hand back is made for one address space. A service manager
 * alone restarts as well, but later, with the sockets closed unless it holds them, and without knowing what to leave
 * out. */
#ifndef DAEMON_SUPERVISOR_H
#define DAEMON_SUPERVISOR_H

#include <signal.h>

/* Runs `work` in a child of this process, which must have one thread only, until it has ended by itself or as told to
 * by a signal. Returns the exit status. */
int supervisor_run(int (*work)(void *ctx), void *ctx);

/* What it hands on to the worker: SIGTERM, SIGINT and SIGHUP, but not a SIGHUP that is ignored, as under nohup. */
void supervisor_signals(sigset_t *ret);

#endif
