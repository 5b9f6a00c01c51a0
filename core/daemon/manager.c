/* manager.c - see manager.h. */
#include "daemon/manager.h"

#include "base/clock.h"
#include "base/log.h"
#include "daemon/handed.h"
#include "guard/internal.h"
#include "http/listener.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SILENCE_NS (10 * NS_PER_S) /* of a thread that is at work */
#define START_NS (90 * NS_PER_S)   /* for a worker that takes the place of another */
#define PLURAL(n) ((n) == 1 ? "" : "s")

/* ---- The environment */

static int64_t number_from(const char *name)
{
	const char *text = getenv(name);
	char *end;
	errno = 0;
	long long n = text && *text ? strtoll(text, &end, 10) : -1;
	return n >= 0 && errno == 0 && *end == '\0' ? n : -1;
}

void manager_open(struct manager *m)
{
	static const char *const own[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID" };
	struct err err;
	*m = (struct manager){ .watchdog_ns = 0 };
	handed_take(); /* before a number that is spoken of may become another descriptor */
	if (notify_open(&m->notify, getenv("NOTIFY_SOCKET"), &err) != 0)
		log_warning("the service manager is not told how it goes: %s", err.text);
	int64_t us = number_from("WATCHDOG_USEC"), pid = number_from("WATCHDOG_PID");
	if (us > 0 && us < INT64_MAX / 1000 && (!getenv("WATCHDOG_PID") || pid == getpid()))
		m->watchdog_ns = us * 1000 / 2;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		unsetenv(own[i]); /* plugins may start processes */
}

/* ---- Sockets */

static void store_name(const char *name, char *out, size_t size)
{
	size_t n = 0;
	for (; name[n] && n + 1 < size; n++)
		out[n] = name[n] == ':' ? '-' : name[n] < ' ' || name[n] > '~' ? '_' : name[n];
	out[n] = '\0';
}

void manager_store(void *manager, const char *name, int fd)
{
	const struct manager *m = manager;
	char lines[300], stored[256];
	const char *port = strrchr(name, ':');
	if (strncmp(name, LISTENER_PREFIX, strlen(LISTENER_PREFIX)) != 0 || (port && strcmp(port, ":0") == 0))
		return; /* whoever asks for any port does so again */
	store_name(name, stored, sizeof stored);
	snprintf(lines, sizeof lines, "%s=1\nFDNAME=%s", fd == -1 ? "FDSTOREREMOVE" : "FDSTORE", stored);
	if (!notify_send(&m->notify, lines, fd))
		log_warning("%s is not kept by the service manager over a restart: %s", name, strerror(errno));
}

/* ---- Is it well? */

/* R, S, D, T, ...; 0: it is gone. */
static char state_of(pid_t process, pid_t thread)
{
	char path[64], text[512];
	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)process, (int)thread);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = '\0';
	const char *end = strrchr(text, ')');
	return end && end[1] ? end[2] : '\0';
}

static int64_t patience_ns(const struct manager *m)
{
	return m->watchdog_ns && m->watchdog_ns < SILENCE_NS ? m->watchdog_ns : SILENCE_NS;
}

static pid_t silent(enum guard_vital vital, int64_t for_ns)
{
	int64_t since_ns = guard_silent_since(vital);
	return since_ns && clock_steady_ns() - since_ns > for_ns ? atomic_load(&guard_board->life.vital[vital].tid) : 0;
}

pid_t manager_stuck(pid_t worker, enum guard_vital vital, int64_t for_ns)
{
	pid_t thread = silent(vital, for_ns);
	return thread && !strchr("DTt", state_of(worker, thread)) ? thread : 0;
}

/* A disk that does not answer is no reason to start anew: the next one would wait for it as well, behind a process that
 * cannot even be killed, and posts would not be answered meanwhile. A process that somebody has stopped is. */
static bool is_well(struct manager *m, pid_t worker)
{
	int64_t now = clock_steady_ns();
	if (worker <= 0) /* the supervisor knows what it waits for */
		return true;
	if (!atomic_load(&guard_board->ready)) {
		m->unready_ns = m->unready_ns ? m->unready_ns : now;
		return now - m->unready_ns < START_NS;
	}
	m->unready_ns = 0;
	for (enum guard_vital vital = 0; vital < GUARD_VITALS; vital++) {
		pid_t thread = silent(vital, patience_ns(m));
		if (thread && state_of(worker, thread) != 'D')
			return false;
	}
	return true;
}

