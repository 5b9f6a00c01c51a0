/* csv.c - see csv.h. Lines end with CR LF or LF; a byte order mark in front is passed over. */
#include "csv.h"

#include "text.h"

#include <patchbay/sugar.h>

static bool end_of_cell(const struct csv *csv)
{
	char c = csv->at < csv->text.n ? csv->text.p[csv->at] : '\n';

	return c == ',' || c == '\n' || (c == '\r' && (csv->at + 1 == csv->text.n || csv->text.p[csv->at + 1] == '\n'));
}

/* A cell that began with a quote: its text, with doubled quotes made single. */
static patchbay_str quoted(struct csv *csv)
{
	const char *start = csv->text.p + ++csv->at, *end = csv->text.p + csv->text.n, *p = start;
	size_t n = 0, doubled = 0;
	char *plain;

	for (; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); p++) {
		doubled += *p == '"';
		p += *p == '"';
	}
	if (p >= end) {
		csv->wrong = "it ends inside a quoted cell";
		return (patchbay_str){ "", 0 };
	}
	csv->at = (size_t)(p + 1 - csv->text.p);
	if (!end_of_cell(csv))
		csv->wrong = "there is text behind a quoted cell";
	if (doubled == 0)
		return (patchbay_str){ start, (size_t)(p - start) };
	plain = csv->host->alloc(csv->call, (size_t)(p - start) - doubled);
	if (!plain) {
		csv->wrong = "it is larger than a call's memory";
		return (patchbay_str){ "", 0 };
	}
	for (const char *from = start; from < p; from++) {
		plain[n++] = *from;
		from += *from == '"';
	}
	return (patchbay_str){ plain, n };
}

static patchbay_str cell(struct csv *csv)
{
	size_t start = csv->at;

	if (csv->at < csv->text.n && csv->text.p[csv->at] == '"')
		return quoted(csv);
	while (!end_of_cell(csv))
		csv->at++;
	return (patchbay_str){ csv->text.p + start, csv->at - start };
}

/* Behind the cell that was just read: true where another one follows in its row. */
static bool another(struct csv *csv)
{
	if (csv->at < csv->text.n && csv->text.p[csv->at] == ',') {
		csv->at++;
		return true;
	}
	if (csv->at < csv->text.n && csv->text.p[csv->at] == '\r')
		csv->at++;
	if (csv->at < csv->text.n)
		csv->at++; /* the line feed */
	return false;
}

static void pass_empty_lines(struct csv *csv)
{
	while (csv->at < csv->text.n && (csv->text.p[csv->at] == '\n' || csv->text.p[csv->at] == '\r'))
		csv->at++;
}

bool csv_open(struct csv *csv, const patchbay_host *host, patchbay_call *call, patchbay_str text)
{
	*csv = (struct csv){ .host = host, .call = call, .text = text };
	csv->names = host->alloc(call, CSV_COLUMNS_MAX * sizeof(*csv->names));
	if (!csv->names) {
		csv->wrong = "it is larger than a call's memory";
		return false;
	}
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		csv->at = 3;
	pass_empty_lines(csv);
	if (csv->at == text.n)
		return false;
	do {
		if (csv->n_names == CSV_COLUMNS_MAX) {
			csv->wrong = "it has more than 1000 columns";
			return false;
		}
		csv->names[csv->n_names] = cell(csv);
		if (csv->names[csv->n_names].n == 0)
			csv->names[csv->n_names] = patchbay_fmt(host, call, "column_%zu", csv->n_names + 1);
		csv->n_names++;
	} while (!csv->wrong && another(csv));
	return !csv->wrong;
}

bool csv_next(struct csv *csv, patchbay_str *ret)
{
	struct text row = { .host = csv->host, .call = csv->call };
	size_t i = 0;

	pass_empty_lines(csv);
	if (csv->wrong || csv->at == csv->text.n)
		return false;
	do {
		patchbay_str value = cell(csv), name;
		if (csv->wrong)
			return false;
		name = i < csv->n_names ? csv->names[i] : patchbay_fmt(csv->host, csv->call, "column_%zu", i + 1);
		text_add_c(&row, i == 0 ? "{" : ",");
		text_add_string(&row, name);
		text_add_c(&row, ":");
		text_add_string(&row, value);
		i++;
	} while (another(csv));
	text_add_c(&row, "}");
	if (row.failed)
		csv->wrong = "it is larger than a call's memory";
	*ret = text_str(&row);
	return !csv->wrong;
}
