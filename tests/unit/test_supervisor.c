/* A worker whose intake hangs outside of any plugin's call. Time passes five times as fast. */
#include "daemon/supervisor.h"

#include "base/clock.h"
#include "guard/guard.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

int64_t __real_clock_steady_ns(void);
int64_t __wrap_clock_steady_ns(void);
int64_t __wrap_clock_steady_ns(void)
{
	return __real_clock_steady_ns() * 5;
}

static int hang_once(void *ctx)
{
	int *starts = ctx;
	guard_ready();
	if (++*starts == 1) {
		guard_beat(GUARD_INTAKE);
		for (;;)
			pause();
	}
	guard_ending();
	return 0;
}

static void test_intake_that_hangs_is_replaced(void **state)
{
	int *starts = mmap(NULL, sizeof *starts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	(void)state;
	assert_ptr_not_equal(starts, MAP_FAILED);
	pid_t me = getpid();
	int status = supervisor_run(hang_once, starts);
	if (getpid() != me) /* the worker comes back here, too */
		_exit(status);
	assert_int_equal(status, 0);
	assert_int_equal(*starts, 2);
	munmap(starts, sizeof *starts);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_intake_that_hangs_is_replaced) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
