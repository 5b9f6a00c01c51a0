/* cmd_journal_size.c - `patchbay journal size`: prints what account_journal() adds up, beside the limits of the
 * configuration. */
#include "cli/journal.h"

#include "base/clock.h"
#include "base/str.h"
#include "cli/json_out.h"
#include "cli/text.h"
#include "journal/account.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: patchbay journal size [-c FILE | --journal FOLDER] [--json]\n"
	"Says how large the journal is, by part and by source, how fast it grows, how that stands to `retention`, and "
	"what\n"
	"of it is finished, and what is still owed, and by which sink it is held up. Works beside a running "
	"daemon.\n\n" CLI_JOURNAL_HELP "      --json            one JSON object\n"
	"  -h, --help            this text\n\n"
	"A sink holds up what stands behind the oldest event that it owes: nothing of that is pruned.\n"
	"Exit status: 0 done, 1 the journal cannot be read, 2 wrong usage.\n";

#define DAY_NS (INT64_C(86400) * NS_PER_S)

struct limits { /* of the configuration; 0: not known */
	uint64_t events, quarantine;
	int64_t age_ms;
};

/* By what came in the last seven days, or since the first. */
static double bytes_per_day(const struct account *a)
{
	double days = a->oldest_ns ? (double)(a->now_ns - a->oldest_ns) / (double)DAY_NS : 0;
	if (days > 7)
		days = 7;
	return days < 1.0 / 24 ? 0 : (double)a->week_bytes / days; /* of less than an hour nothing follows */
}

/* -1: not known, or never. */
static double days_left(const struct account *a, const struct limits *limits)
{
	double rate = bytes_per_day(a);
	if (!limits->events || rate <= 0)
		return -1;
	return a->events_bytes >= limits->events ? 0 : (double)(limits->events - a->events_bytes) / rate;
}

static bool is_hosts_own(const struct account_sink *s)
{
	return strcmp(s->name, JOURNAL_SINK_ENRICH) == 0;
}

static const char *shown_name(const struct account_sink *s)
{
	return is_hosts_own(s) ? "(details of events)" : s->name;
}

/* ---- JSON */

static json_t *bytes_json(uint64_t bytes)
{
	return json_integer((json_int_t)bytes);
}

static void print_json(const struct account *a, const struct limits *limits)
{
	json_t *sources = json_array(), *sinks = json_array();
	for (size_t i = 0; i < a->n_sources; i++) {
		const struct account_source *s = &a->sources[i];
		json_array_append_new(sources,
				      json_pack("{s:o, s:I, s:I, s:I, s:I}", "source", json_out_string(str_c(s->name)),
						"records", (json_int_t)s->records, "bytes", (json_int_t)s->bytes,
						"quarantine_records", (json_int_t)s->quarantine_records,
						"quarantine_bytes", (json_int_t)s->quarantine_bytes));
	}
	for (size_t i = 0; i < a->n_sinks; i++) {
		const struct account_sink *s = &a->sinks[i];
		json_array_append_new(sinks,
				      json_pack("{s:o, s:b, s:I, s:o, s:I, s:I}", "sink",
						json_out_string(str_c(s->name)), "kept", s->kept, "held_bytes",
						(json_int_t)s->bytes, "oldest_received", json_out_time(s->received_ns),
						"parked", (json_int_t)s->parked, "dead", (json_int_t)s->dead));
	}
	double rate = bytes_per_day(a), days = days_left(a, limits);
	json_t *all = json_object();
	json_object_set_new(all, "events_bytes", bytes_json(a->events_bytes));
	json_object_set_new(all, "index_bytes", bytes_json(a->index_bytes));
	json_object_set_new(all, "quarantine_bytes", bytes_json(a->quarantine_bytes));
	json_object_set_new(all, "state_bytes", bytes_json(a->state_bytes));
	json_object_set_new(all, "unreadable_bytes", bytes_json(a->unreadable));
	json_object_set_new(all, "segments", bytes_json(a->segments));
	json_object_set_new(all, "events", bytes_json(a->events));
	json_object_set_new(all, "oldest_received", json_out_time(a->oldest_ns));
	json_object_set_new(all, "newest_received", json_out_time(a->newest_ns));
	json_object_set_new(all, "finished_bytes", bytes_json(a->finished_bytes));
	json_object_set_new(all, "bytes_per_day", rate > 0 ? json_integer((json_int_t)rate) : json_null());
	json_object_set_new(all, "limit_bytes", limits->events ? bytes_json(limits->events) : json_null());
	json_object_set_new(all, "limit_in_days", days >= 0 ? json_real(days) : json_null());
	json_object_set_new(all, "sources", sources);
	json_object_set_new(all, "sinks", sinks);
	cli_journal_line(all);
}

/* ---- For people */

