/* csv-export.c - a sink that writes each event as one row of a CSV file, exactly once. Rows are made here;
 * output.h sees to it that none is lost, halved or repeated. */
#include "csv-export.h"

#include <patchbay/checkpoint.h>
#include <patchbay/idle.h>
#include <patchbay/sugar.h>

#include <stdlib.h>
#include <string.h>

#define ROWS_KEPT ((size_t)16 << 20) /* a larger buffer than this is given back after its batch */

static const char *const profiles[] = { "rfc4180", "excel", NULL };
static const char *const guards[] = { "quote", "tab", "off", NULL };
static const char *const handovers[] = { "live", "closed", NULL };

#define OPTION(kind, field, ...) PATCHBAY_OPTION(struct options, kind, field, __VA_ARGS__)
static const patchbay_option options_table[] = {
	OPTION(PATCHBAY_T_STR, path, .flags = PATCHBAY_F_REQUIRED | PATCHBAY_F_PATH,
	       .help = "File to write; %Y-%m-%d and the like (strftime, UTC) start a new file for each period."),
	OPTION(PATCHBAY_T_FIELDS, columns, .flags = PATCHBAY_F_REQUIRED, .min = 1, .max = 1000,
	       .help = "Columns, in order: an envelope field (id), or header: jq expression."),
	OPTION(PATCHBAY_T_ENUM, profile, .def = "rfc4180", .one_of = profiles,
	       .help = "excel: with byte order mark, and line breaks inside cells as LF."),
	OPTION(PATCHBAY_T_ENUM, formula_guard, .def = "quote", .one_of = guards,
	       .help = "What goes before text that a spreadsheet would run as a formula: ' or a tab; off for "
		       "machines."),
	OPTION(PATCHBAY_T_BOOL, header, .def = "true", .help = "Whether each file begins with the columns' names."),
	OPTION(PATCHBAY_T_ENUM, handover, .def = "live", .one_of = handovers,
	       .help = "closed: a file is called NAME.part until its period is over and it is complete."),
};

/* ---- Options */

static patchbay_status refuse(const patchbay_host *host, patchbay_call *call, const char *why)
{
	host->explain(call, patchbay_cstr(why));
	return PATCHBAY_ECONFIG;
}

static char *copy_pattern(patchbay_str path)
{
	char *pattern = malloc(path.n + 1);
	if (!pattern)
		return NULL;
	memcpy(pattern, path.p, path.n);
	pattern[path.n] = 0;
	return pattern;
}

static patchbay_status check_columns(const patchbay_host *host, patchbay_call *call, patchbay_fields columns)
{
	for (size_t i = 0; i < columns.n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (!patchbay_eq(columns.v[i].name, columns.v[k].name))
				continue;
			host->explain(call,
				      patchbay_fmt(host, call, "columns: two are called '%.*s'; rename one of them",
						   (int)columns.v[i].name.n, columns.v[i].name.p));
			return PATCHBAY_ECONFIG;
		}
	}
	return PATCHBAY_OK;
}

static patchbay_status csv_check(const patchbay_host *host, patchbay_call *call, const void *p)
{
	const struct options *options = p;
	patchbay_str path = options->path;
	struct place *places = calloc(2, sizeof(*places));
	char *pattern = copy_pattern(path);
	patchbay_status status = PATCHBAY_OK;
	if (!places || !pattern) {
		status = PATCHBAY_ENOMEM;
	} else if (path.n == 0 || path.p[path.n - 1] == '/' || memchr(path.p, 0, path.n)) {
		status = refuse(host, call,
				"path: names no file; write one such as /var/lib/patchbay/export/events-%Y-%m-%d.csv");
	} else if (!place_set_base(&places[0], pattern, 0) ||
		   !place_set_base(&places[1], pattern, INT64_C(987654321987654321))) {
		status = refuse(host, call, "path: is too long; 3800 bytes are the limit");
	} else if (options->handover == HANDOVER_CLOSED && strcmp(places[0].base, places[1].base) == 0) {
		status = refuse(host, call,
				"handover: closed needs periods that end, but `path` has none; put a date such as "
				"%Y-%m-%d into it");
	} else {
		status = check_columns(host, call, options->columns);
	}
	free(pattern);
	free(places);
	return status;
}

/* ---- Life */

static uint64_t hash(uint64_t h, const void *p, size_t n) /* FNV-1a */
{
	for (const unsigned char *at = p; n--; at++)
		h = (h ^ *at) * UINT64_C(0x100000001b3);
	return h;
}

