/* What the log says of a sink: not a line for each event or for each time that its destination goes down, but one about
 * whatever lasts. Time can be moved: --wrap=clock_steady_ns, clock_wall_ns, pthread_cond_timedwait. */
#include "dispatcher_rig.h"

#include "base/log.h"

#include <fcntl.h>

#define DOWN "sink s0: nothing can be delivered now: the script says so"
#define WORKS "sink s0: works again"
#define DEAD "sink s0: an event is a dead letter now (event): the script says so"

static _Atomic int64_t moved_ns; /* how far the clocks are ahead of the true ones */
static _Atomic int64_t status;   /* what the sink answers */

int64_t __real_clock_steady_ns(void);
int64_t __wrap_clock_steady_ns(void);
int64_t __wrap_clock_steady_ns(void)
{
	return __real_clock_steady_ns() + atomic_load(&moved_ns);
}

int64_t __real_clock_wall_ns(void);
int64_t __wrap_clock_wall_ns(void);
int64_t __wrap_clock_wall_ns(void)
{
	return __real_clock_wall_ns() + atomic_load(&moved_ns);
}

/* None waits for long: the time may have been moved. */
int __real_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
	struct timespec soon;
	(void)until;
	clock_gettime(CLOCK_MONOTONIC, &soon);
	int64_t ns = soon.tv_sec * NS_PER_S + soon.tv_nsec + 2 * NS_PER_MS;
	soon = (struct timespec){ ns / NS_PER_S, ns % NS_PER_S };
	return __real_pthread_cond_timedwait(cond, lock, &soon);
}

static patchbay_status as_told(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)n, (void)times, (void)act;
	return (patchbay_status)atomic_load(&status);
}

/* ---- All that was logged */

static int saved_stderr, read_end;
static struct buf text;

static const char *logged(void)
{
	char piece[4096];
	for (ssize_t n; (n = read(read_end, piece, sizeof piece)) > 0;)
		buf_add(&text, piece, (size_t)n);
	return buf_cstr(&text);
}

static unsigned count(const char *words)
{
	unsigned n = 0;
	for (const char *at = logged(); (at = strstr(at, words)); at++)
		n++;
	return n;
}

static int setup_log(void **state)
{
	int fds[2];
	atomic_store(&moved_ns, 0);
	if (setup(state) != 0 || pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0)
		return -1;
	saved_stderr = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	read_end = fds[0];
	scripts[0].decide = as_told;
	t.sinks[0].timeout_ms = INT64_C(30) * 86400000; /* so that moving the time makes no call late */
	return 0;
}

static int teardown_log(void **state)
{
	int r = teardown(state);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(read_end);
	buf_free(&text);
	return r;
}

static void pass_11_s(void)
{
	atomic_fetch_add(&moved_ns, 11 * NS_PER_S);
}

/* ---- */

static void what_comes_and_goes_is_told_of_once_but_what_stays_is_told_of(void **state)
{
	char id[ID_TEXT_SIZE], wanted[200];
	(void)state;
	atomic_store(&status, PATCHBAY_DOWN);
	start();
	append(1);
	AWAIT(count(DOWN) == 1);
	id_format(&t.ids[0], id);
	snprintf(wanted, sizeof wanted, "\" event=%s sink=s0 plugin=scripted\n", id);
	assert_non_null(strstr(logged(), wanted));
	atomic_store(&status, PATCHBAY_OK);
	AWAIT(count(WORKS) == 1);
	for (int i = 0; i < 5; i++) {
		atomic_store(&status, PATCHBAY_DOWN);
		append(1);
		AWAIT(stats(0).trouble_since_ms != 0);
		if (i == 4)
			break;
		atomic_store(&status, PATCHBAY_OK);
		AWAIT(stats(0).trouble_since_ms == 0);
	}
	assert_int_equal(count(DOWN), 1);
	assert_int_equal(count(WORKS), 1); /* of what nobody was told that it was down */
	pass_11_s();
	AWAIT(count(DOWN) == 2);
	assert_non_null(strstr(logged(), " left_out="));
	atomic_store(&status, PATCHBAY_OK);
	AWAIT(count(WORKS) == 2);
}

static void dead_letters_are_not_all_told_of(void **state)
{
	(void)state;
	atomic_store(&status, PATCHBAY_EBADEVENT);
	t.sinks[0].batch_events = 1;
	start();
	append(50);
	AWAIT(stats(0).dead == 50);
	assert_int_equal(count(DEAD), 1);
	pass_11_s();
	append(1);
	AWAIT(count(DEAD) == 2);
	assert_non_null(strstr(logged(), " left_out=49\n"));
}

static void a_level_of_the_plugin_counts_for_what_is_said_about_its_sinks(void **state)
{
	struct log_plugin_level levels[] = { { "scripted", LOG_LEVEL_ERROR } };
	(void)state;
	log_configure(&(struct log_settings){ .level = LOG_LEVEL_DEBUG, .plugins = levels, .n_plugins = 1 });
	atomic_store(&status, PATCHBAY_DOWN);
	start();
	append(1);
	AWAIT(stats(0).trouble_since_ms != 0);
	atomic_store(&status, PATCHBAY_OK);
	AWAIT(stats(0).trouble_since_ms == 0);
	log_configure(&(struct log_settings){ .level = LOG_LEVEL_INFO });
	assert_null(strstr(logged(), "sink s0"));
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup_log, teardown_log)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(what_comes_and_goes_is_told_of_once_but_what_stays_is_told_of),
		LOG_TEST(dead_letters_are_not_all_told_of),
		LOG_TEST(a_level_of_the_plugin_counts_for_what_is_said_about_its_sinks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
