/* daemon.c - start, signals, stop. */
#include "daemon/daemon.h"

#include "base/clock.h"
#include "base/log.h"
#include "daemon/control.h"
#include "daemon/handed.h"
#include "daemon/parts.h"
#include "daemon/recover.h"
#include "daemon/supervisor.h"
#include "guard/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)

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
	struct config_faults found = { 0 };
	struct faults faults = { .path = p->path, .list = &found };
	p->sources = live_set_create(p->first, NULL, &faults);
	if (!p->sources)
		err_set(err, "%s", found.v[0].message);
	config_faults_free(&found);
	return p->sources ? 0 : -1;
}

struct journal_options daemon_journal_options(const struct config *c, struct intake *intake)
{
	return (struct journal_options){
		.path = c->journal,
		.retention_age_ms = c->retention.age_ms,
		.retention_bytes = c->retention.size_bytes,
		.quarantine_bytes = c->retention.quarantine_bytes,
		.dedupe_window_ms = dedupe_window_ms(c),
		.decided = intake ? intake_decided : NULL,
		.ctx = intake,
	};
}

struct journal *daemon_open_journal(const struct config *c, struct intake *intake, struct err *err)
{
	const struct journal_options options = daemon_journal_options(c, intake);
	return journal_open(&options, err);
}

static int start(struct parts *p, struct err *err)
{
	const struct config *c = p->first->config;
	handed_release(c);
	if (start_sources(p, err) != 0 || !(p->intake = intake_create(p->sources, err)) ||
	    !(p->journal = daemon_open_journal(c, p->intake, err)))
		return -1;
	if (!(p->enricher = enricher_start(p->journal, p->first, err)) ||
	    !(p->dispatcher = dispatcher_start(p->journal, p->first, err)) ||
	    !(p->poller = poller_start(p->journal, p->first, err)) || !(p->control = control_create(p, err)))
		return -1;
	recover_request(c, p->journal);
	const struct alarm_parts watched = { .intake = p->intake,
					     .journal = p->journal,
					     .dispatcher = p->dispatcher,
					     .poller = p->poller,
					     .enricher = p->enricher };
	if (!(p->alarms = alarms_start(&watched, p->sources, err)))
		return -1;
	const struct admin_parts told = { .intake = p->intake,
					  .journal = p->journal,
					  .dispatcher = p->dispatcher,
					  .poller = p->poller,
					  .enricher = p->enricher,
					  .reloads = &p->reloads,
					  .alarms = p->alarms };
	if (c->admin)
		p->admin = admin_start(c->admin, &told, err);
	if (c->admin && !p->admin)
		return -1;
	generation_keep(p->first);
	guard_tell_size(c->n_sources, c->n_sinks, c->n_routes);
	guard_ready(); /* before anybody can have been answered */
	return intake_start(p->intake, p->journal, err) != 0 ? -1 : control_start(p->control, err);
}

/* Returns how many calls into plugins never came back: what they may use must stay. */
static size_t stop(struct parts *p)
{
	size_t stuck = 0;
	control_stop(p->control); /* from here on nobody changes the parts */
	poller_ask_to_stop(p->poller);
	enricher_ask_to_stop(p->enricher);
	admin_stop(p->admin);
	intake_stop(p->intake);
	alarms_stop(p->alarms);
	stuck += poller_stop(p->poller);
	stuck += enricher_stop(p->enricher);
	stuck += dispatcher_stop(p->dispatcher);
	journal_close(p->journal);
	intake_destroy(p->intake);
	live_set_destroy(p->sources);
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

/* Before anything that has something to say, such as what is wrong with the rest of the file. */
static void begin_log(const char *path)
{
	struct log_settings settings;
	config_log(path, &settings);
	log_configure(&settings);
	config_log_free(&settings);
}

static struct generation *load(const char *path)
{
	struct config_faults faults = { 0 };
	struct generation *g = guard_restarts() ? generation_load_kept(path, &faults) : NULL;
	for (size_t i = 0; !g && i < faults.n; i++) /* none, where nothing was at work yet */
		if (!faults.v[i].warning)
			log_warning("what was at work before the crash cannot be taken up again, so %s is taken as it "
				    "is now: %s",
				    path, faults.v[i].text);
	config_faults_free(&faults);
	if (g)
		return g; /* with nothing to say that was not said before */
	g = generation_load(path, &faults);
	for (size_t i = 0; i < faults.n; i++)
		if (log_is_read_by_a_person())
			fprintf(stderr, "%s\n", faults.v[i].text);
		else
			log_line(faults.v[i].warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "%s", faults.v[i].text);
	config_faults_free(&faults);
	return g;
}

static void say_ready(const struct parts *p)
{
	const struct config *c = p->first->config;
	for (size_t i = 0; intake_address(p->intake, i); i++)
		log_info("listening on %s%s", intake_address(p->intake, i), c->listen[i].tls ? " (TLS)" : "");
	if (p->admin)
		log_info("admin on %s", admin_address(p->admin));
	log_info("ready: %zu sources, %zu sinks, %zu routes, journal %s, version %s", c->n_sources, c->n_sinks,
		 c->n_routes, c->journal, PATCHBAY_VERSION);
}

static bool has_terminal(void)
{
	return isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) || isatty(STDERR_FILENO);
}

/* SIGHUP is what an operator sends for a reload, and the kernel when somebody closes the terminal that it runs in. */
static void serve(const struct parts *p, const sigset_t *signals, bool had_terminal)
{
	for (int caught;;) {
		if (sigwait(signals, &caught) == EINTR)
			continue;
		if (caught != SIGHUP || (had_terminal && !has_terminal())) {
			log_info("stopping: %s", strsignal(caught));
			return;
		}
		control_reload(p->control);
	}
}

int daemon_run(const char *path, struct err *err)
{
	sigset_t signals;
	supervisor_signals(&signals);
	pthread_sigmask(SIG_BLOCK, &signals, NULL); /* threads inherit it: only sigwait() sees them */
	signal(SIGPIPE, SIG_IGN);
	umask(0027); /* events are nobody else's business */
	raise_descriptor_limit();
	bool had_terminal = has_terminal();

	err->text[0] = '\0';
	if (!guard_restarts()) /* else it is as the last process left it */
		begin_log(path);
	struct parts parts = { .path = path, .first = load(path) };
	if (!parts.first)
		return -1;
	log_configure(&parts.first->config->log);
	parts.reloads.generation = 1;
	parts.reloads.last_ms = clock_wall_ns() / NS_PER_MS;
	int result = start(&parts, err);
	if (result == 0) {
		say_ready(&parts);
		serve(&parts, &signals, had_terminal);
	}
	size_t stuck = stop(&parts);
	if (result == 0)
		log_info("stopped");
	if (stuck) { /* all that matters is on disk; there is no safe way to take the rest down */
		if (result != 0)
			log_error("cannot start: %s", err->text);
		guard_ending();
		_exit(result == 0 ? 0 : 1);
	}
	generation_unref(parts.first);
	return result;
}
