/* Plugins' files change while the process runs: what was loaded cannot be harmed, what is new is loaded, and nothing is
 * loaded twice. */
#include "plugin/load.h"

#include "base/mem.h"
#include "plugin/host.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/patchbay-load-XXXXXX";
static char path[64]; /* of the file that the tests are about */
static bool no_memory_files;

int __real_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags)
{
	return no_memory_files ? -1 : __real_memfd_create(name, flags);
}

static bool written_at_each_read;

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n)
{
	if (written_at_each_read) {
		int out = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
		assert_int_equal(write(out, "more", 4), 4);
		close(out);
	}
	return __real_read(fd, p, n);
}

/* From "good", or "-moody2/moody". In place, as `cp` does it, or as a new file. */
static void install(const char *fixture, bool in_place)
{
	char from[512], new[128];
	snprintf(from, sizeof from, FIXTURE_DIR "%s%s.so", *fixture == '-' ? "" : "/", fixture);
	snprintf(new, sizeof new, "%s.new", path);
	FILE *in = fopen(from, "rb"), *out = fopen(in_place ? path : new, "wb");
	assert_non_null(in);
	assert_non_null(out);
	static char bytes[1 << 20];
	size_t n = fread(bytes, 1, sizeof bytes, in);
	assert_int_equal(fwrite(bytes, 1, n, out), n);
	fclose(in);
	assert_int_equal(fchmod(fileno(out), 0644), 0);
	fclose(out);
	if (!in_place)
		assert_int_equal(rename(new, path), 0);
}

static const struct table *load(void)
{
	struct file_id id;
	struct err err;
	const struct table *table = load_plugin(path, &id, &err);
	if (!table)
		fail_msg("%s", err.text);
	return table;
}

static void assert_refused(const char *why)
{
	struct file_id id;
	struct err err;
	char wanted[512];
	assert_null(load_plugin(path, &id, &err));
	snprintf(wanted, sizeof wanted, "%s: %s", path, why);
	if (strncmp(err.text, wanted, strlen(wanted)) != 0)
		fail_msg("'%s' instead of '%s'", err.text, wanted);
}

static void explain(patchbay_call *call, patchbay_str sentence)
{
	(void)call;
	assert_string_equal(sentence.p, "nobody is genuine here");
}

static void assert_works(const struct table *table)
{
	static const patchbay_host host = { .explain = explain }, *const self = &host;
	assert_int_equal(table->plugin.source->verify(&self, NULL, NULL, NULL), PATCHBAY_EDENIED);
}

/* How many mappings of plugins this process has. */
static unsigned mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned n = 0;
	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		n += strstr(line, "/memfd:patchbay:it.so") != NULL;
	fclose(f);
	return n;
}

static int setup(void **state)
{
	(void)state;
	no_memory_files = written_at_each_read = false;
	unlink(path);
	return 0;
}

static int setup_all(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/it.so", folder);
	return 0;
}

