/* test_act_disk.c - what a sink says of events when files cannot be written, and what it leaves in them. */
#include "conform/tests.h"

#include "base/mem.h"
#include "conform/deed.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAILURES 20 /* in a row */
#define SHORT 10    /* bytes that fit onto a disk that is full then */

static struct buf written; /* all files of a tree, one behind the other */

static int add_file(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	FILE *f = kind == FTW_F && st->st_size < (1 << 20) ? fopen(path, "re") : NULL;
	(void)ftw;

	if (!f)
		return 0;
	char *room = buf_grow(&written, (size_t)st->st_size);
	written.n += fread(room, 1, (size_t)st->st_size, f);
	fclose(f);
	return 0;
}

static bool is_written(patchbay_str text)
{
	return written.n >= text.n && memmem(written.p, written.n, text.p, text.n);
}

static int remove_it(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit now;

	getrlimit(RLIMIT_FSIZE, &now);
	now.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &now);
}

static void must_not_write(struct kit *kit, const char *what)
{
	struct process_size before, after;
	struct deed deed;

	memset(&deed, 0, sizeof(deed));
	deed.kit = kit;
	kit_what(kit, "%s", what);
	deed_open(&deed, kit); /* which may refuse, and so skip the rest */
	for (size_t n = 1; n <= 3; n++) {
		size_t ok = deed_act(&deed, n);
		if (ok) {
			limit_files(RLIM_INFINITY);
			kit_fail(kit,
				 "act() says OK for %zu of %zu events while %s; look at what open(), write(), fsync() "
				 "and close() return, and whether all of it was written",
				 ok, n, what);
		}
	}
	process_measure(&before);
	for (int i = 0; i < FAILURES; i++)
		deed_act(&deed, 1);
	process_measure(&after);
	if (after.descriptors >= before.descriptors + FAILURES) {
		limit_files(RLIM_INFINITY);
		kit_fail(kit,
			 "after %d calls of act() while %s, %zu more descriptors are open; close them when something "
			 "fails, too",
			 FAILURES, what, after.descriptors - before.descriptors);
	}
	deed_close(&deed);
}

void test_act_disk(struct kit *kit)
{
	char *folder = xasprintf("%s/work", kit->folder);
	struct rlimit now;
	struct deed deed;
	bool uses_http;

	process_isolate_network();
	getrlimit(RLIMIT_FSIZE, &now);
	deed_open(&deed, kit);
	(void)deed_find_good(&deed, &uses_http);
	size_t ok = deed_act(&deed, 3);
	(void)nftw(folder, add_file, 16, FTW_PHYS); /* while it is open: OK means that it is there */
	if (!ok || written.n == 0)
		kit_skip(kit, "it writes no file that the kit could see");
	for (size_t i = 1; i < 3 && is_written(deed.events[0].id); i++)
		if (deed.results[i].status == PATCHBAY_OK && !is_written(deed.events[i].id))
			kit_fail(kit, "act() says OK for event %zu of 3, of which nothing is in its file", i + 1);
	patchbay_str first = deed.events[0].id;
	bool was_written = is_written(first) && deed.results[0].status == PATCHBAY_OK;
	ok = deed_act(&deed, 1);
	written.n = 0;
	(void)nftw(folder, add_file, 16, FTW_PHYS);
	if (ok && was_written && !is_written(first))
		kit_fail(kit,
			 "after the next call of act() an event is in no file any more for which it said OK; append, "
			 "and do not begin a file anew");
	deed_close(&deed);
	signal(SIGXFSZ, SIG_IGN);
	for (int i = 0; i < 2; i++) {
		(void)nftw(folder, remove_it, 16, FTW_DEPTH | FTW_PHYS);
		mkdir(folder, 0700);
		limit_files(i ? SHORT : 0);
		must_not_write(kit, i ? "the disk is full after a few bytes" : "the disk is full");
		limit_files(now.rlim_cur);
	}
	(void)nftw(folder, remove_it, 16, FTW_DEPTH | FTW_PHYS);
	FILE *f = fopen(folder, "we");
	if (f)
		fclose(f);
	must_not_write(kit, "its folder is gone");
	(void)remove(folder);
	free(folder);
}
