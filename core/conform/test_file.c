/* test_file.c - the file, and what loading it does. */
#include "conform/tests.h"

#include "base/clock.h"
#include "conform/elf.h"
#include "plugin/load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRY "patchbay_plugin_v1"
#define LOAD_MS 100
#define TRIES 4 /* a busy machine must not be held against it */

/* How long it takes a fresh process, in microseconds; -1: unknown. */
static int64_t time_loading(struct kit *kit)
{
	int ends[2];
	int64_t us = -1;

	if (pipe(ends) != 0)
		return -1;
	pid_t child = fork();
	if (child == 0) {
		struct file_id id;
		struct err err;
		int64_t began = clock_steady_ns();
		(void)load_plugin(kit->order->path, &id, &err);
		us = (clock_steady_ns() - began) / 1000;
		_exit(write(ends[1], &us, sizeof(us)) != (ssize_t)sizeof(us));
	}
	close(ends[1]);
	if (child < 0 || read(ends[0], &us, sizeof(us)) != (ssize_t)sizeof(us))
		us = -1;
	close(ends[0]);
	if (child > 0)
		(void)waitpid(child, NULL, 0);
	return us;
}

void test_file_loads(struct kit *kit)
{
	int64_t best = -1;
	struct process_size before, after;

	for (int i = 0; i < TRIES && (best < 0 || best > LOAD_MS * 1000) && !kit->order->in_process; i++) {
		int64_t us = time_loading(kit);
		if (us >= 0 && (best < 0 || us < best))
			best = us;
	}
	process_measure(&before);
	kit_load(kit);
	process_measure(&after);
	kit->shared->loads = true;
	kit->shared->has[SIDE_SOURCE] = kit->plugin->source != NULL;
	kit->shared->has[SIDE_SINK] = kit->plugin->sink != NULL;
	if (after.threads > before.threads)
		kit_fail(kit, "loading it starts %zu threads; a plugin starts none before create()",
			 after.threads - before.threads);
	if (after.descriptors > before.descriptors)
		kit_fail(kit, "loading it opens %zu descriptors; a plugin opens none before create()",
			 after.descriptors - before.descriptors);
	if (best > LOAD_MS * 1000 && !KIT_SANITIZED)
		kit_fail(kit,
			 "loading it takes %lld ms; %d ms are the limit: what it prepares while it is loaded belongs "
			 "into create()",
			 (long long)best / 1000, LOAD_MS);
	if (best >= 0)
		kit_info(kit, "%lld.%03lld ms", (long long)best / 1000, (long long)best % 1000);
}

static void read_elf(struct kit *kit, struct elf *elf)
{
	struct err err;

	if (!kit->shared->loads)
		kit_skip(kit, "the plugin could not be loaded; see file.loads");
	if (elf_read(kit->order->path, elf, &err) != 0)
		kit_fail(kit, "%s", err.text);
}

void test_file_exports(struct kit *kit)
{
	struct elf elf;
	struct buf stray = { 0 };
	size_t n = 0;

	read_elf(kit, &elf);
	if (elf.no_sections)
		kit_skip(kit, "the file has no section headers, so its symbols cannot be listed; build it without "
			      "stripping them");
	for (size_t i = 0; i < elf.n_exported; i++)
		if (strcmp(elf.exported[i], ENTRY) != 0 && strncmp(elf.exported[i], "__odr_asan.", 11) != 0 &&
		    n++ < 8) /* AddressSanitizer's */
			buf_addf(&stray, "%s%s", stray.n ? ", " : "", elf.exported[i]);
	if (n > 0)
		kit_fail(kit,
			 "exports %zu more symbols than " ENTRY
			 ": %s%s; compile with -fvisibility=hidden, or link with "
			 "a version script { global: " ENTRY "; local: *; };",
			 n, buf_cstr(&stray), n > 8 ? ", ..." : "");
	elf_free(&elf);
}
