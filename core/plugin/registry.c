/* registry.c - the plugins that were found, and why others were not taken. */
#include "base/mem.h"
#include "base/str.h"
#include "config/fault.h"
#include "net/http_memory.h"
#include "plugin/host.h"
#include "plugin/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".so"

struct entry {
	struct registry_entry public;
	const struct table *table; /* stays when this goes; NULL: refused */
	char *path, *refused;
	char *name; /* as find() is asked for it: the plugin's, or else the file's without .so */
	struct file_id id;
};

struct registry {
	struct entry **v; /* one by one on the heap: what registry_at() returned stays valid */
	size_t n;
	struct buf dirs; /* "a, b", for sentences */
};

struct registry *registry_create(void)
{
	http_memory_init(); /* a plugin may bring libcurl along */
	return xcalloc(1, sizeof(struct registry));
}

static void entry_free(struct entry *e)
{
	free(e->path);
	free(e->refused);
	free(e->name);
	free(e);
}

void registry_destroy(struct registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		entry_free(r->v[i]);
	free(r->v);
	buf_free(&r->dirs);
	free(r);
}

/* Takes over the name. refused: copied; NULL exactly when there is a table. */
static void add(struct registry *r, const char *path, char *name, const struct table *table, struct file_id id,
		const char *refused)
{
	struct entry *e = xcalloc(1, sizeof(*e));

	*e = (struct entry){ .table = table, .path = xstrdup(path), .name = name, .id = id };
	e->refused = refused ? xstrdup(refused) : NULL;
	e->public = (struct registry_entry){ e->path, table ? &table->plugin : NULL, e->refused };
	r->v = xrealloc(r->v, (r->n + 1) * sizeof(struct entry *));
	r->v[r->n++] = e;
}

static struct entry *loaded_as(const struct registry *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i]->table && strcmp(r->v[i]->name, name) == 0)
			return r->v[i];
	return NULL;
}

static bool is_loaded(const struct registry *r, struct file_id id)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i]->table && r->v[i]->id.dev == id.dev && r->v[i]->id.ino == id.ino)
			return true;
	return false;
}

/* What was refused may have been mended when the folders are searched again. */
static void forget_refused(struct registry *r, const char *path)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i]->table || strcmp(r->v[i]->path, path) != 0)
			continue;
		entry_free(r->v[i]);
		memmove(&r->v[i], &r->v[i + 1], (--r->n - i) * sizeof(struct entry *));
		return;
	}
}

static void add_file(struct registry *r, const char *path)
{
	struct file_id id = { 0 };
	struct err err;
	struct entry *first;
	const struct table *table = load_plugin(path, &id, &err);

	forget_refused(r, path);
	if (is_loaded(r, id))
		return;
	if (!table) {
		const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
		add(r, path, xstrndup(file, strlen(file) - strlen(SUFFIX)), NULL, id, err.text);
		return;
	}
	char *name = xstrdup(table->plugin.name);
	if ((first = loaded_as(r, name))) {
		err_set(&err,
			"%s: it is hidden by %s, found before it, which has a plugin named '%s', too (version %s, this "
			"is %s)",
			path, first->path, name, first->table->plugin.version, table->plugin.version);
		add(r, path, name, NULL, id, err.text);
		return;
	}
	add(r, path, name, table, id, NULL);
}

static bool has_suffix(const char *path)
{
	size_t n = strlen(path), suffix = strlen(SUFFIX);

	return n > suffix && strcmp(path + n - suffix, SUFFIX) == 0;
}

static int is_plugin_file(const struct dirent *d)
{
	return d->d_name[0] != '.' && has_suffix(d->d_name);
}

static void search_folder(struct registry *r, const char *dir)
{
	struct dirent **files = NULL;
	int n = scandir(dir, &files, is_plugin_file, alphasort);

	if (n < 0) {
		char *why = errno == ENOENT ? xasprintf("%s: there is no such folder", dir)
					    : xasprintf("%s: the folder cannot be read: %s", dir, strerror(errno));
		forget_refused(r, dir);
		add(r, dir, xstrdup(""), NULL, (struct file_id){ 0 }, why);
		free(why);
		return;
	}
	forget_refused(r, dir);
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", dir, files[i]->d_name);
		add_file(r, path);
		free(path);
		free(files[i]);
	}
	free(files);
}

void registry_search(struct registry *r, patchbay_strs dirs)
{
	r->dirs.n = 0;
	for (size_t i = 0; i < dirs.n; i++) {
		patchbay_str text = dirs.v[i];
		while (text.n > 1 && text.p[text.n - 1] == '/')
			text.n--;
		char *dir = xstrndup(text.p, text.n);
		buf_addf(&r->dirs, "%s%s", r->dirs.n ? ", " : "", dir);
		search_folder(r, dir);
		free(dir);
	}
}

size_t registry_count(const struct registry *r)
{
	return r->n;
}

const struct registry_entry *registry_at(const struct registry *r, size_t i)
{
	return &r->v[i]->public;
}

/* "there is no plugin 'x'", and what there is instead. */
static void explain_unknown(struct registry *r, const char *name, struct err *err)
{
	const char **names = xcalloc(r->n + 1, sizeof(*names));
	struct buf list = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (!r->v[i]->table)
			continue;
		buf_addf(&list, "%s%s", n ? ", " : "", r->v[i]->name);
		names[n++] = r->v[i]->name;
	}
	const char *nearest = str_nearest(str_c(name), names, n);
	if (nearest)
		err_set(err, "there is no plugin '%s'; did you mean '%s'?", name, nearest);
	else if (n)
		err_set(err, "there is no plugin '%s'; there are: %s", name, buf_cstr(&list));
	else
		err_set(err,
			"there is no plugin '%s', nor any other (searched: %s); set PATCHBAY_PLUGIN_PATH or 'plugins:'",
			name, r->dirs.n ? buf_cstr(&r->dirs) : "no folder");
	buf_free(&list);
	free(names);
}

const patchbay_plugin *registry_find(struct registry *r, const char *name, struct err *err)
{
	struct entry *e = loaded_as(r, name);

	if (e)
		return e->public.plugin;
	for (size_t i = 0; i < r->n; i++) {
		if (!r->v[i]->table && strcmp(r->v[i]->name, name) == 0) {
			err_set(err, "plugin '%s' was refused: %s", name, r->v[i]->refused);
			return NULL;
		}
	}
	explain_unknown(r, name, err);
	return NULL;
}

static bool said_already(const struct config_faults *faults, const char *sentence)
{
	for (size_t i = 0; i < faults->n; i++)
		if (strstr(faults->v[i].message, sentence))
			return true;
	return false;
}

void registry_warn(const struct registry *r, const char *config_path, struct config_faults *list)
{
	struct faults faults = { .path = config_path, .list = list };
	for (size_t i = 0; i < r->n; i++) {
		const struct registry_entry *e = &r->v[i]->public;
		bool file = has_suffix(e->path); /* else it is a folder that is missing */
		if (e->refused && file && !said_already(list, e->refused))
			fault_warning(&faults, 0, 0, "a plugin is not taken: %s", e->refused);
	}
}
