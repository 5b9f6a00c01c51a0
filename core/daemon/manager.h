/* manager.h - the service manager that has started this process, if there is one: systemd, or whatever speaks as it
 * does. It is told when the worker is ready, reloads and stops, in one line what it does, and, where it asks for that
 * (WatchdogSec=), that it is well. Sockets that it hands over (LISTEN_FDS) are kept under the names that
 * listener_open() asks for; a duplicate of each socket that the worker opens by itself is given to it
 * (FileDescriptorStoreMax=), so that connections wait for the next start rather than be refused.
 *
 * All of it is for the supervisor, which has one thread. Without a service manager it does nothing. */
#ifndef DAEMON_MANAGER_H
#define DAEMON_MANAGER_H

#include "daemon/notify.h"
#include "guard/guard.h"

#include <stdint.h>
#include <sys/types.h>

struct manager {
	struct notify notify;
	int64_t watchdog_ns; /* how often it wants to hear; 0: it does not watch */
	int64_t fed_ns, unready_ns;
	bool ready, reloading, stopping; /* what it was told */
	uint32_t reloads;
	char status[160];
};

/* Takes over what it hands over; reads the environment, and takes out of it what is for this process only. To be called
 * before any descriptor is opened. */
void manager_open(struct manager *);
/* For guard_keep_open(). */
void manager_store(void *manager, const char *name, int fd);
/* Tells it what has changed. To be called several times a second. worker: 0 none. */
void manager_look(struct manager *, pid_t worker, bool stopping);
/* Has this thread of the worker given no sign for so long that it is stuck? Not if a disk, a debugger or SIGSTOP holds
 * it: another worker would be no better off. Returns its id; 0: it is well. */
pid_t manager_stuck(pid_t worker, enum guard_vital, int64_t for_ns);

#endif
