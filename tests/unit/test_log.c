/* What is written, byte by byte: in both formats, whatever a message quotes. */
#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "base/utf8.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int saved_stderr, read_end;
static char text[65536];
static const struct id event = { { 0x01, 0x99, 0x2f, 0x8a, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1 } };
#define EVENT "01992f8a-0000-7000-8000-000000000001"

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
	unsetenv("JOURNAL_STREAM");
	log_open(false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(read_end);
	unsetenv("JOURNAL_STREAM");
	log_open(false);
	return 0;
}

static void configure(enum log_format format, enum log_level level)
{
	log_configure(&(struct log_settings){ .format = format, .level = level });
}

/* What was logged since the last time. */
static const char *logged(void)
{
	ssize_t n = read(read_end, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* The same, of one line, without its time. */
static const char *line(void)
{
	const char *all = logged();
	if (strncmp(all, "time=", 5) == 0)
		return all + sizeof "time=2026-11-29T17:00:00.123Z";
	if (strncmp(all, "{\"time\":", 8) == 0)
		return all + sizeof "{\"time\":\"2026-11-29T17:00:00.123Z\"";
	return all;
}

/* As if it was under systemd, with its journal at the other end of this pipe. */
static void connect_journal(long long more)
{
	struct stat st;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino + (unsigned long long)more);
	assert_int_equal(setenv("JOURNAL_STREAM", text, 1), 0);
	log_open(false);
}

static void a_line_has_time_level_and_message(void **state)
{
	char time[25] = "";
	int64_t ns;
	(void)state;

	log_info("event %d done", 7);
	const char *all = logged();
	assert_int_equal(strncmp(all, "time=", 5), 0);
	memcpy(time, all + 5, 24);
	assert_true(clock_parse_iso(str_c(time), &ns));
	assert_int_equal(time[19], '.');
	assert_true(llabs((long long)(clock_wall_ns() - ns)) < 60 * NS_PER_S);
	assert_string_equal(all + 29, " level=info msg=\"event 7 done\"\n");
	log_error("e");
	assert_string_equal(line(), "level=error msg=e\n");
	log_error("a%cb", 0);
	assert_string_equal(line(), "level=error msg=\"a\\u0000b\"\n");
	configure(LOG_JSON, LOG_LEVEL_INFO);
	log_warning("w");
	all = logged();
	memcpy(time, all + 9, 24);
	assert_true(clock_parse_iso(str_c(time), &ns));
	assert_int_equal(strncmp(all, "{\"time\":\"2", 10), 0);
	assert_string_equal(all + 33, "\",\"level\":\"warning\",\"msg\":\"w\"}\n");
}

static void says_what_it_is_about(void **state)
{
	const struct log_about all = { .source = "fleet", .sink = "audit", .plugin = "acme", .event = &event };
	(void)state;

	log_about(LOG_LEVEL_INFO, &all, "both of them");
	assert_string_equal(line(),
			    "level=info msg=\"both of them\" event=" EVENT " source=fleet sink=audit plugin=acme\n");
	log_about(LOG_LEVEL_INFO, &(struct log_about){ .sink = "audit" }, "x");
	assert_string_equal(line(), "level=info msg=x sink=audit\n");
	configure(LOG_JSON, LOG_LEVEL_INFO);
	log_about(LOG_LEVEL_INFO, &all, "both of them");
	assert_string_equal(line(), "\"level\":\"info\",\"msg\":\"both of them\",\"event\":\"" EVENT
				    "\",\"source\":\"fleet\",\"sink\":\"audit\",\"plugin\":\"acme\"}\n");
}

static void quotes_only_what_needs_it(void **state)
{
	static const char *const cases[][2] = {
		{ "plain", "plain" },
		{ "caf\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "caf\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "a/b:c,d'e", "a/b:c,d'e" },
		{ "", "\"\"" },
		{ "two words", "\"two words\"" },
		{ "x=1", "\"x=1\"" },
		{ "say \"hi\"", "\"say \\\"hi\\\"\"" },
		{ "back\\slash", "\"back\\\\slash\"" },
		{ "a\"", "\"a\\\"\"" },
		{ "\n", "\"\\n\"" },
	};
	char wanted[200];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(wanted, sizeof wanted, "level=info msg=%s\n", cases[i][1]);
		log_info("%s", cases[i][0]);
		assert_string_equal(line(), wanted);
	}
}

#define HOSTILE                                                                                                        \
	"a\n2026-11-22T04:13:54.123Z "                                                                                 \
	"error\t\r\x1b[31m\x7f\xc2\x9b\xff\xed\xa0\x80\xe2\x80\xae\xe2\x80\xa8\xe2\x81\xa6"                            \
	"\" level=error caf\xc3\xa9\xc3"
