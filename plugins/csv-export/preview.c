/* preview.c - the row that an event would become, with nothing written: {"columns": {"id": "...", ...}, "row": "..."},
 * the cells as their expressions give them, and the line as it would stand in the file, without its end. */
#include "csv-export.h"

#include <patchbay/quote.h>

static void add_json(const struct csv *csv, patchbay_call *call, struct rows *json, patchbay_str text)
{
	patchbay_str quoted = patchbay_json_quote(csv->host, call, text);
	rows_add_raw(json, quoted.p, quoted.n);
	json->failed |= quoted.n == 0;
}

static void add_text(struct rows *json, const char *text)
{
	rows_add_raw(json, text, strlen(text));
}

static patchbay_status preview(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
			       patchbay_str *out)
{
	struct csv *csv = self;
	struct rows json = { 0 }, row = { .profile = csv->options->profile, .guard = csv->options->formula_guard };
	char *copy = NULL;

	if (n == 0)
		return PATCHBAY_EBADEVENT;
	add_text(&json, "{\"columns\":{");
	for (size_t i = 0; i < csv->options->columns.n; i++) {
		const patchbay_field *column = &csv->options->columns.v[i];
		patchbay_value value = { .size = sizeof(value), .type = PATCHBAY_JSON_NULL };
		if (!csv->expr->eval(call, column->expr, events[0], NULL, NULL, &value))
			value = (patchbay_value){ .type = PATCHBAY_JSON_NULL };
		add_text(&json, i ? "," : "");
		add_json(csv, call, &json, column->name);
		add_text(&json, ":");
		add_json(csv, call, &json, value.text);
		rows_add_cell(&row, value.type, value.text);
	}
	rows_end_row(&row);
	add_text(&json, "},\"row\":");
	add_json(csv, call, &json, (patchbay_str){ row.p, row.failed ? 0 : row.n - 2 });
	add_text(&json, "}");
	if (!json.failed && !row.failed)
		copy = csv->host->alloc(call, json.n);
	if (copy)
		memcpy(copy, json.p, json.n);
	*out = (patchbay_str){ copy, copy ? json.n : 0 };
	rows_free(&json);
	rows_free(&row);
	return copy ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

const patchbay_preview csv_preview = {
	.size = sizeof(csv_preview),
	.preview = preview,
};
