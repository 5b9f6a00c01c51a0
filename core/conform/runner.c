/* runner.c - forks, limits, waits. The parent never loads the plugin: nothing that it does can reach the report. */
#include "conform/runner.h"

#include "base/clock.h"
#include "base/mem.h"
#include "conform/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S 10
#define LIMIT_SANITIZED 6 /* times as much */
#define MEMORY_MAX ((rlim_t)4 << 30)
#define FILE_MAX ((rlim_t)256 << 20)

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static void remove_tree(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int runner_init(struct runner *runner, const struct conform_order *order)
{
	const char *base = getenv("TMPDIR");

	*runner = (struct runner){ .order = order };
	runner->folder = xasprintf("%s/patchbay-check-XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(runner->folder)) {
		fprintf(stderr,
			"patchbay plugin check: cannot make a folder in %s: %s; set TMPDIR to one that can be "
			"written to\n",
			base && *base ? base : "/tmp", strerror(errno));
		free(runner->folder);
		return -1;
	}
	runner->shared = mmap(NULL, sizeof(*runner->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (runner->shared == MAP_FAILED) {
		fprintf(stderr, "patchbay plugin check: no memory: %s\n", strerror(errno));
		remove_tree(runner->folder);
		free(runner->folder);
		return -1;
	}
	return 0;
}

void runner_fini(struct runner *runner)
{
	remove_tree(runner->folder);
	free(runner->folder);
	munmap(runner->shared, sizeof(*runner->shared));
}

static void make_folders(const struct runner *runner)
{
	static const char *const names[] = { "work", "work-b" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = xasprintf("%s/%s", runner->folder, names[i]);
		remove_tree(path);
		mkdir(path, 0700);
		free(path);
	}
}

static uint64_t seed_of(const struct conform_order *order, const struct conform_test *test)
{
	uint64_t h = order->seed ^ UINT64_C(0xcbf29ce484222325);

	for (const char *p = test->name; *p; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

/* The test itself, wherever it runs. */
static void run_here(const struct runner *runner, const struct conform_test *test)
{
	struct kit *kit = xcalloc(1, sizeof(*kit));

	kit->order = runner->order;
	kit->folder = runner->folder;
	kit->shared = runner->shared;
	kit->random = seed_of(runner->order, test);
	kit->clock_ns = GUEST_NOON_NS;
	kit->began_ns = clock_steady_ns();
	kit->left_ms = -1;
	if (setjmp(kit->end) == 0) {
		if (test->needs != NEEDS_FILE)
			kit_load(kit);
		test->run(kit);
		runner->shared->verdict = VERDICT_PASS;
	}
	fflush(stdout);
	for (int i = 0; i < 4; i++)
		config_free(kit->config[i / 2][i % 2]);
	arena_fini(&kit->memory);
	free(kit);
}

static void limit(int what, rlim_t value)
{
	struct rlimit now;

	if (getrlimit(what, &now) == 0) {
		now.rlim_cur = now.rlim_max < value ? now.rlim_max : value;
		(void)setrlimit(what, &now);
	}
}

noreturn static void be_child(const struct runner *runner, const struct conform_test *test, int output)
{
	setpgid(0, 0);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	close(output);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, FILE_MAX);
	if (!KIT_SANITIZED)
		limit(RLIMIT_AS, MEMORY_MAX);
	run_here(runner, test);
	_exit(0);
}

/* False: it had to be killed. */
static bool wait_for(pid_t child, int limit_s, int *ret_status)
{
	int fd = pidfd_open(child, 0);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int64_t until = clock_steady_ns() + limit_s * NS_PER_S;
	bool ended = false;

	for (int64_t left = 1; fd >= 0 && !ended && left > 0;) {
		left = (until - clock_steady_ns()) / NS_PER_MS;
		ended = poll(&poll_fd, 1, left > 0 ? (int)left : 0) == 1;
	}
	if (!ended)
		kill(child, SIGKILL);
	while (waitpid(child, ret_status, 0) < 0 && errno == EINTR)
		;
	kill(-child, SIGKILL); /* what it may have started */
	if (fd >= 0)
		close(fd);
	return ended;
}

/* What the child printed, on one line. */
static void read_output(int output, char *out, size_t size)
{
	ssize_t n = pread(output, out, size - 1, 0);

	out[n > 0 ? n : 0] = '\0';
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p == 0x7f)
			*p = ' ';
}

static const char *sanitizer_says(const char *output)
{
	const char *at = strstr(output, "ERROR: ");

	if (!at)
		at = strstr(output, "WARNING: ThreadSanitizer");
	if (!at)
		at = strstr(output, "runtime error");
	return at;
}

/* It did not come to its end: why. */
static void explain_end(struct result *result, const struct shared *shared, bool in_time, int status, int limit_s,
			const char *output)
{
	const char *calling = shared->calling[0] ? shared->calling : "the test itself";
	char *text;

	result->verdict = VERDICT_FAIL;
	if (!in_time) {
		text = xasprintf("did not return within %d s: %s; every call must come back by its deadline", limit_s,
				 calling);
	} else if (WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));
		text = xasprintf("crashed with SIG%s in %s", name ? name : "?", calling);
	} else if (WEXITSTATUS(status) == EXIT_FORBIDDEN && shared->sentence[0]) {
		text = xasprintf("made the system call %s in %s, which must not wait, nor touch files or the network",
				 shared->sentence, calling);
	} else if (sanitizer_says(output)) {
		text = xasprintf("crashed, as a sanitizer says, in %s: %.400s", calling, sanitizer_says(output));
	} else {
		text = xasprintf("ended the whole process, with exit status %d, in %s; a plugin must never do that: it "
				 "returns a status instead",
				 WEXITSTATUS(status), calling);
	}
	snprintf(result->sentence, sizeof(result->sentence), "%s", text);
	free(text);
}

static void fail_sanitized(struct result *result, const char *output)
{
	result->verdict = VERDICT_FAIL;
	snprintf(result->sentence, sizeof(result->sentence), "a sanitizer says: %s", sanitizer_says(output));
}

static void take(struct result *result, const struct shared *shared)
{
	result->verdict = shared->verdict;
	memcpy(result->sentence, shared->sentence, sizeof(result->sentence));
	memcpy(result->info, shared->info, sizeof(result->info));
	memcpy(result->state, shared->state, sizeof(result->state));
	memcpy(result->secret, shared->secret, sizeof(result->secret));
}

static void run_apart(struct runner *runner, const struct conform_test *test, struct result *result)
{
	int limit_s = (test->limit_s ? test->limit_s : LIMIT_S) * (KIT_SANITIZED ? LIMIT_SANITIZED : 1);
	int output = memfd_create("output", MFD_CLOEXEC), status = 0;
	char printed[600];

	fflush(NULL);
	pid_t child = output < 0 ? -1 : fork();
	if (child == 0)
		be_child(runner, test, output);
	if (child < 0) {
		snprintf(result->sentence, sizeof(result->sentence), "the test could not be started: %s",
			 strerror(errno));
		result->verdict = VERDICT_FAIL;
	} else {
		bool in_time = wait_for(child, limit_s, &status);
		read_output(output, printed, sizeof(printed));
		take(result, runner->shared);
		if (result->verdict == VERDICT_NONE)
			explain_end(result, runner->shared, in_time, status, limit_s, printed);
		else if (KIT_SANITIZED && sanitizer_says(printed)) /* and went on */
			fail_sanitized(result, printed);
		else if (printed[0])
			snprintf(result->printed, sizeof(result->printed), "%s printed: %s",
				 runner->shared->printed[0] ? runner->shared->printed : "something", printed);
	}
	if (output >= 0)
		close(output);
}

void runner_run(struct runner *runner, const struct conform_test *test, struct result *result)
{
	struct shared *shared = runner->shared;
	int64_t began = clock_steady_ns();

	*result = (struct result){ .test = test };
	shared->verdict = VERDICT_NONE;
	shared->sentence[0] = shared->info[0] = shared->calling[0] = '\0';
	shared->state[0] = shared->printed[0] = shared->secret[0] = '\0';
	make_folders(runner);
	if (runner->order->in_process) {
		run_here(runner, test);
		take(result, shared);
	} else {
		run_apart(runner, test, result);
	}
	result->took_ms = (clock_steady_ns() - began) / NS_PER_MS;
}