#define ESCAPED                                                                                                        \
	"\"a\\n2026-11-22T04:13:54.123Z "                                                                              \
	"error\\t\\r\\u001b[31m\\u007f\\u009b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"                         \
	"\\u202e\\u2028\\u2066\\\" level=error caf\xc3\xa9\xef\xbf\xbd\""

static void a_message_can_forge_neither_line_nor_member(void **state)
{
	(void)state;
	log_about(LOG_LEVEL_INFO, &(struct log_about){ .source = "x y=\"z\n" }, "%s", HOSTILE);
	assert_string_equal(line(), "level=info msg=" ESCAPED " source=\"x y=\\\"z\\n\"\n");
	configure(LOG_JSON, LOG_LEVEL_INFO);
	log_about(LOG_LEVEL_INFO, &(struct log_about){ .source = "x y=\"z\n" }, "%s", HOSTILE);
	assert_string_equal(line(), "\"level\":\"info\",\"msg\":" ESCAPED ",\"source\":\"x y=\\\"z\\n\"}\n");
}

/* One line of printable UTF-8; in JSON an object, in logfmt members with values that are plain or in quotes. */
static void assert_sound(const char *all, bool json)
{
	size_t n = strlen(all);
	assert_true(n > 0 && n <= PIPE_BUF);
	assert_int_equal(all[n - 1], '\n');
	for (size_t i = 0, length; i < n - 1; i += length) {
		length = utf8_sequence((const unsigned char *)all + i, n - i);
		assert_int_not_equal(length, 0);
		assert_true((unsigned char)all[i] >= 0x20 && all[i] != 0x7f);
	}
	if (json) {
		struct patchbay_call call;
		call_init(&call, (size_t)1 << 20);
		call_begin(&call, 0);
		assert_non_null(json_parse(&call, (patchbay_str){ all, n - 1 }));
		call_fini(&call);
		return;
	}
	static const char *const names[] = { "time", "level", "msg", "source" };
	const char *at = all;
	for (size_t i = 0; i < 4; i++) {
		size_t length = strlen(names[i]);
		assert_int_equal(strncmp(at, names[i], length), 0);
		assert_int_equal(at[length], '=');
		at += length + 1;
		if (*at == '"') {
			for (at++; *at != '"'; at++)
				if (*at == '\\')
					at++;
			at++;
		} else {
			length = strcspn(at, " =\"\\\n");
			assert_int_not_equal(length, 0);
			at += length;
		}
		assert_int_equal(*at++, i == 3 ? '\n' : ' ');
	}
	assert_int_equal(*at, '\0');
}

static void whatever_is_quoted_a_line_is_sound(void **state)
{
	static const char often[] = "\"\\\n= \xff\xc3\xe2\x80\xae\x1b";
	static char message[6000];
	uint64_t random = 42;
	(void)state;
	for (int i = 0; i < 4000; i++) {
		size_t n = 0, length = (size_t)i % 40 == 39 ? 3000 + (size_t)i % 3000 : (size_t)i % 40;
		while (n < length) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
			unsigned char c = (unsigned char)(random >> 33);
			c = random >> 62 ? c : (unsigned char)often[c % (sizeof often - 1)];
			message[n++] = (char)(c ? c : 1);
		}
		message[n] = '\0';
		configure(i & 1 ? LOG_JSON : LOG_LOGFMT, LOG_LEVEL_INFO);
		log_about(LOG_LEVEL_INFO, &(struct log_about){ .source = message + n / 2 }, "%s", message);
		assert_sound(logged(), i & 1);
	}
}

static void what_is_too_long_is_cut_visibly(void **state)
{
	static const char *const parts[] = { "x", "\x01", "\xe2\x82\xac", "\"", "\xff" };
	static char message[20000];
	(void)state;
	for (size_t format = LOG_LOGFMT; format <= LOG_JSON; format++) {
		configure((enum log_format)format, LOG_LEVEL_INFO);
		for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
			size_t n = strlen(parts[i]);
			for (size_t at = 0; at + n < sizeof message; at += n)
				memcpy(message + at, parts[i], n + 1);
			log_about(LOG_LEVEL_INFO, &(struct log_about){ .source = "fleet", .event = &event }, "%s",
				  message);
			const char *all = logged();
			assert_true(strlen(all) > 3400 && strlen(all) <= PIPE_BUF);
			bool bare = format == LOG_LOGFMT && (i == 0 || i == 2);
			assert_non_null(strstr(all, bare ? "... event=" : "...\""));
			assert_non_null(strstr(all, EVENT));
			assert_non_null(
				strstr(all, format == LOG_JSON ? "\"source\":\"fleet\"}\n" : " source=fleet\n"));
		}
	}
}

static void less_urgent_lines_are_left_out(void **state)
{
	(void)state;
	log_line(LOG_LEVEL_DEBUG, "no");
	assert_string_equal(logged(), "");
	configure(LOG_LOGFMT, LOG_LEVEL_DEBUG);
	log_line(LOG_LEVEL_DEBUG, "yes");
	assert_string_equal(line(), "level=debug msg=yes\n");
	configure(LOG_LOGFMT, LOG_LEVEL_ERROR);
	log_warning("no");
	assert_string_equal(logged(), "");
}

