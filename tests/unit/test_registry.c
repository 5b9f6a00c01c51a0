#include "plugin/host.h"

#include "base/mem.h"
#include "base/str.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/patchbay-registry-XXXXXX";
static char path[512];
static struct registry *registry;

static void empty_folder(void)
{
	char *command = xasprintf("rm -rf '%s'/*", folder);

	assert_int_equal(system(command), 0);
	free(command);
}

static int setup_all(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown_all(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int setup(void **state)
{
	(void)state;
	registry = registry_create();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	registry_destroy(registry);
	empty_folder();
	return 0;
}

static char *read_fixture(const char *name, size_t *ret_n)
{
	snprintf(path, sizeof(path), FIXTURE_DIR "/%s.so", name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	char *bytes = xmalloc(1 << 20);
	*ret_n = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	return bytes;
}

/* Afterwards `path` is that of the file. */
static void write_file(const char *name, const char *bytes, size_t n)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	fchmod(fd, 0644);
	close(fd);
}

static void install(const char *fixture, const char *as)
{
	size_t n;
	char *bytes = read_fixture(fixture, &n);

	write_file(as, bytes, n);
	free(bytes);
}

static void search(void)
{
	patchbay_str dirs[] = { str_c(folder) };

	registry_search(registry, (patchbay_strs){ dirs, 1 });
}

/* The only file of the folder is refused, and the sentence says so, naming it. */
static void assert_refused(const char *why)
{
	search();
	assert_int_equal(registry_count(registry), 1);
	const struct registry_entry *e = registry_at(registry, 0);
	assert_null(e->plugin);
	assert_non_null(e->refused);
	assert_string_equal(e->path, path);
	assert_memory_equal(e->refused, path, strlen(path));
	if (!strstr(e->refused, why))
		fail_msg("'%s' lacks '%s'", e->refused, why);
}

static void test_finds_a_plugin_by_its_own_name(void **state)
{
	struct err err;
	(void)state;

	install("good", "whatever.so");
	search();
	const patchbay_plugin *plugin = registry_find(registry, "good", &err);
	assert_non_null(plugin);
	assert_string_equal(plugin->version, "1.2.3");
	assert_string_equal(plugin->source->options[1].name, "mode");
	assert_int_equal(plugin->source->provider->answer_ms, 0);
	assert_int_equal(registry_count(registry), 1);
	assert_ptr_equal(registry_at(registry, 0)->plugin, plugin);
	assert_null(registry_at(registry, 0)->refused);
	assert_null(registry_find(registry, "whatever", &err));
	assert_string_equal(err.text, "there is no plugin 'whatever'; there are: good");
	assert_null(registry_find(registry, "goood", &err));
	assert_string_equal(err.text, "there is no plugin 'goood'; did you mean 'good'?");
}

static void test_a_plugin_of_a_later_minor_version_is_cut_to_size(void **state)
{
	struct err err;
	(void)state;

	install("later", "later.so");
	search();
	const patchbay_plugin *plugin = registry_find(registry, "later", &err);
	if (!plugin)
		fail_msg("%s", err.text);
	assert_int_equal(plugin->size, sizeof(patchbay_plugin));
	assert_int_equal(plugin->abi_minor, 7);
	assert_int_equal(plugin->source->size, sizeof(patchbay_source));
	assert_int_equal(plugin->source->options[1].size, sizeof(patchbay_option));
	assert_string_equal(plugin->source->options[0].name, "word");
	assert_string_equal(plugin->source->options[1].name, "mode");
	assert_int_equal(plugin->source->provider->answer_ms, 3000);
	assert_string_equal(plugin->summary, "");
}

static void test_says_which_version_a_plugin_is_built_for(void **state)
{
	struct err err;
	(void)state;

	install("future", "future.so");
	assert_refused("built for version 2 of the plugin interface, this patchbay offers version 1.0");
	assert_null(registry_find(registry, "future", &err));
	assert_non_null(strstr(err.text, "plugin 'future' was refused: "));
	assert_non_null(strstr(err.text, "version 2"));
	empty_folder();
	registry_destroy(registry);
	registry = registry_create();
	install("past", "past.so");
	assert_refused("built for version 0 of the plugin interface, this patchbay offers version 1.0");
}

static void test_a_plugin_that_needs_a_later_minor_version_is_refused(void **state)
{
	(void)state;
	install("needy", "needy.so");
	assert_refused("needs version 1.7 of the plugin interface, this patchbay offers 1.0");
}

static void test_refuses_shared_objects_that_are_no_plugins(void **state)
{
	(void)state;
	install("stranger", "stranger.so");
	assert_refused("it does not export patchbay_plugin_v1");
}

static void test_refuses_a_table_that_is_too_short(void **state)
{
	(void)state;
	install("short", "short.so");
	assert_refused("is 8 bytes long, but version 1.0 has 64");
}

static void test_refuses_a_table_that_says_it_is_longer_than_it_is(void **state)
{
	(void)state;
	install("liar", "liar.so");
	assert_refused("says that it is 128 bytes long, but is 64");
}

static void test_refuses_a_function_in_place_of_the_table(void **state)
{
	(void)state;
	install("function", "function.so");
	assert_refused("is not a constant of type patchbay_plugin");
}

static void test_names_what_a_plugin_was_not_linked_with(void **state)
{
	(void)state;
	install("unresolved", "unresolved.so");
	assert_refused("cannot be loaded: undefined symbol: missing_function_of_a_library");
}

static void test_refuses_what_is_no_elf_file(void **state)
{
	(void)state;
	write_file("text.so", "#!/bin/sh\necho hello, world\n", 28);
	assert_refused("not a shared object (no ELF file)");
	empty_folder();
	write_file("empty.so", "", 0);
	registry_destroy(registry);
	registry = registry_create();
	assert_refused("not a shared object (no ELF file, 0 bytes)");
}

static void test_refuses_truncated_files_at_any_length(void **state)
{
	size_t n;
	char *bytes = read_fixture("good", &n);
	(void)state;

	for (size_t length = 16; length < n; length += length < 256 ? 1 : 512) {
		registry_destroy(registry);
		registry = registry_create();
		write_file("cut.so", bytes, length);
		assert_refused("it is truncated");
	}
	free(bytes);
}

static void test_says_for_which_machine_a_plugin_is_built(void **state)
{
	size_t n;
	char *bytes = read_fixture("good", &n);
	Elf64_Ehdr *header = (Elf64_Ehdr *)bytes;
	unsigned machine = header->e_machine;
	(void)state;

	header->e_machine = machine == EM_S390 ? EM_RISCV : EM_S390;
	write_file("other.so", bytes, n);
	assert_refused(machine == EM_S390 ? "it is built for RISC-V, this"
					  : "it is built for S/390, this patchbay for ");
	header->e_machine = (Elf64_Half)machine;

	bytes[EI_CLASS] = bytes[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;
	write_file("other.so", bytes, n);
	assert_refused("-bit machine, this patchbay for a ");
	bytes[EI_CLASS] = bytes[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;

	bytes[EI_DATA] = bytes[EI_DATA] == ELFDATA2LSB ? ELFDATA2MSB : ELFDATA2LSB;
	write_file("other.so", bytes, n);
	assert_refused("byte order");
	bytes[EI_DATA] = bytes[EI_DATA] == ELFDATA2LSB ? ELFDATA2MSB : ELFDATA2LSB;

	header->e_type = ET_REL;
	write_file("other.so", bytes, n);
	assert_refused("another kind of ELF file");
	free(bytes);
}

static void test_refuses_files_that_others_may_change(void **state)
{
	(void)state;
	install("good", "good.so");
	chmod(path, 0664);
	assert_refused("others than its owner may write to it (mode 664)");
	chmod(path, 0646);
	assert_refused("(mode 646)");
	if (geteuid() == 0) {
		chmod(path, 0644);
		assert_int_equal(chown(path, 12345, 0), 0);
		assert_refused("it belongs to user id 12345");
	}
}

static void test_what_was_mended_is_found_by_the_next_search(void **state)
{
	struct err err;
	(void)state;

	install("good", "good.so");
	chmod(path, 0666);
	assert_refused("may write");
	chmod(path, 0644);
	search();
	assert_int_equal(registry_count(registry), 1);
	const patchbay_plugin *plugin = registry_find(registry, "good", &err);
	assert_non_null(plugin);
	search(); /* once more changes nothing */
	assert_int_equal(registry_count(registry), 1);
	assert_ptr_equal(registry_find(registry, "good", &err), plugin);
}

static void test_refuses_what_is_not_a_file(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/folder.so", folder);
	mkdir(path, 0755);
	assert_refused("not a regular file");
	empty_folder();
	registry_destroy(registry);
	registry = registry_create();
	snprintf(path, sizeof(path), "%s/fifo.so", folder);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_refused("not a regular file");
	unlink(path);
	registry_destroy(registry);
	registry = registry_create();
	snprintf(path, sizeof(path), "%s/dangling.so", folder);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_refused("cannot be opened: No such file");
}

static void test_the_first_of_a_name_wins(void **state)
{
	struct err err;
	(void)state;

	install("good", "a.so");
	install("twin", "b.so");
	search();
	assert_int_equal(registry_count(registry), 2);
	assert_string_equal(registry_find(registry, "good", &err)->version, "1.2.3");
	assert_null(registry_at(registry, 1)->plugin);
	assert_non_null(strstr(registry_at(registry, 1)->refused, "/b.so: it is hidden by "));
	assert_non_null(strstr(registry_at(registry, 1)->refused, "/a.so"));
	assert_non_null(strstr(registry_at(registry, 1)->refused, "version 1.2.3, this is 9.9.9"));
}

static void test_the_same_file_by_two_ways_is_one(void **state)
{
	char *link_path = xasprintf("%s/z.so", folder);
	(void)state;

	install("good", "a.so");
	assert_int_equal(symlink("a.so", link_path), 0);
	free(link_path);
	search();
	assert_int_equal(registry_count(registry), 1);
}

static void test_other_files_are_left_alone(void **state)
{
	(void)state;
	write_file("README", "x", 1);
	write_file("x.so.1", "x", 1);
	write_file(".hidden.so", "x", 1);
	search();
	assert_int_equal(registry_count(registry), 0);
	char *hidden = xasprintf("%s/.hidden.so", folder);
	unlink(hidden);
	free(hidden);
}

static void test_a_missing_folder_is_noted_and_the_others_are_searched(void **state)
{
	patchbay_str dirs[] = { STR("/nonexistent/plugins/"), str_c(folder) };
	struct err err;
	(void)state;

	install("good", "good.so");
	registry_search(registry, (patchbay_strs){ dirs, 2 });
	assert_non_null(registry_find(registry, "good", &err));
	assert_int_equal(registry_count(registry), 2);
	assert_string_equal(registry_at(registry, 0)->refused, "/nonexistent/plugins: there is no such folder");
}

static void test_with_no_plugins_at_all_it_says_where_it_looked(void **state)
{
	struct err err;
	(void)state;

	assert_null(registry_find(registry, "good", &err));
	assert_non_null(strstr(err.text, "searched: no folder"));
	search();
	assert_null(registry_find(registry, "good", &err));
	assert_non_null(strstr(err.text, folder));
	assert_non_null(strstr(err.text, "PATCHBAY_PLUGIN_PATH"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_finds_a_plugin_by_its_own_name),
		TEST(test_a_plugin_of_a_later_minor_version_is_cut_to_size),
		TEST(test_says_which_version_a_plugin_is_built_for),
		TEST(test_a_plugin_that_needs_a_later_minor_version_is_refused),
		TEST(test_refuses_shared_objects_that_are_no_plugins),
		TEST(test_refuses_a_table_that_is_too_short),
		TEST(test_refuses_a_table_that_says_it_is_longer_than_it_is),
		TEST(test_refuses_a_function_in_place_of_the_table),
		TEST(test_names_what_a_plugin_was_not_linked_with),
		TEST(test_refuses_what_is_no_elf_file),
		TEST(test_refuses_truncated_files_at_any_length),
		TEST(test_says_for_which_machine_a_plugin_is_built),
		TEST(test_refuses_files_that_others_may_change),
		TEST(test_what_was_mended_is_found_by_the_next_search),
		TEST(test_refuses_what_is_not_a_file),
		TEST(test_the_first_of_a_name_wins),
		TEST(test_the_same_file_by_two_ways_is_one),
		TEST(test_other_files_are_left_alone),
		TEST(test_a_missing_folder_is_noted_and_the_others_are_searched),
		TEST(test_with_no_plugins_at_all_it_says_where_it_looked),
	};
	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
