/* test_config.c - routes.yaml as a whole: what is said about broken files, what a good one gives. */
#undef _FORTIFY_SOURCE /* its explicit_bzero is an inline function, which cannot be replaced */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config_fake.h"
#include "expr/expr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD                                                                                                           \
	"listen: 127.0.0.1:0\n"                                                                                        \
	"journal: /var/lib/patchbay\n"                                                                                 \
	"sources:\n"                                                                                                   \
	"  fleet: {plugin: probe, key: {env: TEST_KEY}}\n"                                                             \
	"sinks:\n"                                                                                                     \
	"  audit:\n"                                                                                                   \
	"    plugin: drain\n"
#define TAIL "routes:\n  - to: audit\n"
/* Options of the sink `audit` from line 8 on; or, without indentation, keys at the top. */
#define SINK(lines) HEAD lines TAIL
/* Sources from line 6 on. */
#define SOURCE(lines)                                                                                                  \
	"listen: 127.0.0.1:0\n"                                                                                        \
	"journal: /var/lib/patchbay\n"                                                                                 \
	"sinks: {audit: {plugin: drain}}\n"                                                                            \
	"routes: [{to: audit}]\n"                                                                                      \
	"sources:\n" lines
/* From line 8 on. */
#define ROUTES(lines) HEAD lines

struct fault_case {
	const char *name, *yaml, *faults; /* a line of faults that ends with "..." goes on as it likes */
};

#include "config_cases_file.h"
#include "config_cases_options.h"

#define SECRET "Pa55word"

static char dir[] = "/tmp/patchbay-config-XXXXXX";
static unsigned wiped; /* how often memory with the secret in it was wiped */

/* In place of the C library's, both of them. */
__attribute__((noinline)) void __explicit_bzero_chk(void *p, size_t n, size_t room);
void __explicit_bzero_chk(void *p, size_t n, size_t room)
{
	(void)room;
	wiped += n > 0 && memmem(p, n, SECRET, strlen(SECRET)) != NULL;
	memset(p, 0, n);
	__asm__ volatile("" : : "r"(p) : "memory");
}

void explicit_bzero(void *p, size_t n)
{
	__explicit_bzero_chk(p, n, n);
}

static void write_file(const char *name, const char *text, size_t n, mode_t mode)
{
	FILE *f = fopen(name, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text), 0600);
}

static int setup(void **state)
{
	static char large[65537];
	(void)state;
	memset(large, 'x', sizeof(large));
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	write_text("empty.key", "");
	write_text("newline.key", "\n");
	write_file("large.key", large, sizeof(large), 0600);
	write_file("exact.key", large, sizeof(large) - 1, 0600);
	write_file("open.key", "secret\n", 7, 0604);
	write_text("crlf.key", SECRET "-crlf \r\n");
	write_text("two.key", SECRET "-two\n\n");
	setenv("TEST_KEY", SECRET "-1", 1);
	setenv("TEST_SHORT", "short", 1);
	setenv("TEST_EMPTY", "", 1);
	unsetenv("TEST_UNSET");
	unsetenv("CREDENTIALS_DIRECTORY");
	unsetenv("PATCHBAY_PLUGIN_PATH");
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "empty.key", "newline.key", "large.key", "exact.key",
					     "open.key",  "crlf.key",    "two.key",   "routes.yaml" };
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(names[i]);
	return chdir("/") || rmdir(dir);
}

static struct config *load(const char *yaml, struct config_faults *faults)
{
	write_text("routes.yaml", yaml);
	return config_load("routes.yaml", &fake_plugins, faults);
}

/* All faults, one a line, with the name of the temporary folder taken out. */
static char *join(const struct config_faults *faults)
{
	struct buf all = { 0 };
	for (size_t i = 0; i < faults->n; i++) {
		const char *text = faults->v[i].text, *at;
		if (i)
			buf_addf(&all, "\n");
		for (; (at = strstr(text, dir)); text = at + strlen(dir))
			buf_addf(&all, "%.*sDIR", (int)(at - text), text);
		buf_addf(&all, "%s", text);
	}
	char *joined = xstrdup(buf_cstr(&all));
	buf_free(&all);
	return joined;
}

