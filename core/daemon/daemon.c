/* daemon.c - start, signals, stop. */
#include "daemon/daemon.h"

#include "admin/admin.h"
#include "base/log.h"
#include "base/mem.h"
#include "deliver/dispatcher.h"
#include "http/intake.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)

struct parts {
	const struct config *config;
	struct instance **sources;
	struct intake *intake;
	struct journal *journal;
	struct dispatcher *dispatcher;
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

static int start_journal(struct parts *p, struct err *err)
{
	const struct config *c = p->config;
	struct journal_options options = {
		.path = c->journal,
		.retention_age_ms = c->retention.age_ms,
		.retention_bytes = c->retention.size_bytes,
		.quarantine_bytes = c->retention.quarantine_bytes,
		.dedupe_window_ms = dedupe_window_ms(c),
		.decided = intake_decided,
		.ctx = p->intake,
	};
	p->journal = journal_open(&options, err);
	return p->journal ? 0 : -1;
}

static int start(struct parts *p, struct err *err)
{
	if (start_sources(p, err) != 0 || !(p->intake = intake_create(p->config, p->sources, err)) || start_journal(p, err) != 0)
		return -1;
	p->dispatcher = dispatcher_start(p->journal, p->config, err);
	if (!p->dispatcher || intake_start(p->intake, p->journal, err) != 0)
		return -1;
	if (p->config->admin)
		p->admin = admin_start(p->config->admin, p->intake, p->journal, p->dispatcher, err);
	return p->config->admin && !p->admin ? -1 : 0;
}

static void stop(struct parts *p)
{
	admin_stop(p->admin);
	intake_stop(p->intake);
	dispatcher_stop(p->dispatcher);
	journal_close(p->journal);
	intake_destroy(p->intake);
	for (size_t i = 0; p->sources && i < p->config->n_sources; i++)
		instance_destroy(p->sources[i]);
	free(p->sources);
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
		log_info("ready: %zu sources, %zu sinks, %zu routes, journal %s", config->n_sources, config->n_sinks, config->n_routes,
		         config->journal);
		int caught;
		while (sigwait(&ends, &caught) == EINTR)
			;
		log_info("stopping: %s", strsignal(caught));
	}
	stop(&parts);
	if (result == 0)
		log_info("stopped");
	return result;
}
