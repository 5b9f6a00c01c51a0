/* handed.h - listening sockets that a service manager hands over (LISTEN_FDS): from a socket unit, or from its store,
 * where an earlier run of this program left them. */
#ifndef DAEMON_HANDED_H
#define DAEMON_HANDED_H

#include "config/config.h"

/* Keeps them by their addresses, and takes out of the environment what said so. [supervisor] */
void handed_take(void);
/* Lets go what was stored and is not listened on any more, before anybody binds another address of that port; and warns
 * of what a socket unit hands over in vain. [worker] */
void handed_release(const struct config *);

#endif
