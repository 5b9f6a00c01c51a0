/* cmd_events.c - `patchbay events`: what came in, newest first, and how its deliveries stand. */
#include "cli/cli.h"

#include "base/clock.h"
#include "cli/json_out.h"
#include "cli/load.h"
#include "cli/text.h"
#include "cli/view.h"
#include "config/scalar.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: patchbay events [-c FILE] [--limit N] [--source S] [--type GLOB] [--since WHEN] [--quarantine] "
	"[--json]\n"
	"Lists what came in, newest first: events, test calls, repeats of events, and what was quarantined.\n"
	"Works beside a running daemon, and without one; needs no secrets. Run it as the daemon's user, or as root.\n\n"
	"  -c, --config FILE  the configuration (" CLI_CONFIG_PATH ")\n"
	"  -n, --limit N      at most N lines (20); 0 = all\n"
	"      --source S     only what came to this source\n"
	"      --type GLOB    only types or kinds that match: 'fault_code_*'\n"
	"      --since WHEN   only what came since: 90s, 30m, 2h, 7d, or a time: 2026-11-22T04:00:00Z\n"
	"      --quarantine   only what could not be verified or understood\n"
	"      --json         one JSON object on each line\n"
	"  -h, --help         this text\n\n"
	"STATE sums up the deliveries: how many sinks have it, still owe it, will retry it (parked), gave up (dead).\n"
	"Exit status: 0 done, 1 the configuration or the journal cannot be read, 2 wrong usage.\n";

struct wanted {
	const char *config, *source, *type;
	uint64_t limit;
	int64_t since_ns;
	bool quarantine, json;
};

static bool wants(const struct wanted *wanted, const struct journal_record *record)
{
	if (record->kind == JOURNAL_ANSWER || record->received_ns < wanted->since_ns)
		return false;
	if (wanted->quarantine && record->kind != JOURNAL_MALFORMED && record->kind != JOURNAL_REFUSED)
		return false;
	if (wanted->source && !str_is(record->source, wanted->source))
		return false;
	return !wanted->type || str_glob(str_c(wanted->type), record->type) ||
	       str_glob(str_c(wanted->type), record->kind_name);
}

/* "done 1/2, parked 1" */
static void summary(const struct view_deliveries *deliveries, char *out, size_t size)
{
	static const enum journal_state order[] = { JOURNAL_STATE_OWED, JOURNAL_STATE_PARKED, JOURNAL_STATE_DEAD,
						    JOURNAL_STATE_SKIPPED };
	size_t count[JOURNAL_STATE_NOT_ROUTED + 1] = { 0 };
	for (size_t i = 0; i < deliveries->n; i++)
		count[deliveries->v[i].state]++;
	size_t routed = deliveries->n - count[JOURNAL_STATE_NOT_ROUTED];
	if (!routed) {
		snprintf(out, size, "not routed");
		return;
	}
	int n = snprintf(out, size, "done %zu/%zu", count[JOURNAL_STATE_DONE], routed);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && n >= 0 && (size_t)n < size; i++)
		if (count[order[i]])
			n += snprintf(out + n, size - (size_t)n, ", %s %zu", view_state_name(order[i]),
				      count[order[i]]);
}

static void what_it_is(const struct journal_record *record, char *out, size_t size)
{
	char original[ID_TEXT_SIZE];
	if (record->kind == JOURNAL_DUPLICATE) {
		id_format(&record->original, original);
		snprintf(out, size, "duplicate of %s", original);
	} else if (record->kind == JOURNAL_MALFORMED || record->kind == JOURNAL_REFUSED) {
		snprintf(out, size, "quarantined (%s)", view_status_name(record));
	} else {
		snprintf(out, size, "%s", view_status_name(record));
	}
}

static void print_header(void)
{
	printf("%-24s  %-36s  %-13s%-33s%-43s%-7s%s\n", "RECEIVED", "ID", "SOURCE", "TYPE", "SUBJECT", "WHAT", "STATE");
}

static void print_row(const struct journal_record *record, const struct view_deliveries *deliveries)
{
	char id[ID_TEXT_SIZE], time[TEXT_TIME_SIZE], what[80], state[120];
	id_format(&record->id, id);
	what_it_is(record, what, sizeof(what));
	printf("%s  %s  ", text_time(record->received_ns, time), id);
	text_print_column(stdout, record->source, 12);
	text_print_column(stdout, record->type.n ? record->type : STR("-"), 32);
	text_print_column(stdout, record->subject.n ? record->subject : STR("-"), 42);
	if (record->kind == JOURNAL_EVENT) {
		summary(deliveries, state, sizeof(state));
		text_print_column(stdout, str_c(what), 6);
		printf("%s\n", state);
	} else {
		text_print(stdout, str_c(what));
		if (record->note.n && record->kind != JOURNAL_DUPLICATE) {
			printf(": ");
			text_print(stdout, record->note);
		}
		putchar('\n');
	}
}

