#include "base/log.h"

#include "base/clock.h"
#include "base/str.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int saved_stderr, read_end;
static char text[65536];

static int setup(void **state)
{
	int fds[2];
	(void)state;

	if (pipe2(fds, O_NONBLOCK) != 0)
		return -1;
	saved_stderr = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	read_end = fds[0];
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(read_end);
	return 0;
}

/* What was logged since the last time. */
static const char *logged(void)
{
	ssize_t n = read(read_end, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void test_a_line_has_time_level_and_message(void **state)
{
	char time[25] = "";
	int64_t ns;
	(void)state;

	log_info("event %d done", 7);
	const char *line = logged();
	memcpy(time, line, 24);
	assert_true(clock_parse_iso(str_c(time), &ns));
	assert_int_equal(time[19], '.');
	assert_true(llabs((long long)(clock_wall_ns() - ns)) < 60 * NS_PER_S);
	assert_string_equal(line + 24, " info event 7 done\n");
	log_error("e");
	assert_string_equal(logged() + 24, " error e\n");
	log_warning("w");
	assert_string_equal(logged() + 24, " warning w\n");
}

static void test_less_urgent_lines_are_left_out(void **state)
{
	(void)state;
	log_debug("no");
	assert_string_equal(logged(), "");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("yes");
	assert_string_equal(logged() + 24, " debug yes\n");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("no");
	assert_string_equal(logged(), "");
}

static void test_a_message_cannot_forge_a_line(void **state)
{
	(void)state;
	log_info("%s", "a\n2026-11-22T04:13:54.123Z error forged\r\x1b[31m\x7f\xc2\x9b\xff caf\xc3\xa9");
	assert_string_equal(logged() + 24,
			    " info a\\n2026-11-22T04:13:54.123Z error forged\\x0d\\x1b[31m\\x7f\\xc2\\x9b\\xff "
			    "caf\xc3\xa9\n");
}

static void test_a_long_message_is_cut_visibly(void **state)
{
	static char message[20000];
	(void)state;

	memset(message, '\x01', sizeof(message) - 1);
	log_info("%s", message);
	const char *line = logged();
	assert_string_equal(line + strlen(line) - 8, "\\x01...\n");
}

static void test_a_limited_line_counts_what_it_left_out(void **state)
{
	static struct log_limit limit;
	(void)state;

	for (int i = 0; i < 5; i++)
		log_limited(&limit, LOG_LEVEL_INFO, "full %d", i);
	assert_string_equal(logged() + 24, " info full 0\n");
	limit.next_ns = 1; /* as if 10 s had gone by */
	log_limited(&limit, LOG_LEVEL_INFO, "full");
	assert_string_equal(logged() + 24, " info full (4 more like this left out)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_line_has_time_level_and_message, setup, teardown),
		cmocka_unit_test_setup_teardown(test_less_urgent_lines_are_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_message_cannot_forge_a_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_long_message_is_cut_visibly, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_limited_line_counts_what_it_left_out, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
