/* recover.h - what the last worker left behind when it crashed. */
#ifndef DAEMON_RECOVER_H
#define DAEMON_RECOVER_H

#include "config/config.h"
#include "journal/journal.h"

/* The request that a source's plugin crashed with goes into quarantine, from where `patchbay reverify` brings it back
 * once the plugin is mended: its sender may not send it again. Says in the log what it could not keep. [control] */
void recover_request(const struct config *, struct journal *);

#endif