static bool same_line(patchbay_str expected, patchbay_str got)
{
	if (expected.n > 3 && memcmp(expected.p + expected.n - 3, "...", 3) == 0)
		return str_starts(got, (patchbay_str){ expected.p, expected.n - 3 });
	return str_eq(expected, got);
}

static bool same_faults(const char *expected, const char *got)
{
	for (;;) {
		size_t n = strcspn(expected, "\n"), m = strcspn(got, "\n");
		if (!same_line((patchbay_str){ expected, n }, (patchbay_str){ got, m }))
			return false;
		if (!expected[n] || !got[m])
			return expected[n] == got[m];
		expected += n + 1;
		got += m + 1;
	}
}

static void check_case(const struct fault_case *c)
{
	struct config_faults faults;
	struct config *config = load(c->yaml, &faults);
	char *got = join(&faults);
	bool error = false;

	for (size_t i = 0; i < faults.n; i++) {
		const struct config_fault *f = &faults.v[i];
		error = error || !f->warning;
		assert_string_equal(f->message, f->text + strlen(f->text) - strlen(f->message));
		assert_true(!f->warning || !strncmp(f->message - 9, "warning: ", 9));
	}
	if (!same_faults(c->faults, got))
		fail_msg("%s\n--- expected\n%s\n--- got\n%s", c->name, c->faults, got);
	if (strstr(got, SECRET))
		fail_msg("%s: a message shows a secret", c->name);
	if (error != !config)
		fail_msg("%s: %s", c->name, config ? "loaded in spite of errors" : "not loaded without an error");
	free(got);
	config_free(config);
	config_faults_free(&faults);
}

static void says_what_is_wrong_with_a_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(file_cases) / sizeof(*file_cases); i++)
		check_case(&file_cases[i]);
}

static void says_what_is_wrong_with_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(option_cases) / sizeof(*option_cases); i++)
		check_case(&option_cases[i]);
}

static void says_why_a_file_cannot_be_read(void **state)
{
	struct config_faults faults;
	(void)state;
	assert_null(config_load("nowhere.yaml", &fake_plugins, &faults));
	assert_string_equal(faults.v[0].text, "nowhere.yaml: cannot be opened: No such file or directory; "
					      "name the configuration file with -c FILE");
	config_faults_free(&faults);
	assert_null(config_load("/", &fake_plugins, &faults));
	assert_string_equal(faults.v[0].text, "/: cannot be read: Is a directory");
	config_faults_free(&faults);

	size_t n = (1 << 20) + 1;
	char *large = xmalloc(n);
	memset(large, '#', n);
	write_file("routes.yaml", large, n, 0600);
	assert_null(config_load("routes.yaml", &fake_plugins, &faults));
	assert_string_equal(faults.v[0].text, "routes.yaml: larger than 1 MiB; this is hardly a configuration file");
	config_faults_free(&faults);
	free(large);
}

static struct config *load_good(const char *yaml)
{
	struct config_faults faults;
	struct config *config = load(yaml, &faults);
	char *got = join(&faults);
	if (!config || faults.n)
		fail_msg("%s", got);
	free(got);
	config_faults_free(&faults);
	return config;
}

static void assert_str(patchbay_str got, const char *expected)
{
	if (!str_is(got, expected))
		fail_msg("'%.*s' instead of '%s'", STR_ARG(got), expected);
}

