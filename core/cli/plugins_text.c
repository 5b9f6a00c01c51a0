/* plugins_text.c - `patchbay plugins NAME` for people. */
#include "cli/plugins_print.h"

#include "base/clock.h"
#include "config/scalar.h"
#include "plugin/simulate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const type_texts[] = {
	[PATCHBAY_T_BOOL] = "true or false",
	[PATCHBAY_T_INT] = "whole number",
	[PATCHBAY_T_REAL] = "number",
	[PATCHBAY_T_STR] = "text",
	[PATCHBAY_T_STRS] = "text, or a list of them",
	[PATCHBAY_T_ENUM] = "one of",
	[PATCHBAY_T_MS] = "duration (500ms, 2s, 5m, 1h, 7d)",
	[PATCHBAY_T_BYTES] = "size (512, 64K, 10M, 1G)",
	[PATCHBAY_T_CIDRS] = "address or network, or a list of them",
	[PATCHBAY_T_EXPR] = "jq program",
	[PATCHBAY_T_TEXT] = "text with \\(jq) in it",
	[PATCHBAY_T_FIELDS] = "list of fields of the event, or name: jq",
	[PATCHBAY_T_MAP] = "mapping with the keys below",
	[PATCHBAY_T_LIST] = "mapping with the keys below, or a list of them",
	[PATCHBAY_T_STRS_EXPR] = "text, a list of them, or jq program",
};

#define NAME_WIDTH 20

static void print_duration(uint64_t ms)
{
	char text[CLOCK_SPAN_SIZE];
	fputs(clock_format_span((int64_t)ms, CLOCK_SPAN_EXACT, text), stdout);
}

