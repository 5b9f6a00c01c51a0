/* report.c - a line for each test, and what is wrong below it. */
#include "conform/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define INDENT 10
#define WIDTH 110

static const char *word(enum verdict verdict)
{
	return verdict == VERDICT_PASS ? "ok" : verdict == VERDICT_SKIP ? "skip" : "FAIL";
}

/* A sentence, broken between its words. */
static void print_wrapped(const char *text)
{
	int column = 0;

	while (*text) {
		size_t n = strcspn(text, " ");
		if (column > 0 && column + 1 + (int)n > WIDTH - INDENT) {
			putchar('\n');
			column = 0;
		}
		column += printf("%*s%.*s", column ? 1 : INDENT, "", (int)n, text) - (column ? 0 : INDENT);
		text += n;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_json(const struct report *report, const struct result *result)
{
	struct buf out = { 0 };

	buf_addf(&out, "%s\n{\"test\":\"%s\",\"verdict\":\"%s\",\"ms\":%" PRId64 ",\"why\":",
		 report->passed + report->failed + report->skipped > 1 ? "," : "", result->test->name,
		 result->verdict == VERDICT_FAIL ? "fail" : word(result->verdict), result->took_ms);
	buf_add_json_string(&out, str_c(result->sentence));
	buf_addf(&out, ",\"info\":");
	buf_add_json_string(&out, str_c(result->info));
	buf_addf(&out, "}");
	fputs(buf_cstr(&out), stdout);
	buf_free(&out);
}

void report_begin(struct report *report, const struct conform_order *order)
{
	struct buf out = { 0 };

	*report = (struct report){ .order = order };
	if (order->json) {
		buf_addf(&out, "{\"file\":");
		buf_add_json_string(&out, str_c(order->path));
		buf_addf(&out, ",\"seed\":%" PRIu64 ",\"tests\":[", order->seed);
		fputs(buf_cstr(&out), stdout);
		buf_free(&out);
	} else {
		printf("%s\n", order->path);
	}
}

/* How many were skipped for the reason that is printed already: one line for all of them. */
static void end_alike(struct report *report)
{
	if (report->alike)
		printf("  skip  %zu more, for the same reason\n", report->alike);
	report->alike = 0;
}

void report_add(struct report *report, const struct result *result)
{
	*(result->verdict == VERDICT_PASS   ? &report->passed
	  : result->verdict == VERDICT_SKIP ? &report->skipped
					    : &report->failed) += 1;
	if (report->order->json) {
		print_json(report, result);
		return;
	}
	if (result->verdict == VERDICT_SKIP && strcmp(report->last, result->sentence) == 0) {
		report->alike++;
		return;
	}
	end_alike(report);
	printf("  %-5s %s%s%s%s\n", word(result->verdict), result->test->name, result->info[0] ? " (" : "",
	       result->info, result->info[0] ? ")" : "");
	if (result->verdict != VERDICT_PASS)
		print_wrapped(strcmp(report->last, result->sentence) == 0 ? "(the same)" : result->sentence);
	snprintf(report->last, sizeof(report->last), "%s", result->verdict == VERDICT_PASS ? "" : result->sentence);
	fflush(stdout);
}

void report_end(struct report *report, const struct shared *shared)
{
	bool needs_set = shared->needs_set[SIDE_SOURCE] || shared->needs_set[SIDE_SINK];

	if (report->order->json) {
		printf("\n],\"passed\":%zu,\"failed\":%zu,\"skipped\":%zu,\"ok\":%s}\n", report->passed, report->failed,
		       report->skipped, report->failed ? "false" : "true");
		return;
	}
	end_alike(report);
	printf("%zu passed, %zu failed, %zu skipped\n", report->passed, report->failed, report->skipped);
	if (needs_set)
		printf("Not all of it could be tried: the plugin needs options that cannot be guessed; give them with "
		       "--set.\n");
	if (report->failed && !needs_set)
		printf("The same again: --seed %" PRIu64 "; one test, under a debugger: --only NAME --in-process.\n",
		       report->order->seed);
}

void conform_list(bool json)
{
	struct buf out = { 0 };

	buf_addf(&out, json ? "[" : "");
	for (size_t i = 0; i < conform_n_tests; i++) {
		const struct conform_test *test = &conform_tests[i];
		if (json) {
			buf_addf(&out, "%s\n{\"test\":\"%s\",\"proves\":", i ? "," : "", test->name);
			buf_add_json_string(&out, str_c(test->proves));
			buf_addf(&out, "}");
			continue;
		}
		printf("%s\n", test->name);
		print_wrapped(test->proves);
	}
	if (json)
		printf("%s\n]\n", buf_cstr(&out));
	buf_free(&out);
}
