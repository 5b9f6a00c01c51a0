/* supervisor.c - see supervisor.h. One thread, which waits: for signals, for the end of the worker, for descriptors
 * that it is to keep; and looks ten times in a second whether a call has become hopeless. */
#include "daemon/supervisor.h"

#include "base/clock.h"
#include "base/log.h"
#include "daemon/manager.h"
#include "guard/internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 100
#define PAUSED_NS (10 * LOOK_MS * NS_PER_MS) /* who looks so late was not running, nor was the worker perhaps */
#define PATIENCE_NS (2 * NS_PER_S)           /* for a call that was held up in this way to return after all */
#define SILENT_NS (10 * NS_PER_S)            /* of the intake, whose turns take milliseconds */
#define KILL_NS (2 * NS_PER_S)               /* for a thread that was told to die to write down where it was */
#define SETTLED_NS (10 * NS_PER_S)           /* who has run for so long has started well */
#define DELAY_FIRST_MS 50
#define DELAY_LONGEST_MS 1000 /* of who had come that far, */
#define DELAY_FAILED_MS 10000 /* and of who could not start */

struct supervisor {
	int (*work)(void *ctx);
	void *ctx;
	sigset_t workers;  /* what is blocked for it: what comes before it can wait for signals waits, too */
	int signals, kept; /* descriptors */
	pid_t worker;
	int64_t began_ns;
	int hung;        /* the slot because of which it is being ended; -1 none */
	int64_t kill_ns; /* when it is ended without being asked; 0 never */
	int64_t looked_ns;
	int64_t patient_ns; /* until then no call is hopeless */
	bool stopping;
	struct manager manager;
	unsigned quick_ends; /* in a row, without a plugin to blame */
};

/* ---- The worker */

static int be_worker(struct supervisor *s, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* what has no supervisor must not hold the journal */
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, "patchbay-worker");
	close(s->signals);
	notify_close(&s->manager.notify);
	guard_keep_worker();
	sigprocmask(SIG_SETMASK, &s->workers, NULL);
	return s->work(s->ctx);
}

/* 1: this is the worker, *ret_status is its exit status. 0: the supervisor. -1: there is none. */
static int start(struct supervisor *s, int *ret_status)
{
	pid_t parent = getpid();
	s->hung = -1;
	s->kill_ns = 0;
	s->began_ns = clock_steady_ns();
	atomic_store(&guard_board->ready, false);
	atomic_store(&guard_board->ending, false);
	guard_life_begins();
	s->worker = fork();
	if (s->worker == 0) {
		*ret_status = be_worker(s, parent);
		return 1;
	}
	if (s->worker == -1)
		log_error("cannot start a process: %s", strerror(errno));
	return s->worker == -1 ? -1 : 0;
}

/* A debugger, or SIGSTOP, holds all of it. */
static bool is_held(pid_t pid)
{
	char path[64], text[512], *end;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = '\0';
	end = strrchr(text, ')');
	return end && (end[2] == 'T' || end[2] == 't');
}

static void end_hopeless(struct supervisor *s)
{
	int64_t now = clock_steady_ns();
	if (now - s->looked_ns > PAUSED_NS)
		s->patient_ns = now + PATIENCE_NS;
	s->looked_ns = now;
	if (s->worker <= 0)
		return;
	if ((s->kill_ns && now >= s->kill_ns) || guard_is_stuck(now)) {
		kill(s->worker, SIGKILL);
		return;
	}
	bool dying = atomic_load(&guard_board->crash.tid) != 0;
	int slot = s->hung == -1 && !dying ? guard_hung(now) : -1;
	pid_t stuck = slot == -1 && !dying && !s->kill_ns ? manager_stuck(s->worker, GUARD_INTAKE, SILENT_NS) : 0;
	if (slot == -1 && !stuck)
		return;
	if (is_held(s->worker))
		s->patient_ns = now + PATIENCE_NS;
	if (now < s->patient_ns)
		return;
	s->hung = slot;
	s->kill_ns = now + KILL_NS;
	if (stuck)
		log_error("nothing is taken in any more: the intake has been at one thing for %lld s",
			  (long long)(SILENT_NS / NS_PER_S));
	syscall(SYS_tgkill, s->worker, stuck ? stuck : atomic_load(&guard_board->slots[slot].tid), SIGABRT);
}

/* True: it has ended, with *ret_status. The first process of a container is given others' orphans, too. */
static bool has_ended(const struct supervisor *s, int *ret_status)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		if (pid != s->worker)
			continue;
		*ret_status = status;
		return true;
	}
	return false;
}

/* ---- Between two workers */

static int64_t delay_ms(struct supervisor *s, bool blamed)
{
	int64_t longest = atomic_load(&guard_board->ending) ? DELAY_FAILED_MS : DELAY_LONGEST_MS;
	if (blamed || clock_steady_ns() - s->began_ns > SETTLED_NS)
		s->quick_ends = 0;
	if (blamed || s->quick_ends++ == 0)
		return 0;
	int64_t ms = DELAY_FIRST_MS << (s->quick_ends < 10 ? s->quick_ends - 2 : 8);
	return ms < longest ? ms : longest;
}