static void fills_in_defaults(void **state)
{
	(void)state;
	struct config *c = load_good(SINK(""));
	assert_string_equal(c->path, "routes.yaml");
	assert_string_equal(c->journal, "/var/lib/patchbay");
	assert_int_equal(c->journal_line, 2);
	assert_null(c->admin);
	assert_int_equal(c->trusted_proxies.n, 0);
	assert_int_equal(c->plugin_dirs.n, 1);
	assert_int_equal(c->limits.body_bytes, 4 << 20);
	assert_int_equal(c->limits.connections, 1024);
	assert_int_equal(c->alarms.grace_ms, 60000);
	assert_false(config_routes_own(c));
	assert_int_equal(c->limits.connections_per_address, 0);
	assert_int_equal(c->limits.request_ms, 10000);
	assert_int_equal(c->retention.age_ms, INT64_C(30) * 86400000);
	assert_int_equal(c->retention.size_bytes, INT64_C(10) << 30);
	assert_int_equal(c->retention.quarantine_bytes, 64 << 20);

	const struct config_source *source = &c->sources[0];
	const struct probe *probe = source->options;
	assert_string_equal(source->name, "fleet");
	assert_ptr_equal(source->plugin, &probe_plugin);
	assert_int_equal(source->path_secret.n, 0);
	assert_int_equal(source->silence_ms, CONFIG_SILENCE_AUTO);
	assert_int_equal(source->line, 4);
	assert_int_equal(source->column, 3);
	assert_str(probe->key, SECRET "-1");
	assert_int_equal(probe->depth, 3);
	assert_int_equal(probe->allow.n, 2);
	assert_memory_equal(probe->allow.v[0].addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
	assert_int_equal(probe->allow.v[0].bits, 128);
	assert_int_equal(probe->allow.v[1].bits, 32);

	const struct config_sink *sink = &c->sinks[0];
	const struct drain *drain = sink->options;
	assert_null(sink->retry.delays_ms);
	assert_int_equal(sink->retry.initial_ms, 1000);
	assert_int_equal(sink->retry.max_ms, 3600000);
	assert_int_equal(sink->retry.give_up_ms, 72 * 3600000);
	assert_true(sink->retry.factor == 2);
	assert_int_equal(sink->timeout_ms, 30000);
	assert_int_equal(sink->batch_events, 20);
	assert_int_equal(sink->batch_bytes, 0);
	assert_int_equal(sink->batch_linger_ms, 5);
	assert_true(drain->on);
	assert_true(drain->ratio == 0.5);
	assert_int_equal(drain->count, 7);
	assert_int_equal(drain->mode, 0);
	assert_int_equal(drain->wait, 2000);
	assert_int_equal(drain->room, 1 << 20);
	assert_str(drain->text, "hello");
	assert_str(expr_source(drain->pick), ".data.id");
	assert_str(expr_source(drain->say), "\\(.type)!");
	assert_int_equal(drain->columns.n, 2);
	assert_str(drain->columns.v[0].name, "id");
	assert_str(expr_source(drain->columns.v[0].expr), ".id");
	assert_str(drain->columns.v[1].name, "what");
	assert_str(expr_source(drain->columns.v[1].expr), ".type");

	const struct config_route *route = &c->routes[0];
	assert_int_equal(route->n_sources, 0);
	assert_int_equal(route->types.n, 0);
	assert_int_equal(route->when.n, 0);
	assert_false(route->test);
	assert_int_equal(route->n_sinks, 1);
	assert_int_equal(route->line, 9);
	config_free(c);
}

#define GOOD                                                                                                           \
	"# everything\n"                                                                                               \
	"listen: ['[::1]:8080', 127.0.0.1:8080, unix:/run/x.sock]\n"                                                   \
	"admin: 127.0.0.1:8081\n"                                                                                      \
	"journal: events\n"                                                                                            \
	"plugins: [., /]\n"                                                                                            \
	"trusted_proxies: 10.0.0.0/8\n"                                                                                \
	"limits: {body: 1M, connections: 10, connections_per_address: 2, request: 500ms}\n"                            \
	"retention: {age: 1h, size: 2G, quarantine: 0}\n"                                                              \
	"alarms: {grace: 5s}\n"                                                                                        \
	"sources:\n"                                                                                                   \
	"  fleet: {plugin: probe, key: {env: TEST_KEY}, depth: -3, path_secret: {env: TEST_KEY}, silence: 6h}\n"       \
	"  campus:\n"                                                                                                  \
	"    plugin: probe\n"                                                                                          \
	"    key: {file: crlf.key}\n"                                                                                  \
	"    keys: [{file: two.key}, {file: exact.key}]\n"                                                             \
	"    silence: off\n"                                                                                           \
	"    allow: ['::ffff:192.0.2.0/120']\n"                                                                        \
	"sinks:\n"                                                                                                     \
	"  audit:\n"                                                                                                   \
	"    plugin: drain\n"                                                                                          \
	"    on: false\n"                                                                                              \
	"    count: 100\n"                                                                                             \
	"    ratio: 1e-1\n"                                                                                            \
	"    text: 'f\xc3\xbcr'\n"                                                                                     \
	"    words: one\n"                                                                                             \
	"    mode: fancy\n"                                                                                            \
	"    wait: 5m\n"                                                                                               \
	"    room: 64K\n"                                                                                              \
	"    nets: 2001:db8::/32\n"                                                                                    \
	"    pick: .data.on\n"                                                                                         \
	"    say: 'Hard brake: \\(.data.location)'\n"                                                                  \
	"    columns: [time, vehicle: .data.vehicle_number // .data.vehicle.number]\n"                                 \
	"    retry: [1m, 1h]\n"                                                                                        \
	"    timeout: 2s\n"                                                                                            \
	"    batch: {events: 5, bytes: 1M, linger: 10ms}\n"                                                            \
	"  other: {plugin: drain, retry: {initial: 2s, factor: 1.5, max: 1m, give_up: 1d}}\n"                          \
	"routes:\n"                                                                                                    \
	"  - from: [campus]\n"                                                                                         \
	"    type: ['*_created', ping]\n"                                                                              \
	"    when: .data.on\n"                                                                                         \
	"    test: true\n"                                                                                             \
	"    to: [other, audit]\n"                                                                                     \
	"  - {from: '*', to: audit}\n"                                                                                 \
	"  - {from: [patchbay, campus], to: audit}\n"

static void reads_every_key(void **state)
{
	(void)state;
	setenv("PATCHBAY_PLUGIN_PATH", "/a::/b", 1);
	struct config *c = load_good(GOOD);
	unsetenv("PATCHBAY_PLUGIN_PATH");

	assert_int_equal(c->n_listen, 3);
	assert_int_equal(c->listen[0].addr.ss_family, AF_INET6);
	assert_int_equal(ntohs(((struct sockaddr_in6 *)&c->listen[0].addr)->sin6_port), 8080);
	assert_int_equal(c->listen[1].addr_len, sizeof(struct sockaddr_in));
	assert_string_equal(c->listen[2].text, "unix:/run/x.sock");
	assert_int_equal(ntohl(((struct sockaddr_in *)&c->admin->addr)->sin_addr.s_addr), 0x7f000001);
	assert_memory_equal(c->journal, dir, strlen(dir)); /* relative to the file */
	assert_string_equal(c->journal + strlen(dir), "/events");
	assert_int_equal(c->plugin_dirs.n, 4);
	assert_str(c->plugin_dirs.v[0], "/a");
	assert_str(c->plugin_dirs.v[1], "/b");
	assert_str(c->plugin_dirs.v[3], "/");
	assert_int_equal(c->trusted_proxies.v[0].bits, 104);
	assert_int_equal(c->limits.request_ms, 500);
	assert_int_equal(c->retention.quarantine_bytes, 0);

	assert_str(c->sources[0].path_secret.v[0], SECRET "-1");
	assert_int_equal(((const struct probe *)c->sources[0].options)->depth, -3);
	const struct probe *probe = c->sources[1].options;
	assert_str(probe->key, SECRET "-crlf ");
	assert_str(probe->keys.v[0], SECRET "-two\n"); /* only one line feed is not part of it */
	assert_int_equal(probe->keys.v[1].n, 65536);
	assert_int_equal(probe->allow.v[0].bits, 120);

	const struct config_sink *audit = &c->sinks[0];
	const struct drain *drain = audit->options;
	assert_false(drain->on);
	assert_int_equal(drain->count, 100);
	assert_true(drain->ratio == 0.1);
	assert_str(drain->text, "f\xc3\xbcr");
	assert_int_equal(drain->words.n, 1);
	assert_int_equal(drain->mode, 1);
	assert_int_equal(drain->wait, 300000);
	assert_int_equal(drain->room, 65536);
	assert_int_equal(drain->nets.v[0].bits, 32);
	assert_str(expr_source(drain->say), "Hard brake: \\(.data.location)");
	assert_str(drain->columns.v[1].name, "vehicle");
	assert_str(expr_source(drain->columns.v[1].expr), ".data.vehicle_number // .data.vehicle.number");
	assert_int_equal(audit->retry.n_delays, 2);
	assert_int_equal(audit->retry.delays_ms[1], 3600000);
	assert_int_equal(audit->timeout_ms, 2000);
	assert_int_equal(audit->batch_events, 5);
	assert_int_equal(audit->batch_bytes, 1 << 20);
	assert_int_equal(audit->batch_linger_ms, 10);
	assert_null(c->sinks[1].retry.delays_ms);
	assert_true(c->sinks[1].retry.factor == 1.5);

	assert_int_equal(c->alarms.grace_ms, 5000);
	assert_int_equal(c->sources[0].silence_ms, 6 * 3600000);
	assert_int_equal(c->sources[1].silence_ms, CONFIG_SILENCE_OFF);

	assert_int_equal(c->n_routes, 3);
	assert_int_equal(c->routes[0].n_sources, 1);
	assert_int_equal(c->routes[0].sources[0], 1);
	assert_str(c->routes[0].types.v[0], "*_created");
	assert_str(c->routes[0].when, ".data.on");
	assert_true(c->routes[0].test);
	assert_int_equal(c->routes[0].sinks[0], 1);
	assert_int_equal(c->routes[0].sinks[1], 0);
	assert_int_equal(c->routes[1].n_sources, 0);
	assert_false(c->routes[1].own);
	assert_true(c->routes[2].own);
	assert_int_equal(c->routes[2].n_sources, 1);
	assert_true(config_routes_own(c));
	config_free(c);
}

static void leaves_a_plugin_what_it_had_before(void **state)
{
	(void)state;
	struct config *c = load_good(SOURCE("  old: {plugin: quiet, silence: 42}\n"));
	assert_int_equal(*(const int64_t *)c->sources[0].options, 42);
	assert_int_equal(c->sources[0].silence_ms, CONFIG_SILENCE_AUTO);
	config_free(c);
}

static void takes_credentials_of_the_service_manager(void **state)
{
	(void)state;
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	struct config *c = load_good(SOURCE("  fleet: {plugin: probe, key: {credential: crlf.key}}\n"));
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_str(((const struct probe *)c->sources[0].options)->key, SECRET "-crlf ");
	config_free(c);
}

static void wipes_secrets(void **state)
{
	(void)state;
	struct config *c = load_good(GOOD);
	wiped = 0;
	config_free(c);
	assert_int_equal(wiped, 4); /* fleet: key and path_secret; campus: key and the first of keys */

	struct config_faults faults;
	wiped = 0;
	assert_null(load(SOURCE("  fleet: {plugin: probe, key: " SECRET ", depth: x}\n"), &faults));
	config_faults_free(&faults);
	assert_true(wiped >= 4); /* the text of the file, libyaml's copy, the node's, the option's */
}

static void finds_the_folders_of_plugins_in_any_file(void **state)
{
	struct err err = { "" };
	patchbay_strs dirs;
	(void)state;
	assert_int_equal(config_plugin_dirs(NULL, &dirs, &err), 0);
	assert_int_equal(dirs.n, 1);
	config_plugin_dirs_free(&dirs);
	write_text("routes.yaml", "plugins: [/x, y]\nlisten: nonsense\nsinks: 5\n");
	assert_int_equal(config_plugin_dirs("routes.yaml", &dirs, &err), 0);
	assert_int_equal(dirs.n, 2);
	assert_str(dirs.v[0], "/x");
	config_plugin_dirs_free(&dirs);
	setenv("PATCHBAY_PLUGIN_PATH", "/a", 1);
	assert_int_equal(config_plugin_dirs("nowhere.yaml", &dirs, &err), -1);
	unsetenv("PATCHBAY_PLUGIN_PATH");
	assert_str(dirs.v[0], "/a");
	assert_non_null(strstr(err.text, "nowhere.yaml: cannot be opened"));
	config_plugin_dirs_free(&dirs);
}

static void needs_no_secrets_for_looking(void **state)
{
	struct config_faults faults;
	(void)state;
	write_text("routes.yaml", "listen: 127.0.0.1:1\njournal: /tmp\nsources:\n  a:\n    plugin: probe\n"
				  "    key: {file: /nowhere/key}\n    keys: [{env: TEST_UNSET}, {file: large.key}]\n"
				  "    path_secret: {env: TEST_SHORT}\nsinks:\n  b:\n    plugin: drain\n    count: 13\n"
				  "routes:\n  - to: b\n");
	assert_null(config_load("routes.yaml", &fake_plugins, &faults));
	config_faults_free(&faults);
	struct config *c = config_load_for_looking("routes.yaml", &fake_plugins, &faults);
	assert_non_null(c);
	assert_int_equal(faults.n, 0);
	assert_str(((const struct probe *)c->sources[0].options)->key, "");
	assert_int_equal(c->n_routes, 1);
	config_free(c);
	config_faults_free(&faults);

	write_text("routes.yaml", "journal: /tmp\nroutes:\n  - to: nowhere\n");
	assert_null(config_load_for_looking("routes.yaml", &fake_plugins, &faults));
	config_faults_free(&faults);
}

static void finds_the_journal_in_any_file(void **state)
{
	struct err err = { "" };
	(void)state;
	write_text("routes.yaml", "journal: /x/y\nlisten: nonsense\nsinks: 5\n");
	char *folder = config_journal_folder("routes.yaml", &err);
	assert_string_equal(folder, "/x/y");
	free(folder);
	write_text("routes.yaml", "listen: [\njournal: z # here\nsinks: {\n");
	folder = config_journal_folder("routes.yaml", &err);
	assert_non_null(folder);
	assert_string_equal(strrchr(folder, '/'), "/z");
	free(folder);
	write_text("routes.yaml", "- a\n");
	assert_null(config_journal_folder("routes.yaml", &err));
	assert_non_null(strstr(err.text, "'journal' is missing"));
	assert_null(config_journal_folder("nowhere.yaml", &err));
	assert_non_null(strstr(err.text, "nowhere.yaml: cannot be opened"));
}

static void try_bytes(const char *text, size_t n)
{
	struct config_faults faults;
	write_file("routes.yaml", text, n, 0600);
	struct config *c = config_load("routes.yaml", &fake_plugins, &faults);
	for (size_t i = 0; i < faults.n; i++) {
		assert_true(faults.v[i].line >= 0 && faults.v[i].column >= 0);
		assert_null(strstr(faults.v[i].text, SECRET));
	}
	config_free(c);
	config_faults_free(&faults);
}

static void survives_files_cut_anywhere(void **state)
{
	(void)state;
	for (size_t n = 0; n <= strlen(GOOD); n++)
		try_bytes(GOOD, n);
}

static void survives_damaged_files(void **state)
{
	static const unsigned char flips[] = { 0x01, 0x10, 0x80 };
	char text[] = GOOD;
	(void)state;
	for (size_t i = 0; i < strlen(GOOD); i++) {
		for (size_t k = 0; k < sizeof(flips); k++) {
			text[i] = (char)(GOOD[i] ^ flips[k]);
			try_bytes(text, strlen(GOOD));
		}
		text[i] = GOOD[i];
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_is_wrong_with_a_file),
		cmocka_unit_test(says_what_is_wrong_with_options),
		cmocka_unit_test(says_why_a_file_cannot_be_read),
		cmocka_unit_test(fills_in_defaults),
		cmocka_unit_test(reads_every_key),
		cmocka_unit_test(leaves_a_plugin_what_it_had_before),
		cmocka_unit_test(takes_credentials_of_the_service_manager),
		cmocka_unit_test(wipes_secrets),
		cmocka_unit_test(finds_the_folders_of_plugins_in_any_file),
		cmocka_unit_test(needs_no_secrets_for_looking),
		cmocka_unit_test(finds_the_journal_in_any_file),
		cmocka_unit_test(survives_files_cut_anywhere),
		cmocka_unit_test(survives_damaged_files),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