static int teardown_all(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void what_is_loaded_cannot_be_harmed_by_its_file(void **state)
{
	(void)state;
	install("good", false);
	const struct table *table = load();
	assert_works(table);
	assert_int_equal(truncate(path, 4000), 0);
	assert_works(table);
	assert_refused("it is truncated");
	int fd = open(path, O_WRONLY);
	for (int i = 0; i < 4000; i++)
		assert_int_equal(write(fd, "garbage!", 8), 8);
	close(fd);
	assert_works(table);
	assert_refused("it is not a shared object");
	unlink(path);
	assert_works(table);
	assert_string_equal(table->plugin.version, "1.2.3");
	install("good", false);
	assert_ptr_equal(load(), table);
}

static void the_same_content_is_loaded_once(void **state)
{
	struct err err;
	(void)state;
	install("good", false);
	const struct table *table = load();
	size_t n = load_count();
	unsigned maps = mappings();
	assert_in_range(maps, 1, 100);
	for (int i = 0; i < 20; i++) {
		install("good", i % 2);
		assert_ptr_equal(load(), table);
	}
	patchbay_str dir = str_c(folder);
	for (int i = 0; i < 2; i++) {
		struct registry *registry = registry_create();
		registry_search(registry, (patchbay_strs){ &dir, 1 });
		assert_ptr_equal(registry_find(registry, "good", &err), &table->plugin);
		registry_destroy(registry);
	}
	assert_works(table);
	assert_int_equal(load_count(), n);
	assert_int_equal(mappings(), maps);
}

static void another_build_is_loaded_beside_the_first(void **state)
{
	(void)state;
	for (int in_place = 0; in_place < 2; in_place++) {
		install("-moody/moody", false);
		const struct table *first = load();
		assert_string_equal(first->plugin.version, "1.0.0");
		install("-moody2/moody", in_place);
		const struct table *second = load();
		assert_ptr_not_equal(second, first);
		assert_string_equal(second->plugin.version, "2.0.0");
		assert_true(second->plugin.sink->create != first->plugin.sink->create);
		assert_string_equal(first->plugin.version, "1.0.0");
		install("-moody/moody", in_place);
		assert_ptr_equal(load(), first);
	}
}

static void what_is_refused_costs_nothing_the_second_time(void **state)
{
	(void)state;
	install("liar", false);
	assert_refused("its patchbay_plugin_v1 says that it is");
	size_t n = load_count();
	unsigned maps = mappings();
	for (int i = 0; i < 20; i++)
		assert_refused("its patchbay_plugin_v1 says that it is");
	assert_int_equal(load_count(), n);
	assert_int_equal(mappings(), maps);
}

static void what_is_being_written_is_not_taken(void **state)
{
	(void)state;
	install("good", false);
	written_at_each_read = true;
	assert_refused("it is being written to");
	written_at_each_read = false;
	load(); /* what stands behind a shared object does no harm */
}

static void a_time_stamp_of_tomorrow_is_no_reason_to_refuse(void **state)
{
	const struct timespec tomorrow[2] = { { time(NULL) + 86400, 0 }, { time(NULL) + 86400, 0 } };
	(void)state;
	install("good", false);
	assert_int_equal(utimensat(AT_FDCWD, path, tomorrow, 0), 0);
	assert_works(load());
}

static void an_address_leads_to_its_plugin(void **state)
{
	struct guard_code found;
	uintptr_t here;
	int (*ours)(void **) = setup;
	patchbay_status (*verify)(const void *, patchbay_call *, const patchbay_request *, patchbay_reply *);
	(void)state;
	install("good", false);
	verify = load()->plugin.source->verify;
	memcpy(&here, &verify, sizeof here);
	assert_true(load_find_address(here, &found));
	assert_string_equal(found.path, path);
	assert_string_equal(found.plugin, "good");
	assert_in_range(found.offset, 1, 1 << 20);
	memcpy(&here, &ours, sizeof here);
	assert_false(load_find_address(here, &found));
	assert_false(load_find_address(0, &found));
}

static void append(const char *end)
{
	FILE *f = fopen(path, "ab");
	assert_non_null(f);
	fputs(end, f);
	fclose(f);
}

/* The fixtures are loaded already, from copies: something behind them makes them others. */
static void without_copies_a_file_must_be_replaced_not_written_over(void **state)
{
	(void)state;
	no_memory_files = true;
	install("-moody/moody", false);
	append("1");
	const struct table *first = load();
	assert_string_equal(first->plugin.version, "1.0.0");
	assert_ptr_equal(load(), first);
	append("2"); /* no harm to what runs, but it might have been */
	assert_refused("it was written over while it was in use");
	install("-moody2/moody", false);
	append("3");
	assert_string_equal(load()->plugin.version, "2.0.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_loaded_cannot_be_harmed_by_its_file, setup),
		cmocka_unit_test_setup(the_same_content_is_loaded_once, setup),
		cmocka_unit_test_setup(another_build_is_loaded_beside_the_first, setup),
		cmocka_unit_test_setup(what_is_refused_costs_nothing_the_second_time, setup),
		cmocka_unit_test_setup(what_is_being_written_is_not_taken, setup),
		cmocka_unit_test_setup(a_time_stamp_of_tomorrow_is_no_reason_to_refuse, setup),
		cmocka_unit_test_setup(an_address_leads_to_its_plugin, setup),
		cmocka_unit_test_setup(without_copies_a_file_must_be_replaced_not_written_over, setup),
	};
	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