static void say(const struct guard_obituary *about, const char *then)
{
	bool blamed = about->plugin[0], sink = about->side == GUARD_SINK, no_instance = about->side == GUARD_PLUGIN;
	const struct log_about of = { .source = blamed && !sink && !no_instance ? about->instance : NULL,
				      .sink = blamed && sink ? about->instance : NULL,
				      .plugin = blamed ? about->plugin : NULL,
				      .event = about->has_event ? &about->event : NULL };
	log_about(LOG_LEVEL_ERROR, &of, "%s%s", about->sentence, then);
}

/* The worker has ended. True: that was all; *ret_status is what to exit with. */
static bool is_over(struct supervisor *s, int status, bool ever_ready, int64_t *ret_delay_ms, int *ret_status)
{
	struct guard_obituary about;
	bool by_itself = WIFEXITED(status) && atomic_load(&guard_board->ending);
	if (by_itself && (WEXITSTATUS(status) == 0 || s->stopping || !ever_ready)) {
		*ret_status = WEXITSTATUS(status);
		return true;
	}
	guard_keep_take();
	bool blamed = guard_bury(status, s->hung, &about);
	*ret_delay_ms = delay_ms(s, blamed);
	if (s->stopping) {
		say(&about, "; patchbay was stopping: what it had accepted is in the journal");
		*ret_status = 1;
		return true;
	}
	if (!ever_ready && !blamed) {
		log_error("cannot start: %s", about.sentence);
		*ret_status = 1;
		return true;
	}
	atomic_fetch_add(&guard_board->restarts, 1);
	char next[64] = "; the next one is started";
	if (*ret_delay_ms)
		snprintf(next, sizeof next, "; the next one is started in %lld ms", (long long)*ret_delay_ms);
	say(&about, next);
	return false;
}

/* ---- Signals */

static void take_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;
	while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			s->stopping = true;
		if (s->worker > 0)
			kill(s->worker, (int)info.ssi_signo);
	}
}

void supervisor_signals(sigset_t *ret)
{
	struct sigaction hangup;
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
		sigaddset(ret, SIGHUP);
}

static int catch_signals(struct supervisor *s, struct err *err)
{
	sigset_t mine;
	signal(SIGPIPE, SIG_IGN); /* who reads the log may have gone */
	supervisor_signals(&mine);
	sigaddset(&mine, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mine, NULL);
	sigprocmask(SIG_BLOCK, NULL, &s->workers);
	sigdelset(&s->workers, SIGCHLD);
	s->signals = signalfd(-1, &mine, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals == -1 ? err_set(err, "cannot wait for signals: %s", strerror(errno)) : 0;
}

static void wait_for_something(struct supervisor *s, int64_t ms)
{
	struct pollfd fds[] = { { .fd = s->signals, .events = POLLIN }, { .fd = s->kept, .events = POLLIN } };
	if (poll(fds, 2, (int)(ms < LOOK_MS ? ms : LOOK_MS)) > 0 && fds[1].revents)
		guard_keep_take();
	take_signals(s);
	manager_look(&s->manager, s->worker, s->stopping);
}

/* ---- All of it */

static int supervise(struct supervisor *s)
{
	bool ever_ready = false;
	int status = 0, result = 0;
	int64_t delay = 0;
	for (;;) {
		for (int64_t until = clock_steady_ns() + delay * NS_PER_MS, left;
		     !s->stopping && (left = until - clock_steady_ns()) > 0;)
			wait_for_something(s, left / NS_PER_MS + 1);
		if (s->stopping) /* there is nothing that would have to be stopped */
			return 0;
		int role = start(s, &result);
		if (role == 1)
			return result;
		delay = DELAY_FAILED_MS;
		if (role == -1)
			continue;
		while (!has_ended(s, &status)) {
			wait_for_something(s, LOOK_MS);
			end_hopeless(s);
			ever_ready |= atomic_load(&guard_board->ready);
		}
		s->worker = 0;
		manager_look(&s->manager, 0, s->stopping); /* the next one may be ready before the next look */
		ever_ready |= atomic_load(&guard_board->ready);
		if (is_over(s, status, ever_ready, &delay, &result))
			return result;
	}
}

int supervisor_run(int (*work)(void *ctx), void *ctx)
{
	struct supervisor s = { .work = work, .ctx = ctx, .hung = -1, .signals = -1 };
	struct err err;
	manager_open(&s.manager);
	bool stores = s.manager.notify.fd != -1;
	if (guard_open(&err) != 0 ||
	    (s.kept = guard_keep_open(stores ? manager_store : NULL, &s.manager, &err)) == -1 ||
	    catch_signals(&s, &err) != 0) {
		log_error("cannot start: %s", err.text);
		return 1;
	}
	return supervise(&s);
}