static bool make_header(struct csv *csv)
{
	const struct options *options = csv->options;
	struct rows *header = &csv->out.header;
	char kind[2] = { (char)options->profile, (char)options->header };
	size_t mark = options->profile == PROFILE_EXCEL ? 3 : 0;
	header->profile = options->profile;
	rows_add_raw(header, "\xef\xbb\xbf", mark);
	for (size_t i = 0; i < options->columns.n; i++)
		rows_add_label(header, options->columns.v[i].name);
	rows_end_row(header);
	if (header->failed)
		return false;
	csv->out.columns = hash(hash(UINT64_C(0xcbf29ce484222325), kind, sizeof(kind)), header->p, header->n);
	csv->out.has_header_row = options->header;
	if (!options->header)
		header->n = mark;
	return true;
}

static void csv_destroy(void *self)
{
	struct csv *csv = self;
	if (!csv)
		return;
	output_close(&csv->out);
	rows_free(&csv->out.header);
	rows_free(&csv->rows);
	free(csv->failures);
	free(csv->pattern);
	free(csv);
}

static patchbay_status csv_create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	struct csv *csv = calloc(1, sizeof(*csv));
	if (!csv)
		return PATCHBAY_ENOMEM;
	csv->host = csv->out.host = host;
	csv->options = options;
	csv->out.fd = -1;
	csv->out.part = csv->options->handover == HANDOVER_CLOSED;
	csv->rows.profile = csv->options->profile;
	csv->rows.guard = csv->options->formula_guard;
	csv->expr = host->service(host, PATCHBAY_EXPR);
	csv->out.pattern = csv->pattern = copy_pattern(csv->options->path);
	csv->failures = calloc(csv->options->columns.n + 1, sizeof(*csv->failures));
	if (!csv->expr || !csv->pattern || !csv->failures || !make_header(csv)) {
		patchbay_status status = csv->expr ? PATCHBAY_ENOMEM : PATCHBAY_ECONFIG;
		host->explain(call, csv->expr ? PATCHBAY_S("out of memory")
					      : PATCHBAY_S("this host has no " PATCHBAY_EXPR "; use a newer one"));
		csv_destroy(csv);
		return status;
	}
	*self = csv;
	return PATCHBAY_OK;
}

static patchbay_status csv_resume(void *self, patchbay_call *call, patchbay_str checkpoint)
{
	struct csv *csv = self;
	if (output_resume(&csv->out, checkpoint))
		return PATCHBAY_OK;
	csv->host->explain(call, patchbay_cstr(csv->out.why));
	return csv->out.status;
}

/* ---- Acting */

static void decide(patchbay_result *results, size_t n, patchbay_status status, uint32_t after_ms, patchbay_str why)
{
	for (size_t i = 0; i < n; i++)
		results[i] = (patchbay_result){ status, after_ms, why };
}

static patchbay_str checkpoint_text(struct csv *csv)
{
	return (patchbay_str){ csv->checkpoint, place_format(&csv->out.at, csv->checkpoint) };
}

/* A cell that cannot be had stays empty: the event is still worth its row. Told at 1, 10, 100, ... times. */
static void count_failure(struct csv *csv, patchbay_call *call, size_t column, const patchbay_delivery *event)
{
	uint64_t n = ++csv->failures[column], power = 1;
	while (power < n)
		power *= 10;
	if (power != n)
		return;
	patchbay_str name = csv->options->columns.v[column].name;
	csv->host->log(csv->host, PATCHBAY_LOG_WARNING,
		       patchbay_fmt(csv->host, call,
				    "column '%.*s': its expression failed for event %.*s, the cell is empty (%llu "
				    "since the start); a `?` or `// \"\"` in the expression says what is meant then",
				    (int)name.n, name.p, (int)event->id.n, event->id.p, (unsigned long long)n));
}

/* False: the call has no memory left for this row; it is not there then. */
static bool add_row(struct csv *csv, patchbay_call *call, const patchbay_delivery *event, bool first)
{
	for (size_t i = 0; i < csv->options->columns.n; i++) {
		patchbay_value value = { .size = sizeof(value), .type = PATCHBAY_JSON_NULL };
		if (!csv->expr->eval(call, csv->options->columns.v[i].expr, event, NULL, NULL, &value)) {
			if (!first && !csv->host->alloc(call, 4096)) {
				csv->rows.n = csv->rows.row_start;
				csv->rows.cells_in_row = 0;
				return false;
			}
			count_failure(csv, call, i, event);
			value = (patchbay_value){ .type = PATCHBAY_JSON_NULL };
		}
		rows_add_cell(&csv->rows, value.type, value.text);
	}
	rows_end_row(&csv->rows);
	return true;
}

