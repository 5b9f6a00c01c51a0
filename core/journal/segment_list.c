/* segment_list.c - which segments, or files beside them, there are in a folder. */
#include "journal/segment.h"

#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct list {
	uint64_t *v;
	size_t n, room;
};

static void add(struct list *list, uint64_t number)
{
	size_t i = list->n;
	if (list->n == list->room) {
		list->room = list->room ? list->room * 2 : 64;
		list->v = xrealloc(list->v, list->room * sizeof *list->v);
	}
	for (; i > 0 && list->v[i - 1] > number; i--)
		list->v[i] = list->v[i - 1];
	list->v[i] = number;
	list->n++;
}

/* Of files that come into a folder while it is read, one may be missed and a later one not. */
static void add_missed(struct list *list, int dir, const char *suffix)
{
	for (size_t i = 0; i + 1 < list->n; i++) {
		char name[SEGMENT_NAME_SIZE];
		uint64_t next = list->v[i] + 1;
		segment_name(next, suffix, name);
		if (next < list->v[i + 1] && faccessat(dir, name, F_OK, 0) == 0)
			add(list, next);
	}
}

int segment_list(int dir, const char *suffix, uint64_t **ret, size_t *ret_n)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd == -1 ? NULL : fdopendir(fd);
	struct list list = { 0 };
	if (!d)
		return -1;
	for (struct dirent *e; (e = readdir(d));) {
		uint64_t number;
		if (segment_parse_name(e->d_name, suffix, &number))
			add(&list, number);
	}
	closedir(d);
	add_missed(&list, dir, suffix);
	*ret = list.v;
	*ret_n = list.n;
	return 0;
}
