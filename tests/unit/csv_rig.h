/* csv_rig.h - for the tests of csv-export: the real plugin under a host whose clock and journal are the
 * test's, a folder of its own, and a little reader of RFC 4180 that shares no code with the plugin. */
#ifndef TESTS_CSV_RIG_H
#define TESTS_CSV_RIG_H

#include "fake_host.h"

#include <patchbay/checkpoint.h>
#include <patchbay/idle.h>

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define COLUMNS_MAX 8

struct rig {
	patchbay_host host; /* the first member: the host's functions get the rig */
	struct registry *registry;
	const patchbay_plugin *plugin;
	char folder[64];
	char path[128];
	void *options;
	patchbay_field columns[COLUMNS_MAX];
	void *self; /* NULL: not running */
	patchbay_call call;
	int64_t now_ns;
	char checkpoint[4096]; /* what the journal has */
	size_t checkpoint_n;
	char log[4096]; /* lines since the last look */
	char why[2048]; /* of the last result, or explained */
};

static inline const void *rig_service(const patchbay_host *host, const char *id)
{
	(void)host;
	return strcmp(id, PATCHBAY_EXPR) == 0 ? &expr_service : NULL;
}

static inline void rig_log(const patchbay_host *host, int32_t level, patchbay_str line)
{
	struct rig *rig = (struct rig *)(uintptr_t)host;
	size_t n = strlen(rig->log);
	snprintf(rig->log + n, sizeof(rig->log) - n, "%d %.*s\n", (int)level, STR_ARG(line));
}

static inline int64_t rig_now(const patchbay_host *host)
{
	return ((const struct rig *)host)->now_ns;
}

static inline int64_t rig_left(const patchbay_call *call)
{
	(void)call;
	return 30000;
}

static inline void *rig_option(struct rig *rig, const char *name)
{
	return sink_option(rig->plugin, rig->options, name);
}

static inline void rig_enum(struct rig *rig, const char *name, int64_t value)
{
	*(int64_t *)rig_option(rig, name) = value;
}

/* "name", "program", ..., NULL */
static inline void rig_columns(struct rig *rig, const char *const *columns)
{
	size_t n = 0;
	for (size_t i = 0; i < COLUMNS_MAX; i++) {
		expr_free((patchbay_expr *)(uintptr_t)rig->columns[i].expr);
		rig->columns[i].expr = NULL;
	}
	for (; columns[2 * n]; n++) {
		rig->columns[n].name = str_c(columns[2 * n]);
		rig->columns[n].expr = compile(EXPR_PROGRAM, columns[2 * n + 1]);
	}
	*(patchbay_fields *)rig_option(rig, "columns") = (patchbay_fields){ rig->columns, n };
}

static inline void rig_path(struct rig *rig, const char *file)
{
	snprintf(rig->path, sizeof(rig->path), "%s/%s", rig->folder, file);
	*(patchbay_str *)rig_option(rig, "path") = str_c(rig->path);
}

