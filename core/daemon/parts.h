/* parts.h - what the daemon consists of; daemon.c starts and stops it, reload.c changes it while it runs. */
#ifndef DAEMON_PARTS_H
#define DAEMON_PARTS_H

#include "admin/admin.h"
#include "alarm/alarms.h"
#include "deliver/dispatcher.h"
#include "fetch/enricher.h"
#include "fetch/poller.h"
#include "http/intake.h"
#include "plugin/generation.h"
#include "source/live.h"

struct control;

struct parts {
	const char *path;         /* of routes.yaml */
	struct generation *first; /* what cannot change while it runs is as its configuration says */
	struct live_set *sources; /* this and what follows: [control], that is, the thread `control` while it runs */
	struct intake *intake;
	struct journal *journal;
	struct dispatcher *dispatcher;
	struct enricher *enricher;
	struct poller *poller;
	struct alarms *alarms;
	struct control *control;
	struct admin *admin;
	struct admin_reloads reloads;
};

/* The journal's options as this configuration wants them. */
struct journal_options daemon_journal_options(const struct config *, struct intake *);

#endif