static void print_limits(const struct account *a, const struct limits *limits)
{
	char bytes[STR_BYTES_SIZE], limit[STR_BYTES_SIZE];
	double rate = bytes_per_day(a), days = days_left(a, limits);
	if (rate > 0)
		printf("it grows by %s a day", str_show_bytes((uint64_t)rate, bytes));
	else
		printf("how fast it grows cannot be told yet");
	if (!limits->events)
		printf("; its limit is not known without a configuration that can be read\n");
	else if (days < 0)
		printf("; the limit is %s (retention: size)\n", str_show_bytes(limits->events, limit));
	else if (days == 0)
		printf("; it is at its limit of %s (retention: size): finished events go first, then posts are "
		       "answered "
		       "503\n",
		       str_show_bytes(limits->events, limit));
	else
		printf("; at this rate it reaches its limit of %s (retention: size) in %.1f days%s\n",
		       str_show_bytes(limits->events, limit), days,
		       days * 86400e3 > (double)limits->age_ms
			       ? ", but finished events are given up before (retention: age)"
			       : "");
}

static void print_sources(const struct account *a)
{
	char bytes[STR_BYTES_SIZE];
	printf("\n%-24s %12s %12s   %s\n", "SOURCE", "RECORDS", "BYTES", "QUARANTINED");
	for (size_t i = 0; i < a->n_sources; i++) {
		const struct account_source *s = &a->sources[i];
		text_print_column(stdout, *s->name ? str_c(s->name) : STR("(notes)"), 24);
		printf(" %12" PRIu64 " %12s   ", s->records, str_show_bytes(s->bytes, bytes));
		if (s->quarantine_records)
			printf("%" PRIu64 ", %s\n", s->quarantine_records, str_show_bytes(s->quarantine_bytes, bytes));
		else
			printf("-\n");
	}
}

static void print_sinks(const struct account *a)
{
	char bytes[STR_BYTES_SIZE], time[TEXT_TIME_SIZE];
	printf("\n%-24s %12s   %s\n", "SINK", "HOLDS UP", "SINCE");
	for (size_t i = 0; i < a->n_sinks; i++) {
		const struct account_sink *s = &a->sinks[i];
		if (is_hosts_own(s) && !s->parked && a->now_ns - s->received_ns < 60 * NS_PER_S)
			continue; /* it notes only now and then how far it has come */
		text_print_column(stdout, str_c(shown_name(s)), 24);
		printf(" %12s   %s", s->kept && s->bytes ? str_show_bytes(s->bytes, bytes) : "-",
		       s->kept && s->received_ns ? text_time(s->received_ns, time) : "-");
		if (s->parked)
			printf(", %" PRIu64 " wait for another attempt", s->parked);
		if (s->dead)
			printf(", %" PRIu64 " dead letters (these hold nothing up)", s->dead);
		printf(s->kept ? "\n" : "; not in the configuration any more, so nothing waits for it\n");
	}
}

static void print_text(const char *folder, const struct account *a, const struct limits *limits)
{
	char bytes[STR_BYTES_SIZE], time[TEXT_TIME_SIZE];
	uint64_t held = a->events_bytes - a->finished_bytes;
	printf("%s: %s\n", folder,
	       str_show_bytes(a->events_bytes + a->index_bytes + a->quarantine_bytes + a->state_bytes, bytes));
	printf("  events      %10s   %" PRIu64 " in %" PRIu64 " segments", str_show_bytes(a->events_bytes, bytes),
	       a->events, a->segments);
	if (a->oldest_ns) {
		printf(", received from %s", text_time(a->oldest_ns, time));
		printf(" to %s", text_time(a->newest_ns, time));
	}
	printf("\n  indexes     %10s\n", str_show_bytes(a->index_bytes, bytes));
	printf("  quarantine  %10s", str_show_bytes(a->quarantine_bytes, bytes));
	if (limits->quarantine)
		printf("   of at most %s", str_show_bytes(limits->quarantine, bytes));
	printf("\n  state.db    %10s\n", str_show_bytes(a->state_bytes, bytes));
	if (a->unreadable)
		printf("  %s cannot be read: `patchbay journal check` says more\n",
		       str_show_bytes(a->unreadable, bytes));
	printf("finished, and may be pruned: %s", str_show_bytes(a->finished_bytes, bytes));
	printf("; still owed, or in the newest segment: %s\n", str_show_bytes(held, bytes));
	print_limits(a, limits);
	print_sources(a);
	print_sinks(a);
}

int cmd_journal_size(int argc, char **argv)
{
	struct cli_journal j = { 0 };
	struct account account = { 0 };
	struct limits limits = { 0 };
	struct err err = { "" };
	bool json = false;
	const struct arg v[] = { CLI_JOURNAL_ARGS(j), ARG_JSON(&json) };
	const struct args args = {
		"journal size", help, v, sizeof v / sizeof *v, 0, 0, "name the folder with --journal FOLDER"
	};
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	if (cli_journal_find(&j, "journal size") != 0)
		return 1;
	struct registry *registry;
	struct config *config = cli_journal_config(&j, &registry);
	if (config)
		limits = (struct limits){ .events = (uint64_t)config->retention.size_bytes,
					  .quarantine = (uint64_t)config->retention.quarantine_bytes,
					  .age_ms = config->retention.age_ms };
	config_free(config);
	registry_destroy(registry);
	status = account_journal(j.folder, &account, &err);
	if (status != 0)
		fprintf(stderr, "patchbay journal size: %s\n", err.text);
	else if (json)
		print_json(&account, &limits);
	else
		print_text(j.folder, &account, &limits);
	account_free(&account);
	free(j.folder);
	return status != 0 ? 1 : 0;
}