static inline struct rig *rig_open(void)
{
	static const char *const columns[] = { "id", ".id", "n", ".data.n", "text", ".data.text", NULL };
	struct rig *rig = xcalloc(1, sizeof(*rig));
	rig->plugin = load_plugin("csv-export", &rig->registry);
	rig->host = (patchbay_host){ .size = sizeof(rig->host),
				     .service = rig_service,
				     .log = rig_log,
				     .explain = fake_explain,
				     .alloc = fake_alloc,
				     .now_ns = rig_now,
				     .left_ms = rig_left };
	rig->options = xcalloc(1, rig->plugin->sink->options_size);
	rig->now_ns = NOON_NS;
	call_init(&rig->call, 64 << 20);
	call_begin(&rig->call, 0);
	snprintf(rig->folder, sizeof(rig->folder), "%s/csvXXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(rig->folder));
	*(bool *)rig_option(rig, "header") = true;
	rig_columns(rig, columns);
	rig_path(rig, "out.csv");
	return rig;
}

static inline void rig_keep_why(struct rig *rig, patchbay_str why)
{
	snprintf(rig->why, sizeof(rig->why), "%.*s", STR_ARG(why));
}

static inline patchbay_status rig_resume(struct rig *rig)
{
	const patchbay_checkpoint *ability = rig->plugin->sink->extension(PATCHBAY_CHECKPOINT);
	return ability->resume(rig->self, &rig->call, (patchbay_str){ rig->checkpoint, rig->checkpoint_n });
}

/* Starts with what the journal has. */
static inline patchbay_status rig_start(struct rig *rig)
{
	call_begin(&rig->call, 0);
	assert_null(rig->self);
	assert_int_equal(rig->plugin->sink->create(&rig->host, &rig->call, rig->options, &rig->self), PATCHBAY_OK);
	patchbay_status status = rig_resume(rig);
	rig_keep_why(rig, rig->call.why);
	return status;
}

static inline void rig_stop(struct rig *rig)
{
	if (rig->self)
		rig->plugin->sink->destroy(rig->self);
	rig->self = NULL;
}

static inline void rig_settle(struct rig *rig, patchbay_str checkpoint)
{
	if (!checkpoint.n)
		return;
	assert_true(checkpoint.n <= sizeof(rig->checkpoint));
	memcpy(rig->checkpoint, checkpoint.p, checkpoint.n);
	rig->checkpoint_n = checkpoint.n;
}

/* One call of act(); all of the results must be the same. What it hands back is settled only if `settle`. */
static inline patchbay_status rig_act(struct rig *rig, const patchbay_delivery *events, size_t n, bool settle)
{
	const patchbay_delivery **list = xcalloc(n, sizeof(*list));
	patchbay_result *results = xcalloc(n, sizeof(*results));
	patchbay_str checkpoint = { "", 0 };
	for (size_t i = 0; i < n; i++) {
		list[i] = &events[i];
		results[i] = (patchbay_result){ PATCHBAY_RETRY, 0, STR("") };
	}
	call_begin(&rig->call, 0);
	rig->plugin->sink->act(rig->self, &rig->call, list, n, results, &checkpoint);
	patchbay_status status = results[0].status;
	rig_keep_why(rig, results[0].why);
	for (size_t i = 1; i < n; i++)
		assert_int_equal(results[i].status, status);
	if (settle && (status == PATCHBAY_OK || status == PATCHBAY_AGAIN))
		rig_settle(rig, checkpoint);
	free(list);
	free(results);
	return status;
}

/* Until the events are written, or it fails. */
static inline patchbay_status rig_write(struct rig *rig, const patchbay_delivery *events, size_t n)
{
	patchbay_status status = PATCHBAY_AGAIN;
	for (int i = 0; i < 3 && status == PATCHBAY_AGAIN; i++)
		status = rig_act(rig, events, n, true);
	return status;
}

static inline void rig_idle(struct rig *rig, bool settle)
{
	patchbay_str checkpoint = { "", 0 };
	call_begin(&rig->call, 0);
	const patchbay_idle *ability = rig->plugin->sink->extension(PATCHBAY_IDLE);
	assert_int_equal(ability->idle(rig->self, &rig->call, &checkpoint), PATCHBAY_OK);
	if (settle)
		rig_settle(rig, checkpoint);
}

static inline char *rig_file(const struct rig *rig, const char *file)
{
	static char path[512];
	snprintf(path, sizeof(path), "%s/%s", rig->folder, file);
	return path;
}

static inline bool rig_has(const struct rig *rig, const char *file)
{
	return access(rig_file(rig, file), F_OK) == 0;
}

/* NUL-terminated, to be freed; NULL if there is no such file. */
static inline char *rig_read(const struct rig *rig, const char *file, size_t *ret_n)
{
	FILE *f = fopen(rig_file(rig, file), "rb");
	char *text = xcalloc(1, 8 << 20);
	size_t n = f ? fread(text, 1, (8 << 20) - 1, f) : 0;
	if (ret_n)
		*ret_n = n;
	if (f)
		fclose(f);
	else
		free(text);
	return f ? text : NULL;
}

static inline void rig_put(const struct rig *rig, const char *file, const char *mode, const void *p, size_t n)
{
	FILE *f = fopen(rig_file(rig, file), mode);
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
}

static inline void assert_file(const struct rig *rig, const char *file, const char *expected)
{
	char *text = rig_read(rig, file, NULL);
	if (!text)
		fail_msg("%s is not there", file);
	assert_string_equal(text, expected);
	free(text);
}

static inline size_t rig_list(const struct rig *rig, char names[][256], size_t max)
{
	DIR *dir = opendir(rig->folder);
	size_t n = 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.' && n < max)
			snprintf(names[n++], sizeof(names[0]), "%s", entry->d_name);
	closedir(dir);
	return n;
}

static inline void rig_empty_folder(const struct rig *rig)
{
	char names[256][256];
	size_t n = rig_list(rig, names, 256);
	for (size_t i = 0; i < n; i++)
		remove(rig_file(rig, names[i]));
}

static inline void rig_close(struct rig *rig)
{
	static const char *const none[] = { NULL };
	rig_stop(rig);
	rig_columns(rig, none);
	rig_empty_folder(rig);
	rmdir(rig->folder);
	call_fini(&rig->call);
	registry_destroy(rig->registry);
	free(rig->options);
	free(rig);
}

static inline void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &limit);
}

#define HEADER "id,n,text\r\n" /* of rig_open()'s columns */

static inline patchbay_delivery event(const char *id, const char *data)
{
	return (patchbay_delivery){ .size = sizeof(patchbay_delivery),
				    .attempt = 1,
				    .id = str_c(id),
				    .source = STR("fleet"),
				    .plugin = STR("yard"),
				    .type = STR("t"),
				    .kind = STR("t"),
				    .subject = STR(""),
				    .data = str_c(data),
				    .time_ns = NOON_NS,
				    .received_ns = NOON_NS };
}

/* ---- The reader: strict RFC 4180. Each call gives one cell, decoded into `cell`. */

struct reader {
	const char *p, *end;
};

enum { READ_CELL, READ_ROW_END, READ_END, READ_BROKEN };

/* READ_CELL: more cells follow in this row; READ_ROW_END: this was the last; READ_END: nothing was left. */
static inline int read_cell(struct reader *r, struct buf *cell)
{
	cell->n = 0;
	if (r->p == r->end)
		return READ_END;
	if (*r->p == '"') {
		for (r->p++;; r->p++) {
			if (r->p == r->end)
				return READ_BROKEN;
			if (*r->p == '"' && (++r->p == r->end || *r->p != '"'))
				break;
			buf_add(cell, r->p, 1);
		}
	} else {
		for (; r->p < r->end && *r->p != ',' && *r->p != '\r'; r->p++) {
			if (*r->p == '"' || *r->p == '\n')
				return READ_BROKEN;
			buf_add(cell, r->p, 1);
		}
	}
	if (r->p < r->end && *r->p == ',') {
		r->p++;
		return READ_CELL;
	}
	if (r->end - r->p >= 2 && r->p[0] == '\r' && r->p[1] == '\n') {
		r->p += 2;
		return READ_ROW_END;
	}
	return READ_BROKEN;
}

#endif
