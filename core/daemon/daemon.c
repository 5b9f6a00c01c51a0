/* daemon.c - start, signals, stop. */
#include "daemon/daemon.h"

#include "admin/admin.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/control.h"
#include "daemon/recover.h"
#include "deliver/dispatcher.h"
#include "fetch/enricher.h"
#include "fetch/poller.h"
#include "guard/guard.h"
#include "http/intake.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)

struct parts {
	const struct config *config;
	struct instance **sources;
	struct intake *intake;
	struct journal *journal;
	struct dispatcher *dispatcher;
	struct enricher *enricher;
	struct poller *poller;
	struct control *control;
	struct admin *admin;
};

/* Dedupe must remember for longer than any provider retries. */
static int64_t dedupe_window_ms(const struct config *c)
{
	int64_t longest = DAY_MS;
	for (size_t i = 0; i < c->n_sources; i++) {
		const patchbay_provider *p = c->sources[i].plugin->source->provider;
		int64_t horizon = p ? (int64_t)p->retry_horizon_s * 2000 : 0;
		if (horizon > longest)
			longest = horizon;
	}
	return longest;
}

static int start_sources(struct parts *p, struct err *err)
{
	const struct config *c = p->config;
	p->sources = xcalloc(c->n_sources + 1, sizeof *p->sources);
	for (size_t i = 0; i < c->n_sources; i++) {
		const struct config_source *s = &c->sources[i];
		p->sources[i] = instance_create(s->plugin, false, s->name, s->options, &s->secrets, err);
		if (!p->sources[i])
			return -1;
	}
	return 0;
}

struct journal *daemon_open_journal(const struct config *c, struct intake *intake, struct err *err)
{
	struct journal_options options = {
		.path = c->journal,
		.retention_age_ms = c->retention.age_ms,
		.retention_bytes = c->retention.size_bytes,
		.quarantine_bytes = c->retention.quarantine_bytes,
		.dedupe_window_ms = dedupe_window_ms(c),
		.decided = intake ? intake_decided : NULL,
		.ctx = intake,
	};
	return journal_open(&options, err);
}

/* Without it the daemon does all that it must, so that is no reason not to start. */
static void start_control(struct parts *p)
{
	struct err err;
	p->control = control_start(p->config, p->sources, p->journal, &err);
	if (!p->control)
		log_warning("no control socket, so `patchbay reverify` works only while the daemon is stopped: %s",
			    err.text);
}

static int start(struct parts *p, struct err *err)
{
	const struct config *c = p->config;
	if (start_sources(p, err) != 0 || !(p->intake = intake_create(c, p->sources, err)) ||
	    !(p->journal = daemon_open_journal(c, p->intake, err)))
		return -1;
	if (!(p->enricher = enricher_start(p->journal, c, err)) ||
	    !(p->dispatcher = dispatcher_start(p->journal, c, err)) || !(p->poller = poller_start(p->journal, c, err)))
		return -1;
	recover_request(c, p->journal);
	start_control(p);
	const struct admin_parts told = { .intake = p->intake,
					  .journal = p->journal,
					  .dispatcher = p->dispatcher,
					  .poller = p->poller,
					  .enricher = p->enricher };
	if (c->admin)
		p->admin = admin_start(c->admin, &told, err);
	if (c->admin && !p->admin)
		return -1;
	guard_ready(); /* before anybody can have been answered */
	return intake_start(p->intake, p->journal, err);
}

/* Returns how many calls into plugins never came back: what they may use must stay. */
static size_t stop(struct parts *p)
{
	size_t stuck = 0;
	poller_ask_to_stop(p->poller);
	enricher_ask_to_stop(p->enricher);
	admin_stop(p->admin);
	control_stop(p->control);
	intake_stop(p->intake);
	stuck += poller_stop(p->poller);
	stuck += enricher_stop(p->enricher);
	stuck += dispatcher_stop(p->dispatcher);
	journal_close(p->journal);
	intake_destroy(p->intake);
	for (size_t i = 0; p->sources && i < p->config->n_sources; i++)
		instance_destroy(p->sources[i]);
	free(p->sources);
	return stuck;
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int daemon_run(const struct config *config, struct err *err)
{
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	struct sigaction hangup;
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) /* as under nohup */
		sigaddset(&ends, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &ends, NULL); /* threads inherit it: only sigwait() below sees them */
	signal(SIGPIPE, SIG_IGN);
	umask(0027); /* events are nobody else's business */
	raise_descriptor_limit();

	struct parts parts = { .config = config };
	int result = start(&parts, err);
	if (result == 0) {
		for (size_t i = 0; intake_address(parts.intake, i); i++)
			log_info("listening on %s", intake_address(parts.intake, i));
		if (parts.admin)
			log_info("admin on %s", admin_address(parts.admin));
		log_info("ready: %zu sources, %zu sinks, %zu routes, journal %s", config->n_sources, config->n_sinks,
			 config->n_routes, config->journal);
		int caught;
		while (sigwait(&ends, &caught) == EINTR)
			;
		log_info("stopping: %s", strsignal(caught));
	}
	size_t stuck = stop(&parts);
	if (result == 0)
		log_info("stopped");
	if (stuck) { /* all that matters is on disk; there is no safe way to take the rest down */
		if (result != 0)
			log_error("cannot start: %s", err->text);
		_exit(result == 0 ? 0 : 1);
	}
	return result;
}