static size_t make_rows(struct csv *csv, patchbay_call *call, const patchbay_delivery *const *events, size_t n)
{
	size_t i = 0;
	csv->rows.n = csv->rows.row_start = csv->rows.cells_in_row = 0;
	csv->rows.failed = false;
	while (i < n && add_row(csv, call, events[i], i == 0))
		i++;
	return i;
}

static void write_rows(struct csv *csv, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		       patchbay_result *results, patchbay_str *checkpoint)
{
	size_t made = make_rows(csv, call, events, n);
	if (csv->rows.failed) {
		decide(results, n, PATCHBAY_RETRY, 0, PATCHBAY_S("out of memory for the rows of this batch"));
	} else if (!output_append(&csv->out, &csv->rows)) {
		decide(results, n, csv->out.status, 0, patchbay_cstr(csv->out.why));
	} else {
		decide(results, made, PATCHBAY_OK, 0, PATCHBAY_S(""));
		decide(results + made, n - made, PATCHBAY_RETRY, 1, PATCHBAY_S("no memory was left in this batch"));
		*checkpoint = checkpoint_text(csv);
	}
	if (csv->rows.room > ROWS_KEPT || csv->rows.failed)
		rows_free(&csv->rows);
}

static void csv_act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		    patchbay_result *results, patchbay_str *checkpoint)
{
	struct csv *csv = self;
	struct place now;
	place_set_base(&now, csv->pattern, csv->host->now_ns(csv->host));
	switch (output_prepare(&csv->out, now.base)) {
	case OUTPUT_FAILED:
		decide(results, n, csv->out.status, 0, patchbay_cstr(csv->out.why));
		break;
	case OUTPUT_CHANGED:
		decide(results, n, PATCHBAY_AGAIN, 0, PATCHBAY_S("the next file's name is made durable first"));
		*checkpoint = checkpoint_text(csv);
		break;
	case OUTPUT_READY:
		write_rows(csv, call, events, n, results, checkpoint);
		break;
	}
}

/* A period ends, whether events come or not. */
static patchbay_status csv_idle(void *self, patchbay_call *call, patchbay_str *checkpoint)
{
	struct csv *csv = self;
	struct place now;
	place_set_base(&now, csv->pattern, csv->host->now_ns(csv->host));
	if (csv->out.at.state == PLACE_NONE || strcmp(csv->out.at.base, now.base) == 0)
		return PATCHBAY_OK;
	if (!output_finish(&csv->out)) {
		csv->host->explain(call, patchbay_cstr(csv->out.why));
		return csv->out.status;
	}
	*checkpoint = checkpoint_text(csv);
	return PATCHBAY_OK;
}

/* ---- The plugin */

static const patchbay_checkpoint checkpoint = { .size = sizeof(checkpoint), .resume = csv_resume };
static const patchbay_idle idle = { .size = sizeof(idle), .every_ms = 1000, .idle = csv_idle };

static const void *csv_extension(const char *id)
{
	if (strcmp(id, PATCHBAY_CHECKPOINT) == 0)
		return &checkpoint;
	if (strcmp(id, PATCHBAY_IDLE) == 0)
		return &idle;
	return strcmp(id, PATCHBAY_PREVIEW) == 0 ? &csv_preview : NULL;
}

static const patchbay_sink sink = {
	.size = sizeof(sink),
	.n_options = sizeof(options_table) / sizeof(options_table[0]),
	.options = options_table,
	.options_size = sizeof(struct options),
	.batch_events = 1000,
	.batch_bytes = 1 << 20,
	.batch_linger_ms = 50, /* a sync each for row and cursor: fewer of them leave the disk to the journal */
	.timeout_ms = 30000,
	.check = csv_check,
	.create = csv_create,
	.destroy = csv_destroy,
	.act = csv_act,
	.extension = csv_extension,
};

PATCHBAY_EXPORT const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin_v1),
	.abi_minor = PATCHBAY_ABI_MINOR,
	.abi_minor_need = 0,
	.name = "csv-export",
	.version = "0.1.0",
	.license = "Apache-2.0",
	.summary = "writes events as rows of CSV files, each exactly once",
	.sink = &sink,
};
