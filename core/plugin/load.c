/* load.c - everything that can be known about a file without running it is asked before dlopen(), and
 * everything about a plugin before the first call. What was mapped once is remembered by its content, refused or not:
 * however often the folders are searched, memory grows only by what is really new. */
#include "plugin/load.h"

#include "base/mem.h"
#include "plugin/elf_check.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRY "patchbay_plugin_v1"
#define LIMIT_MS 20000 /* for a file to be loaded */
#define LATER_MAJORS 9 /* looked for only to say which version a plugin was built for */

_Static_assert(PATCHBAY_ABI_MAJOR == 1, "ENTRY has the major version in its name");

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

/* ---- What is mapped where */

#define PLACES_MAX 1024 /* more than that cannot be found by their addresses, and work all the same */

static struct place {
	uintptr_t base, from, to;
	const char *path, *plugin;
} places[PLACES_MAX]; /* never changed once they are counted, so that a signal handler may read them */
static atomic_size_t n_places;

struct wanted {
	uintptr_t base;
	struct place *place;
};

static int note_range(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct wanted *wanted = ctx;
	(void)size;
	if (info->dlpi_addr != wanted->base)
		return 0;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t from = wanted->base + part->p_vaddr, to = from + part->p_memsz;
		if (part->p_type != PT_LOAD)
			continue;
		if (!wanted->place->to || from < wanted->place->from)
			wanted->place->from = from;
		if (to > wanted->place->to)
			wanted->place->to = to;
	}
	return 1;
}