/* ---- Telling */

static void add(char *lines, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void add(char *lines, size_t size, const char *fmt, ...)
{
	size_t n = strlen(lines);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(lines + n, size - n, fmt, ap);
	va_end(ap);
}

static void describe(const struct manager *m, pid_t worker, bool stopping, char *out, size_t size)
{
	const struct guard_life *life = &guard_board->life;
	uint64_t waiting = atomic_load(&life->waiting), sources = atomic_load(&life->sources),
		 sinks = atomic_load(&life->sinks), routes = atomic_load(&life->routes);
	bool ready = worker > 0 && atomic_load(&guard_board->ready);
	if (stopping && waiting)
		snprintf(out, size, "stopping: %" PRIu64 " request%s in flight", waiting, PLURAL(waiting));
	else if (stopping)
		snprintf(out, size, "stopping: what the sinks are at is finished");
	else if (ready && silent(GUARD_INTAKE, patience_ns(m)))
		snprintf(out, size, "nothing is taken in: the worker does not move");
	else if (ready && silent(GUARD_COMMITTER, patience_ns(m)))
		snprintf(out, size, "nothing is taken in: the journal's disk does not answer");
	else if (ready)
		snprintf(out, size, "%" PRIu64 " source%s, %" PRIu64 " sink%s, %" PRIu64 " route%s%s", sources,
			 PLURAL(sources), sinks, PLURAL(sinks), routes, PLURAL(routes),
			 atomic_load(&life->reload_refused) ? "; the last reload was refused, see the log" : "");
	else if (m->ready)
		snprintf(out, size, "the worker crashed, the next is starting");
	else
		snprintf(out, size, "starting");
}

static void add_reload(struct manager *m, char *lines, size_t size)
{
	uint32_t begun = atomic_load(&guard_board->life.reloads_begun);
	if (begun == m->reloads)
		return;
	m->reloads = begun;
	m->reloading = true;
	add(lines, size, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=reloading", clock_steady_ns() / 1000);
	m->status[0] = '\0';
	notify_send(&m->notify, lines, -1); /* by itself: it may be over already */
	lines[0] = '\0';
}

static void add_stages(struct manager *m, pid_t worker, bool stopping, char *lines, size_t size)
{
	const struct guard_life *life = &guard_board->life;
	bool ready = worker > 0 && atomic_load(&guard_board->ready);
	if (stopping && !m->stopping) {
		add(lines, size, "STOPPING=1\n");
		m->stopping = true;
	}
	if (stopping || !ready)
		return;
	if (!m->ready) {
		m->reloads = atomic_load(&life->reloads_begun);
		add(lines, size, "READY=1\n");
		m->ready = true;
	}
	add_reload(m, lines, size);
	if (m->reloading && atomic_load(&life->reloads_ended) == atomic_load(&life->reloads_begun)) {
		add(lines, size, "READY=1\n");
		m->reloading = false;
	}
}

void manager_look(struct manager *m, pid_t worker, bool stopping)
{
	const struct manager before = *m;
	char lines[512] = "", status[sizeof m->status];
	if (m->notify.fd == -1)
		return;
	add_stages(m, worker, stopping, lines, sizeof lines);
	describe(m, worker, stopping, status, sizeof status);
	if (!m->reloading && strcmp(status, m->status) != 0) {
		add(lines, sizeof lines, "STATUS=%s\n", status);
		memcpy(m->status, status, sizeof status);
	}
	int64_t now = clock_steady_ns();
	if (m->watchdog_ns && is_well(m, worker) && now - m->fed_ns >= m->watchdog_ns) {
		add(lines, sizeof lines, "WATCHDOG=1\n");
		m->fed_ns = now;
	}
	if (lines[0] && !notify_send(&m->notify, lines, -1) && errno == EAGAIN)
		*m = before; /* it is busy: the same once more at the next look */
}
