/* load.c - everything that can be known about a file without running it is asked before dlopen(), and
 * everything about a plugin before the first call. */
#include "plugin/load.h"

#include "plugin/elf_check.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRY "patchbay_plugin_v1"
#define LATER_MAJORS 9 /* looked for only to say which version a plugin was built for */

_Static_assert(PATCHBAY_ABI_MAJOR == 1, "ENTRY has the major version in its name");

static int check_stat(const struct stat *st, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, "it is not a regular file");
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return err_set(
			err,
			"it belongs to user id %u, and only root and the user that runs patchbay (%u) are trusted "
			"with code; chown it",
			(unsigned)st->st_uid, (unsigned)geteuid());
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, "others than its owner may write to it (mode %03o); chmod go-w it",
			       st->st_mode & 0777u);
	return 0;
}

static int check_file(const char *path, struct file_id *ret_id, struct err *err)
{
	struct stat st;
	int r = -1, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */

	if (fd == -1)
		return err_set(err, "it cannot be opened: %s", strerror(errno));
	if (fstat(fd, &st) != 0) {
		err_set(err, "it cannot be examined: %s", strerror(errno));
		goto out;
	}
	*ret_id = (struct file_id){ st.st_dev, st.st_ino };
	if (check_stat(&st, err) == 0 && elf_check(fd, err) == 0)
		r = 0;
out:
	close(fd);
	return r;
}

static int no_entry(void *handle, struct err *err)
{
	char name[] = "patchbay_plugin_v0";

	for (int major = 0; major <= LATER_MAJORS; major++) {
		name[sizeof(name) - 2] = (char)('0' + major);
		if (dlsym(handle, name))
			return err_set(
				err,
				"it is built for version %d of the plugin interface, this patchbay offers version "
				"%u.%u; get a build of it for that version",
				major, PATCHBAY_ABI_MAJOR, PATCHBAY_ABI_MINOR);
	}
	return err_set(err, "it is not a patchbay plugin: it does not export " ENTRY);
}

/* The table, and how many bytes of it the file has. */
static const patchbay_plugin *find_entry(void *handle, size_t *ret_size, struct err *err)
{
	const ElfW(Sym) *symbol = NULL;
	void *extra = NULL;
	Dl_info info;
	const patchbay_plugin *entry = dlsym(handle, ENTRY);

	if (!entry) {
		no_entry(handle, err);
		return NULL;
	}
	if (!dladdr1(entry, &info, &extra, RTLD_DL_SYMENT) || !(symbol = extra) ||
	    ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT || (uintptr_t)entry % _Alignof(patchbay_plugin)) {
		err_set(err, "its " ENTRY " is not a constant of type patchbay_plugin");
		return NULL;
	}
	*ret_size = symbol->st_size;
	return entry;
}

/* dlerror() begins with the path, as do we. */
static const char *load_error(const char *path)
{
	const char *text = dlerror();
	size_t n = strlen(path);

	if (!text)
		return "for an unknown reason";
	return strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

struct table *load_plugin(const char *path, struct file_id *ret_id, struct err *err)
{
	struct table *table = NULL;
	const patchbay_plugin *entry;
	void *handle;
	struct err why;
	size_t size;

	if (check_file(path, ret_id, &why) != 0)
		goto out;
	if (!(handle = dlopen(path, RTLD_NOW | RTLD_LOCAL))) {
		err_set(&why, "it cannot be loaded: %s", load_error(path));
		goto out;
	}
	if ((entry = find_entry(handle, &size, &why)))
		table = table_create(entry, size, &why);
out:
	if (!table)
		err_set(err, "%s: %s", path, why.text);
	return table;
}