/* Text of several lines, each indented. */
static void print_indented(const char *text, int indent)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		printf("%*s%.*s\n", indent, "", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void add_range(struct buf *out, const patchbay_option *o)
{
	char min[SCALAR_SHOW_SIZE], max[SCALAR_SHOW_SIZE];

	if (!o->min && !o->max)
		return;
	if (o->type == PATCHBAY_T_MS) {
		scalar_show_ms(o->min, min);
		scalar_show_ms(o->max, max);
	} else if (o->type == PATCHBAY_T_BYTES) {
		scalar_show_bytes(o->min, min);
		scalar_show_bytes(o->max, max);
	} else {
		snprintf(min, sizeof(min), "%" PRId64, o->min);
		snprintf(max, sizeof(max), "%" PRId64, o->max);
	}
	if (o->max < o->min)
		buf_addf(out, ", %s or more", min);
	else
		buf_addf(out, ", %s to %s", min, max);
}

void plugins_add_type(struct buf *out, const patchbay_option *o)
{
	buf_add_str(out, str_c(type_texts[o->type]));
	for (size_t i = 0; o->type == PATCHBAY_T_ENUM && o->one_of[i]; i++)
		buf_addf(out, "%s%s", i ? " | " : " ", o->one_of[i]);
	add_range(out, o);
	if (o->flags & PATCHBAY_F_REQUIRED)
		buf_addf(out, "; required");
	if (o->flags & PATCHBAY_F_SECRET)
		buf_addf(out, "; secret: {env: NAME}, {file: /path} or {credential: name}");
	if (o->def)
		buf_addf(out, "; default %s", *o->def ? o->def : "\"\"");
}

static void print_options(const patchbay_option *options, size_t n, int indent);

static void print_option(const patchbay_option *o, int indent)
{
	struct buf type = { 0 };
	plugins_add_type(&type, o);
	printf("%*s%-*s %s\n", indent, "", NAME_WIDTH, o->name, buf_cstr(&type));
	buf_free(&type);
	if (o->help)
		print_indented(o->help, indent + NAME_WIDTH + 1);
	print_options(o->fields, o->n_fields, indent + 4);
}

static void print_options(const patchbay_option *options, size_t n, int indent)
{
	for (size_t i = 0; i < n; i++)
		print_option(&options[i], indent);
}

static void print_table(const char *title, const patchbay_option *options, size_t n)
{
	printf("\n%s:\n", title);
	print_options(options, n, 2);
	if (n == 0)
		printf("  none\n");
}

/* What its options of every sink are as long as routes.yaml does not say otherwise. */
static void print_delivery(const patchbay_sink *sink)
{
	char bytes[SCALAR_SHOW_SIZE];

	printf("\nHow it is called, unless its options say otherwise:\n");
	printf("  timeout              ");
	print_duration(sink->timeout_ms ? sink->timeout_ms : CONFIG_TIMEOUT_MS);
	printf("\n  batch                %u event%s", sink->batch_events ? sink->batch_events : 1,
	       sink->batch_events > 1 ? "s" : "");
	if (sink->batch_bytes)
		printf(", %s", scalar_show_bytes(sink->batch_bytes, bytes));
	if (sink->batch_linger_ms) {
		printf(", linger ");
		print_duration(sink->batch_linger_ms);
	}
	printf("\n  rate                 %s\n", sink->rate ? sink->rate : "no limit");
	if (sink->concurrency_max > 1)
		printf("  concurrency          1; it can do %u\n", sink->concurrency_max);
	else
		printf("  concurrency          1; it can do no more\n");
}

static void print_provider(const patchbay_provider *p)
{
	printf("\nThe provider:\n");
	if (p->authentication)
		printf("  proves itself by        %s\n", p->authentication);
	printf("  waits for an answer     ");
	if (p->answer_ms)
		print_duration(p->answer_ms);
	else
		printf("unknown");
	printf("\n  takes as success        ");
	for (uint32_t i = 0; i < p->n_ok; i++) {
		printf("%s%u", i ? ", " : "", p->ok[2 * i]);
		if (p->ok[2 * i] != p->ok[2 * i + 1])
			printf(" to %u", p->ok[2 * i + 1]);
	}
	printf("%s\n  retries after           ", p->n_ok ? "" : "unknown");
	for (uint32_t i = 0; i < p->n_retry; i++) {
		printf("%s", i ? ", " : "");
		print_duration((uint64_t)p->retry_s[i] * 1000);
	}
	printf("%s\n", p->n_retry ? "" : "unknown");
	if (p->retry_horizon_s) {
		printf("  gives up at the latest  ");
		print_duration((uint64_t)p->retry_horizon_s * 1000);
		printf(" after the first try\n");
	}
	if (p->final_refusal)
		printf("  never retries after     %u\n", p->final_refusal);
	if (p->docs_url)
		printf("  documentation           %s\n", p->docs_url);
	if (p->notes) {
		printf("  notes\n");
		print_indented(p->notes, 4);
	}
}

static void print_samples(const patchbay_plugin *plugin)
{
	patchbay_simulate simulate;

	if (!simulate_get(plugin, &simulate))
		return;
	printf("\nSamples for `patchbay send SOURCE SAMPLE`:\n");
	for (uint32_t i = 0; i < simulate.n_samples; i++) {
		patchbay_sample sample = simulate_sample(&simulate, i);
		printf("  %-36s %s\n", sample.name ? sample.name : "", sample.about ? sample.about : "");
	}
}

void plugins_print_text(const struct registry_entry *e)
{
	const patchbay_plugin *p = e->plugin;

	printf("%s %s - %s\n", p->name, p->version, p->summary);
	printf("%s%s%s, built for plugin interface %u.%u\n", e->path, *p->license ? ", " : "", p->license,
	       PATCHBAY_ABI_MAJOR, p->abi_minor);
	if (p->source) {
		print_table("As a source", p->source->options, p->source->n_options);
		print_table("Options of every source", config_source_options, config_n_source_options);
		print_provider(p->source->provider);
		print_samples(p);
	}
	if (p->sink) {
		print_table("As a sink", p->sink->options, p->sink->n_options);
		print_delivery(p->sink);
		print_table("Options of every sink", config_sink_options, config_n_sink_options);
	}
}