static void note_place(void *handle, const char *path, const struct table *table)
{
	size_t n = atomic_load(&n_places);
	struct link_map *map;
	if (n == PLACES_MAX || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
		return;
	struct wanted wanted = { map->l_addr, &places[n] };
	places[n] = (struct place){ .base = map->l_addr,
				    .path = xstrdup(path),
				    .plugin = table ? table->plugin.name : NULL };
	dl_iterate_phdr(note_range, &wanted);
	atomic_store(&n_places, n + 1);
}

bool load_find_address(uintptr_t pc, struct guard_code *ret)
{
	size_t n = atomic_load(&n_places);
	for (size_t i = 0; i < n; i++) {
		if (pc < places[i].from || pc >= places[i].to)
			continue;
		*ret = (struct guard_code){ places[i].path, places[i].plugin, pc - places[i].base };
		return true;
	}
	return false;
}

/* ---- Builds */

static struct {
	pthread_mutex_t lock;
	struct build {
		uint64_t size, hash[2];
		struct file_id mapped; /* the file, where it could not be copied; else zero */
		char *path;            /* where it was last found */
		int fd;                /* of what is mapped */
		struct table *table;   /* or else */
		char *refused;         /* one sentence, without the path */
	} * v;
	size_t n;
} builds = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct build *find_build(const struct image *image)
{
	for (size_t i = 0; i < builds.n; i++)
		if (builds.v[i].size == image->size && memcmp(builds.v[i].hash, image->hash, sizeof image->hash) == 0)
			return &builds.v[i];
	return NULL;
}

/* The dynamic linker knows files by their inodes, and would hand out what it has. */
static bool is_mapped(const struct image *image)
{
	for (size_t i = 0; !image->copied && i < builds.n; i++)
		if (builds.v[i].mapped.dev == image->file.dev && builds.v[i].mapped.ino == image->file.ino)
			return true;
	return false;
}

/* dlerror() begins with the path that it was given. */
static const char *load_error(const char *path)
{
	const char *text = dlerror();
	size_t n = strlen(path);

	if (!text)
		return "for an unknown reason";
	return strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool in_place;

void load_in_place(void)
{
	in_place = true;
}

/* Every descriptor is another name, without which the dynamic linker would take it for what it has already; so the
 * descriptor stays open, and debuggers find the file there. NULL: err, and nothing is mapped. */
static struct build *map(const char *path, struct image *image, struct err *err)
{
	char name[PATH_MAX];
	struct err why;
	size_t size;
	snprintf(name, sizeof name, "/proc/%ld/fd/%d", (long)getpid(), image->fd);
	if (access(name, R_OK) != 0) /* a /proc that numbers processes otherwise */
		snprintf(name, sizeof name, "/proc/self/fd/%d", image->fd);
	if (elf_check(image->fd, err) != 0)
		return NULL;
	char parked[256];
	if (guard_parked(GUARD_PLUGIN, last_part(path), parked)) {
		err_set(err, "%s", parked);
		return NULL;
	}
	if (is_mapped(image)) {
		err_set(err, "it was written over while it was in use, and this system lets no copies of it be run; "
			     "remove the file, and install it again");
		return NULL;
	}
	if (in_place) { /* a bare name would be searched for among the system's libraries */
		image_drop(image);
		snprintf(name, sizeof name, "%s%s", strchr(path, '/') ? "" : "./", path);
	}
	const struct guard_note note = { .call = GUARD_LOAD,
					 .side = GUARD_PLUGIN,
					 .plugin = last_part(path),
					 .instance = last_part(path),
					 .limit_ms = LIMIT_MS };
	guard_enter(&note); /* its constructors are run */
	void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	guard_leave();
	if (!handle) {
		err_set(err, "it cannot be loaded: %s", load_error(name));
		return NULL;
	}
	struct build build = { .size = image->size, .fd = image->fd };
	image->fd = -1;
	if (!image->copied)
		build.mapped = image->file;
	memcpy(build.hash, image->hash, sizeof build.hash);
	const patchbay_plugin *entry = find_entry(handle, &size, &why);
	if (entry)
		build.table = table_create(entry, size, &why);
	if (!build.table)
		build.refused = xstrdup(why.text);
	note_place(handle, path, build.table);
	builds.v = xrealloc(builds.v, (builds.n + 1) * sizeof *builds.v);
	builds.v[builds.n] = build;
	return &builds.v[builds.n++];
}

/* ---- Across a crash */

static bool from_kept;

static char *kept_name(const char *path)
{
	return xasprintf("plugin %s", path);
}

static int kept_image(const char *path)
{
	char *name = kept_name(path);
	int fd = guard_kept(name);
	free(name);
	return fd;
}

/* Of several builds that were found at one place, the last one is there. */
static void remember_path(struct build *build, const char *path)
{
	for (size_t i = 0; i < builds.n; i++) {
		if (!builds.v[i].path || strcmp(builds.v[i].path, path) != 0)
			continue;
		free(builds.v[i].path);
		builds.v[i].path = NULL;
	}
	free(build->path);
	build->path = xstrdup(path);
}

void load_keep(void)
{
	pthread_mutex_lock(&builds.lock);
	for (size_t i = 0; i < builds.n; i++) {
		char *name = builds.v[i].path && builds.v[i].table ? kept_name(builds.v[i].path) : NULL;
		if (name)
			guard_keep(name, builds.v[i].fd);
		free(name);
	}
	pthread_mutex_unlock(&builds.lock);
}

void load_kept(bool kept)
{
	from_kept = kept;
}

const struct table *load_plugin(const char *path, struct file_id *ret_id, struct err *err)
{
	const struct table *table = NULL;
	struct image image;
	struct err why;

	int kept = from_kept ? kept_image(path) : -1, taken;
	if (kept != -1)
		taken = image_take_copy(kept, &image, &why);
	else if (from_kept) /* it may be what the worker crashed with */
		image = (struct image){ .fd = -1 }, taken = err_set(&why, "it was not at work before the crash");
	else
		taken = image_take(path, &image, &why);
	*ret_id = image.file;
	if (taken == 0) {
		pthread_mutex_lock(&builds.lock);
		struct build *build = find_build(&image);
		if (!build)
			build = map(path, &image, &why);
		if (build)
			remember_path(build, path);
		if (build && build->table)
			table = build->table;
		else if (build)
			err_set(&why, "%s", build->refused);
		pthread_mutex_unlock(&builds.lock);
		image_drop(&image);
	}
	if (!table)
		err_set(err, "%s: %s", path, why.text);
	return table;
}

size_t load_count(void)
{
	pthread_mutex_lock(&builds.lock);
	size_t n = builds.n;
	pthread_mutex_unlock(&builds.lock);
	return n;
}
