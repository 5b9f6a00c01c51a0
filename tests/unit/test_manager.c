/* What the supervisor tells a service manager, and when it keeps silent. This one process is the manager, the
 * supervisor, and the worker, whose part of the shared memory is filled in by hand. */
#include "daemon/manager.h"

#include "base/clock.h"
#include "guard/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static int64_t passed_ns;
int64_t __real_clock_steady_ns(void);
int64_t __wrap_clock_steady_ns(void);
int64_t __wrap_clock_steady_ns(void)
{
	return __real_clock_steady_ns() + passed_ns;
}

static int inbox = -1;
static struct manager manager;

static int setup(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct err err;
	char name[64], pid[16];
	(void)state;
	if (!guard_board)
		assert_int_equal(guard_open(&err), 0);
	memset(&guard_board->life, 0, sizeof guard_board->life);
	atomic_store(&guard_board->ready, false);
	passed_ns = 0;
	snprintf(name, sizeof name, "@patchbay-manager-%d", (int)getpid());
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	inbox = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	memcpy(un.sun_path + 1, name + 1, strlen(name) - 1);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	assert_int_equal(bind(inbox, (const struct sockaddr *)&un, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "4000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "0", 1);
	setenv("LISTEN_FDNAMES", "", 1);
	manager_open(&manager);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	notify_close(&manager.notify);
	close(inbox);
	return 0;
}

/* All that has come, "" nothing; one message ends where the next begins. */
static const char *said(void)
{
	static char text[4096];
	size_t n = 0;
	for (ssize_t got; (got = recv(inbox, text + n, sizeof text - n - 1, 0)) > 0;)
		n = n + (size_t)got < sizeof text - 1 ? n + (size_t)got : 0;
	text[n] = '\0';
	return text;
}

static void look(bool stopping)
{
	manager_look(&manager, getpid(), stopping);
}

static void make_ready(void)
{
	guard_tell_size(3, 2, 4);
	atomic_store(&guard_board->ready, true);
	guard_beat(GUARD_INTAKE);
	look(false);
	said();
}

static void test_environment_is_taken(void **state)
{
	static const char *const own[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
					   "LISTEN_PID",    "LISTEN_FDS",    "LISTEN_FDNAMES" };
	(void)state;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		assert_null(getenv(own[i])); /* a child of a plugin must not speak for us */
	assert_int_equal(manager.watchdog_ns, 2 * NS_PER_S);
}

static void test_watchdog_of_somebody_else(void **state)
{
	static const char *const wrong[] = { "", "x", "-5", "5x", "0", "99999999999999999999" };
	struct manager other;
	(void)state;
	setenv("WATCHDOG_USEC", "4000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	manager_open(&other);
	assert_int_equal(other.watchdog_ns, 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		setenv("WATCHDOG_USEC", wrong[i], 1);
		manager_open(&other);
		assert_int_equal(other.watchdog_ns, 0);
	}
	setenv("WATCHDOG_USEC", "1000000", 1); /* without a PID it is for whoever reads it */
	manager_open(&other);
	assert_int_equal(other.watchdog_ns, NS_PER_S / 2);
	assert_int_equal(other.notify.fd, -1);
	manager_look(&other, getpid(), false); /* nobody is told */
	assert_string_equal(said(), "");
}

static void test_stages(void **state)
{
	(void)state;
	look(false);
	assert_string_equal(said(), "STATUS=starting\nWATCHDOG=1\n");
	guard_tell_size(3, 2, 4);
	atomic_store(&guard_board->ready, true);
	look(false);
	assert_string_equal(said(), "READY=1\nSTATUS=3 sources, 2 sinks, 4 routes\n");
	look(false);
	assert_string_equal(said(), "");
	guard_tell_waiting(2);
	look(true);
	assert_string_equal(said(), "STOPPING=1\nSTATUS=stopping: 2 requests in flight\n");
	guard_tell_waiting(1);
	look(true);
	assert_string_equal(said(), "STATUS=stopping: 1 request in flight\n");
	guard_tell_waiting(0);
	look(true);
	assert_string_equal(said(), "STATUS=stopping: what the sinks are at is finished\n");
}

static void test_manager_is_busy(void **state)
{
	struct manager other = manager;
	(void)state;
	while (notify_send(&other.notify, "X=1\n", -1))
		;
	atomic_store(&guard_board->ready, true);
	look(false); /* its inbox is full */
	assert_null(strstr(said(), "READY=1"));
	look(false);
	assert_non_null(strstr(said(), "READY=1\n"));
}

static void test_worker_between_two(void **state)
{
	(void)state;
	make_ready();
	atomic_store(&guard_board->ready, false);
	manager_look(&manager, 0, false);
	assert_string_equal(said(), "STATUS=the worker crashed, the next is starting\n");
	guard_life_begins();
	atomic_store(&guard_board->ready, true);
	look(false);
	assert_string_equal(said(), "STATUS=3 sources, 2 sinks, 4 routes\n"); /* READY=1 holds */
}

static void test_reload(void **state)
{
	const char *text;
	(void)state;
	make_ready();
	guard_reload_begins();
	look(false);
	text = said();
	assert_int_equal(strncmp(text, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	assert_non_null(strstr(text, "\nSTATUS=reloading"));
	assert_null(strstr(text, "READY=1"));
	guard_tell_size(1, 1, 1);
	guard_reload_ends(true);
	look(false);
	assert_string_equal(said(), "READY=1\nSTATUS=1 source, 1 sink, 1 route\n");
	guard_reload_begins(); /* and over before anybody looks */
	guard_reload_ends(false);
	look(false);
	text = said();
	assert_int_equal(strncmp(text, "RELOADING=1\n", 12), 0);
	assert_non_null(strstr(text, "READY=1\nSTATUS=1 source, 1 sink, 1 route; the last reload was refused"));
}

static void test_reload_that_crashes(void **state)
{
	(void)state;
	make_ready();
	guard_reload_begins();
	look(false);
	said();
	atomic_store(&guard_board->ready, false);
	manager_look(&manager, 0, false);
	guard_life_begins();
	atomic_store(&guard_board->ready, true);
	look(false);
	assert_non_null(strstr(said(), "READY=1\n")); /* or it would be reloading for ever */
}

static bool is_fed_after(int64_t ns)
{
	passed_ns += ns;
	look(false);
	return strstr(said(), "WATCHDOG=1\n") != NULL;
}

static void test_watchdog(void **state)
{
	(void)state;
	make_ready();
	assert_false(is_fed_after(NS_PER_S));
	guard_beat(GUARD_INTAKE);
	assert_true(is_fed_after(NS_PER_S + NS_PER_MS));
	assert_false(is_fed_after(3 * NS_PER_S)); /* no sign since */
	assert_false(is_fed_after(3 * NS_PER_S));
	guard_beat(GUARD_INTAKE);
	assert_true(is_fed_after(0));
	guard_rest(GUARD_INTAKE);
	guard_beat(GUARD_COMMITTER);
	assert_false(is_fed_after(5 * NS_PER_S));
	guard_rest(GUARD_COMMITTER); /* waits for work */
	assert_true(is_fed_after(0));
	assert_true(is_fed_after(3600 * NS_PER_S));
}

static void test_watchdog_while_there_is_no_worker(void **state)
{
	(void)state;
	make_ready();
	atomic_store(&guard_board->ready, false);
	passed_ns += 10 * NS_PER_S;
	manager_look(&manager, 0, false);
	assert_non_null(strstr(said(), "WATCHDOG=1\n"));
	assert_true(is_fed_after(10 * NS_PER_S));   /* the next one starts, */
	assert_false(is_fed_after(100 * NS_PER_S)); /* and does not get anywhere */
}

static void test_stuck(void **state)
{
	(void)state;
	guard_beat(GUARD_INTAKE);
	assert_int_equal(manager_stuck(getpid(), GUARD_INTAKE, NS_PER_S), 0);
	passed_ns += 2 * NS_PER_S;
	assert_int_equal(manager_stuck(getpid(), GUARD_INTAKE, NS_PER_S), gettid());
	guard_rest(GUARD_INTAKE);
	assert_int_equal(manager_stuck(getpid(), GUARD_INTAKE, NS_PER_S), 0);
}

static void test_store(void **state)
{
	(void)state;
	manager_store(&manager, "listen [::1]:8080", STDERR_FILENO);
	assert_string_equal(said(), "FDSTORE=1\nFDNAME=listen [--1]-8080");
	manager_store(&manager, "listen unix:/run/\xc3\xa4", -1);
	assert_string_equal(said(), "FDSTOREREMOVE=1\nFDNAME=listen unix-/run/__");
	manager_store(&manager, "listen 127.0.0.1:0", STDERR_FILENO); /* another port each time */
	manager_store(&manager, "something else", STDERR_FILENO);
	assert_string_equal(said(), "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_environment_is_taken),
		TEST(test_watchdog_of_somebody_else),
		TEST(test_stages),
		TEST(test_manager_is_busy),
		TEST(test_worker_between_two),
		TEST(test_reload),
		TEST(test_reload_that_crashes),
		TEST(test_watchdog),
		TEST(test_watchdog_while_there_is_no_worker),
		TEST(test_stuck),
		TEST(test_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