static void print_json(const struct journal_record *record, const struct view_deliveries *deliveries)
{
	char id[ID_TEXT_SIZE];
	json_t *states = json_object(), *line = json_object();
	id_format(&record->id, id);
	json_object_set_new(line, "received", json_out_time(record->received_ns));
	json_object_set_new(line, "id", json_string(id));
	json_object_set_new(line, "source", json_out_string(record->source));
	json_object_set_new(line, "type", json_out_string(record->type));
	json_object_set_new(line, "kind", json_out_string(record->kind_name.n ? record->kind_name : record->type));
	json_object_set_new(line, "subject", json_out_string(record->subject));
	json_object_set_new(line, "status", json_string(view_status_name(record)));
	if (record->kind == JOURNAL_DUPLICATE) {
		id_format(&record->original, id);
		json_object_set_new(line, "duplicate_of", json_string(id));
	}
	if (record->kind == JOURNAL_MALFORMED || record->kind == JOURNAL_REFUSED)
		json_object_set_new(line, "why", json_out_string(record->note));
	for (size_t i = 0; i < deliveries->n; i++)
		json_object_set_new(states, deliveries->v[i].sink,
				    json_string(view_state_name(deliveries->v[i].state)));
	json_object_set_new(line, "deliveries", states);
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

/* Two lists, the events and what was refused, both newest first: taken from in turn, by the time. */
struct feed {
	struct view *view;
	struct journal_reader *reader;
	struct journal_pos pos;
	int (*next)(struct journal_reader *, struct journal_pos *, struct journal_record *, struct err *);
	struct journal_record record;
	bool ended, failed; /* failed: what is before `pos` cannot be read */
};

static void advance(struct feed *feed)
{
	struct err err = { 0 };
	struct journal_pos before = feed->pos;
	int got;
	while ((got = feed->next(feed->reader, &feed->pos, &feed->record, &err)) < 0) {
		fprintf(stderr, "patchbay events: %s\n", err.text);
		feed->failed =
			journal_pos_cmp(feed->pos, before) == 0; /* not even passed over: it would be so for ever */
		if (feed->failed)
			break;
		before = feed->pos;
	}
	feed->ended = got <= 0;
}

static int list(struct view *view, const struct wanted *wanted)
{
	struct feed feeds[2] = { { .next = journal_read_before, .pos = journal_end(view->journal) },
				 { .next = journal_read_refused } };
	uint64_t printed = 0;
	int status = 0;
	for (int i = 0; i < 2; i++) {
		feeds[i].reader = journal_reader_open(view->journal);
		advance(&feeds[i]);
	}
	while (status == 0 && !(feeds[0].ended && feeds[1].ended) && (!wanted->limit || printed < wanted->limit)) {
		int newer = feeds[0].ended ||
			    (!feeds[1].ended && feeds[1].record.received_ns > feeds[0].record.received_ns);
		struct feed *feed = &feeds[newer];
		struct view_deliveries deliveries = { 0 };
		struct err err = { 0 };
		if (feed->record.received_ns + 60 * NS_PER_S <
		    wanted->since_ns) { /* and all behind it are older still */
			feed->ended = true;
			continue;
		}
		if (wants(wanted, &feed->record)) {
			if (view_deliveries(view, feed->pos, &feed->record, &deliveries, &err) < 0) {
				fprintf(stderr, "patchbay events: %s\n", err.text);
				status = 1;
			} else {
				if (!printed++ && !wanted->json)
					print_header();
				(wanted->json ? print_json : print_row)(&feed->record, &deliveries);
			}
			view_deliveries_free(&deliveries);
		}
		advance(feed);
	}
	if (feeds[0].failed || feeds[1].failed)
		status = 1;
	if (!printed && status == 0)
		fprintf(stderr, "nothing has come in that matches\n");
	for (int i = 0; i < 2; i++)
		journal_reader_close(feeds[i].reader);
	return status;
}

static bool parse_since(const char *text, int64_t *ret_ns)
{
	char full[64];
	int64_t ms;
	if (scalar_ms(str_c(text), &ms)) {
		*ret_ns = clock_wall_ns() - (ms < INT64_MAX / NS_PER_MS ? ms * NS_PER_MS : clock_wall_ns());
		return true;
	}
	snprintf(full, sizeof(full), "%sT00:00:00Z", text);
	return clock_parse_iso(str_c(text), ret_ns) || (strlen(text) == 10 && clock_parse_iso(str_c(full), ret_ns));
}

static bool parse_limit(const char *text, uint64_t *ret)
{
	char *end;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static int usage(void)
{
	fprintf(stderr, "`patchbay events --help` explains\n");
	return 2;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct wanted *wanted)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "limit", required_argument, NULL, 'n' },
		{ "source", required_argument, NULL, 's' },
		{ "type", required_argument, NULL, 't' },
		{ "since", required_argument, NULL, 'S' },
		{ "quarantine", no_argument, NULL, 'q' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	for (int c; (c = getopt_long(argc, argv, "c:n:h", options, NULL)) != -1;) {
		switch (c) {
		case 'c':
			wanted->config = optarg;
			break;
		case 'n':
			if (parse_limit(optarg, &wanted->limit))
				break;
			fprintf(stderr, "patchbay events: --limit is a number, not '%s'\n", optarg);
			return usage();
		case 's':
			wanted->source = optarg;
			break;
		case 't':
			wanted->type = optarg;
			break;
		case 'S':
			if (parse_since(optarg, &wanted->since_ns))
				break;
			fprintf(stderr, "patchbay events: --since is like 2h or 2026-11-22T04:00:00Z, not '%s'\n",
				optarg);
			return usage();
		case 'q':
			wanted->quarantine = true;
			break;
		case 'j':
			wanted->json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return usage();
		}
	}
	if (optind < argc) {
		fprintf(stderr, "patchbay events: '%s' is one argument too many; to see one event: patchbay show ID\n",
			argv[optind]);
		return usage();
	}
	return -1;
}

int cmd_events(int argc, char **argv)
{
	struct wanted wanted = { .config = CLI_CONFIG_PATH, .limit = 20, .since_ns = INT64_MIN };
	struct view view;
	int status = parse(argc, argv, &wanted);
	if (status >= 0)
		return status;
	status = view_open(&view, "events", wanted.config) < 0 ? 1 : list(&view, &wanted);
	view_close(&view);
	return status;
}