static void a_plugin_may_have_a_level_of_its_own(void **state)
{
	struct log_plugin_level levels[] = { { "acme", LOG_LEVEL_DEBUG }, { "mute", LOG_LEVEL_ERROR } };
	const struct log_settings settings = { .level = LOG_LEVEL_WARNING, .plugins = levels, .n_plugins = 2 };
	const struct log_about acme = { .plugin = "acme" }, mute = { .plugin = "mute" }, other = { .plugin = "acm" };
	(void)state;
	log_configure(&settings);
	log_about(LOG_LEVEL_DEBUG, &acme, "yes");
	assert_string_equal(line(), "level=debug msg=yes plugin=acme\n");
	log_about(LOG_LEVEL_WARNING, &mute, "no");
	log_about(LOG_LEVEL_INFO, &other, "no");
	log_info("no");
	assert_string_equal(logged(), "");
	log_about(LOG_LEVEL_ERROR, &mute, "yes");
	assert_string_equal(line(), "level=error msg=yes plugin=mute\n");
	log_open(true); /* --verbose is about all others */
	log_configure(&settings);
	log_about(LOG_LEVEL_WARNING, &mute, "no");
	assert_string_equal(logged(), "");
	log_line(LOG_LEVEL_DEBUG, "yes");
	assert_string_equal(line(), "level=debug msg=yes\n");
	configure(LOG_LOGFMT, LOG_LEVEL_WARNING); /* those levels are gone */
	log_about(LOG_LEVEL_DEBUG, &mute, "yes");
	assert_string_equal(line(), "level=debug msg=yes plugin=mute\n");
}

static void systemd_is_given_priorities_instead_of_times(void **state)
{
	(void)state;
	connect_journal(0);
	configure(LOG_LOGFMT, LOG_LEVEL_DEBUG);
	log_error("e");
	log_warning("w");
	log_info("i");
	log_line(LOG_LEVEL_DEBUG, "d");
	assert_string_equal(logged(), "<3>level=error msg=e\n<4>level=warning msg=w\n<6>level=info msg=i\n"
				      "<7>level=debug msg=d\n");
	configure(LOG_JSON, LOG_LEVEL_DEBUG);
	log_error("%s", "a\n<0>b");
	assert_string_equal(logged(), "<3>{\"level\":\"error\",\"msg\":\"a\\n<0>b\"}\n");
	connect_journal(1); /* it is inherited, but stderr goes elsewhere by now */
	log_error("e");
	assert_int_equal(strncmp(logged(), "time=", 5), 0);
}

static void the_process_that_forked_writes_as_its_child_was_told(void **state)
{
	int status;
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		configure(LOG_JSON, LOG_LEVEL_WARNING);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	log_info("no");
	log_error("e");
	assert_string_equal(line(), "\"level\":\"error\",\"msg\":\"e\"}\n");
}

static void a_limited_line_counts_what_it_left_out(void **state)
{
	static struct log_limit limit, three = { .most = 3 };
	(void)state;

	for (int i = 0; i < 5; i++)
		assert_int_equal(log_limited(&limit, LOG_LEVEL_INFO, "full %d", i), i == 0);
	assert_string_equal(line(), "level=info msg=\"full 0\"\n");
	limit.until_ns = 1; /* as if 10 s had gone by */
	assert_true(log_limited(&limit, LOG_LEVEL_INFO, "full"));
	assert_string_equal(line(), "level=info msg=full left_out=4\n");
	configure(LOG_JSON, LOG_LEVEL_INFO);
	assert_false(log_limited(&limit, LOG_LEVEL_INFO, "full"));
	limit.until_ns = 1;
	assert_true(log_limited(&limit, LOG_LEVEL_INFO, "full"));
	assert_string_equal(line(), "\"level\":\"info\",\"msg\":\"full\",\"left_out\":1}\n");
	assert_true(log_limited(&limit, LOG_LEVEL_DEBUG, "nobody wants it: nor does it count"));
	for (int i = 0; i < 5; i++)
		assert_int_equal(log_limited(&three, LOG_LEVEL_INFO, "%d", i), i < 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_has_time_level_and_message),
		TEST(says_what_it_is_about),
		TEST(quotes_only_what_needs_it),
		TEST(a_message_can_forge_neither_line_nor_member),
		TEST(whatever_is_quoted_a_line_is_sound),
		TEST(what_is_too_long_is_cut_visibly),
		TEST(less_urgent_lines_are_left_out),
		TEST(a_plugin_may_have_a_level_of_its_own),
		TEST(systemd_is_given_priorities_instead_of_times),
		TEST(the_process_that_forked_writes_as_its_child_was_told),
		TEST(a_limited_line_counts_what_it_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
