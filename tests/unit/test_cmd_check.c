/* test_cmd_check.c - `patchbay check` as it is called: exit status, output, what it finds out by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/patchbay-check-XXXXXX";
static struct {
	int status;
	char out[4096], err[4096];
} ran;

static void write_text(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(name, 0600), 0);
}

static void read_text(const char *name, char *text, size_t size)
{
	FILE *f = fopen(name, "r");
	assert_non_null(f);
	size_t n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	fclose(f);
}

/* Sends a stream into a file; returns what it was before. */
static int divert(FILE *stream, const char *name)
{
	fflush(stream);
	int before = dup(fileno(stream));
	FILE *f = fopen(name, "w");
	assert_non_null(f);
	dup2(fileno(f), fileno(stream));
	fclose(f);
	return before;
}

static void restore(FILE *stream, int before)
{
	fflush(stream);
	dup2(before, fileno(stream));
	close(before);
}

static void run(const char *a, const char *b, const char *c)
{
	char *argv[] = { xstrdup("check"), a ? xstrdup(a) : NULL, b ? xstrdup(b) : NULL, c ? xstrdup(c) : NULL, NULL };
	int argc = 1 + !!a + !!b + !!c;
	int out = divert(stdout, "out"), err = divert(stderr, "err");
	ran.status = cmd_check(argc, argv);
	restore(stdout, out);
	restore(stderr, err);
	read_text("out", ran.out, sizeof(ran.out));
	read_text("err", ran.err, sizeof(ran.err));
	for (int i = 0; i < argc; i++)
		free(argv[i]);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	setenv("PATCHBAY_PLUGIN_PATH", PLUGIN_DIR, 1);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "out", "err", "routes.yaml", "fleet.secret", "learning" };
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(names[i]);
	return chdir("/") || rmdir(dir);
}

static void counts_what_is_right(void **state)
{
	(void)state;
	write_text("routes.yaml", "listen: 127.0.0.1:0\njournal: j\n");
	run("-c", "routes.yaml", NULL);
	assert_int_equal(ran.status, 0);
	assert_string_equal(ran.out, "routes.yaml: 0 sources, 0 sinks, 0 routes: ok\n");
	assert_string_equal(ran.err, "routes.yaml: warning: there are no routes; events are kept and go nowhere\n");
	assert_int_equal(access("j", F_OK), -1); /* nothing was made */
}

static void lists_every_fault(void **state)
{
	(void)state;
	write_text("routes.yaml", "listen: 127.0.0.1\njournal: j\nroutes: [{to: x}]\n");
	run("--config=routes.yaml", NULL, NULL);
	assert_int_equal(ran.status, 1);
	assert_string_equal(ran.out, "");
	assert_string_equal(ran.err,
			    "routes.yaml:1:9: 'listen': the port is missing; write ADDRESS:PORT, such as 0.0.0.0:8080\n"
			    "routes.yaml:3:15: unknown sink 'x'; add it under 'sinks'\n");
}

static void speaks_json(void **state)
{
	(void)state;
	write_text("routes.yaml", "listen: 127.0.0.1:0\njournal: j\nx\"y: 1\n");
	run("--json", "-c", "routes.yaml");
	assert_int_equal(ran.status, 1);
	assert_string_equal(ran.err, "");
	assert_string_equal(
		ran.out,
		"{\"ok\":false,\"faults\":[\n"
		"{\"line\":0,\"column\":0,\"severity\":\"warning\",\"message\":\"there are no routes; events are "
		"kept and go nowhere\"},\n"
		"{\"line\":3,\"column\":1,\"severity\":\"error\",\"message\":\"unknown key 'x\\\"y' in this file; "
		"there are: listen, admin, journal, plugins, limits, retention, log, alarms, sources, sinks, routes, "
		"trusted_proxies\"}]}\n");
}

static void finds_folders_that_serve_could_not_use(void **state)
{
	(void)state;
	write_text("routes.yaml", "listen: unix:/nowhere/x.sock\njournal: /nowhere/journal\nroutes: []\n");
	run("-c", "routes.yaml", NULL);
	assert_int_equal(ran.status, 1);
	assert_string_equal(
		ran.err,
		"routes.yaml:1:9: 'listen': no socket can be made in /nowhere: No such file or directory; make "
		"the folder, and let the user that runs patchbay write there\n"
		"routes.yaml:2:10: 'journal': /nowhere/journal does not exist, and cannot be made in "
		"/nowhere: No such file or directory; make it, and let the user that runs patchbay write "
		"there\n"
		"routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere\n");
	write_text("routes.yaml", "listen: 127.0.0.1:0\njournal: routes.yaml\n");
	run("-c", "routes.yaml", NULL);
	assert_int_equal(ran.status, 1);
	assert_non_null(strstr(ran.err, "/routes.yaml: Not a directory; let the user"));
}

static void explains_itself(void **state)
{
	(void)state;
	run("--help", NULL, NULL);
	assert_int_equal(ran.status, 0);
	assert_non_null(strstr(ran.out, "usage: patchbay check"));
	run("--nonsense", NULL, NULL);
	assert_int_equal(ran.status, 2);
	run("routes.yaml", NULL, NULL);
	assert_int_equal(ran.status, 2);
	assert_non_null(strstr(ran.err, "name the file with -c FILE"));
}

static void check_file(void)
{
	struct registry *registry = NULL;
	struct config_faults faults;
	struct config *config = cli_load_faults("routes.yaml", &registry, &faults);
	for (size_t i = 0; i < faults.n; i++)
		if (!faults.v[i].warning)
			fail_msg("%s", faults.v[i].text);
	config_free(config);
	registry_destroy(registry);
	config_faults_free(&faults);
}

/* As installed, and with everything in it that is only a comment. */
static void finds_the_installed_file_right(void **state)
{
	char text[8192];
	struct buf uncommented = { 0 };
	(void)state;
	read_text(SOURCE_DIR "/etc/routes.yaml", text, sizeof(text));
	write_text("routes.yaml", text);
	check_file();

	for (char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		bool editors = strncmp(line, "# yaml-language-server", 22) == 0;
		bool prose = editors || (line[0] == '#' && (line[2] < 'a' || line[2] > 'z') && line[2] != ' ');
		size_t skip = line[0] == '#' && !prose ? 2 : 0;
		buf_addf(&uncommented, "%.*s\n", (int)(n - skip), line + skip);
		line += n + (line[n] == '\n');
	}
	assert_non_null(strstr(buf_cstr(&uncommented), "\nsources:\n  fleet:"));
	write_text("routes.yaml", buf_cstr(&uncommented));
	write_text("fleet.secret", "a secret\n");
	write_text("learning", "a key\n");
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	check_file();
	unsetenv("CREDENTIALS_DIRECTORY");
	buf_free(&uncommented);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_what_is_right), cmocka_unit_test(lists_every_fault),
		cmocka_unit_test(speaks_json),          cmocka_unit_test(finds_folders_that_serve_could_not_use),
		cmocka_unit_test(explains_itself),      cmocka_unit_test(finds_the_installed_file_right),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
