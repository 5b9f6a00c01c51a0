/* temp_dir.h - a temporary folder for one test. */
#ifndef TESTS_TEMP_DIR_H
#define TESTS_TEMP_DIR_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline char *temp_dir_make(void)
{
	const char *base = getenv("TMPDIR");
	char path[256];
	snprintf(path, sizeof path, "%s/patchbay-test-XXXXXX", base ? base : "/tmp");
	return mkdtemp(path) ? strdup(path) : NULL;
}

static inline int temp_dir_unlink(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* Removes the folder with all that is in it, and frees the path. */
static inline void temp_dir_remove(char *path)
{
	if (path)
		nftw(path, temp_dir_unlink, 16, FTW_DEPTH | FTW_PHYS);
	free(path);
}

#endif
