/* cmd_replay.c - `patchbay replay`: deliveries that were given up are owed again. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/args.h"
#include "cli/attempts.h"
#include "cli/json_out.h"
#include "cli/load.h"
#include "cli/replay.h"
#include "cli/text.h"
#include "config/scalar.h"

#include <getopt.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATE "50/s"
#define STEP 1000 /* deliveries in one durable step: the daemon's own steps come between */
#define NOTICED_MS 1000
#define COMMAND_MAX 300 /* bytes of the command that are kept in the history */

static const char help[] =
	"Usage: patchbay replay ID... [-c FILE] [--sink S] [--force] [--rate N/s] [--dry-run] [--json]\n"
	"       patchbay replay [-c FILE] [--sink S] [--class C] [--since WHEN] [--until WHEN] [--skipped] [--all]\n"
	"                       [--force] [--rate N/s] [--dry-run] [--json]\n"
	"Delivers again what was given up: by ID (its first 8 digits will do), or everything that matches. A running "
	"daemon\n"
	"takes it up within a second, with the configuration that it has; without one, the next daemon does. What was\n"
	"delivered is left out, and what waits for its next attempt is due at once. The event's history keeps who did "
	"it.\n\n"
	"  -c, --config FILE  the configuration (" CLI_CONFIG_PATH ")\n"
	"      --sink S       only to this sink\n"
	"      --class C      only what was given up for this reason: event, configuration, destination, plugin, 'gave "
	"up'\n"
	"      --since WHEN   only what was given up since: 90s, 30m, 2h, 7d, or a time: 2026-11-22T04:00:00Z\n"
	"      --until WHEN   only what was given up until then\n"
	"      --skipped      not what was given up, but what was skipped\n"
	"      --all          everything that was given up\n"
	"      --force        with ID: delivered ones too; with ID and --sink: even where no route leads. With --sink "
	"and\n"
	"                     --since: everything that came in since then, delivered or not\n"
	"      --rate N/s     not faster than this to each sink, also N/min, N/h (" RATE ")\n"
	"      --dry-run      say what would be done, and do nothing\n"
	"      --json         one JSON object\n"
	"  -h, --help         this text\n\n"
	"Run it as the daemon's user, or as root.\n"
	"Exit status: 0 done, 1 nothing matches or the journal cannot be read, 2 wrong usage.\n";

struct asked {
	const char *config, *rate;
	struct replay_order order;
	int64_t rate_count, rate_ms;
	bool all, dry_run, json;
};

/* "by ann with `patchbay replay --sink s`" */
static char *who_and_how(int argc, char **argv)
{
	struct buf out = { 0 };
	const struct passwd *user = getpwuid(getuid());
	const char *before = getenv("SUDO_USER");
	buf_addf(&out, "by %s", before && *before ? before : user ? user->pw_name : "a user without a name");
	if (before && *before && user)
		buf_addf(&out, " (as %s)", user->pw_name);
	buf_addf(&out, " with `patchbay");
	for (int i = 0; i < argc; i++) {
		if (out.n + strlen(argv[i]) > COMMAND_MAX) {
			buf_addf(&out, " ...");
			break;
		}
		buf_addf(&out, strchr(argv[i], ' ') ? " '%s'" : " %s", argv[i]);
	}
	buf_addf(&out, "`");
	struct buf clean = { 0 };
	text_add_clean(&clean, buf_str(&out));
	char *text = xstrdup(buf_cstr(&clean));
	buf_free(&clean);
	buf_free(&out);
	return text;
}

/* The rate spaces them, from when a running daemon has surely noticed: else it would find the first ones due together.
 */
static int64_t due_ms(const struct asked *asked, const struct replay_sink *sink, int64_t now_ms, size_t i)
{
	if (!asked->rate_count || sink->n < 2)
		return now_ms;
	return now_ms + NOTICED_MS + (int64_t)((double)i * (double)asked->rate_ms / (double)asked->rate_count);
}

static int replay_sink(struct view *view, const struct asked *asked, struct replay_sink *sink, int64_t now_ms,
		       const char *why, struct err *err)
{
	for (size_t i = 0; i < sink->n; i++)
		sink->v[i].due_ms = due_ms(asked, sink, now_ms, i);
	for (size_t i = 0; i < sink->n; i += STEP) {
		size_t n = sink->n - i < STEP ? sink->n - i : STEP;
		if (journal_replay(view->journal, sink->name, sink->v + i, n, now_ms, str_c(why), err) < 0)
			return -1;
	}
	return 0;
}

static void print_left_out(uint64_t n, const char *what)
{
	if (n)
		printf(", %" PRIu64 " %s", n, what);
}

static void print_sink(const struct asked *asked, const struct replay_sink *sink, int64_t now_ms)
{
	char time[TEXT_TIME_SIZE];
	text_print(stdout, str_c(sink->name));
	printf(": %zu %s", sink->n, asked->dry_run ? "would be replayed" : "replayed");
	print_left_out(sink->delivered, "left out because delivered already (--force takes them too)");
	print_left_out(sink->owed, "left out because the sink has not come to them yet");
	print_left_out(sink->skipped, "left out because skipped (--skipped takes them too)");
	print_left_out(sink->unrouted, "left out because no route led there (--force with --sink takes them too)");
	print_left_out(sink->other, "left out because not given up for that reason");
	print_left_out(sink->pruned, "cannot be replayed: the retention has pruned the events");
	if (sink->n > 1 && asked->rate_count)
		printf("; the last one is due %s",
		       text_time(due_ms(asked, sink, now_ms, sink->n - 1) * NS_PER_MS, time));
	putchar('\n');
}

static void print_json(const struct asked *asked, const struct replay_plan *plan, int64_t now_ms)
{
	json_t *line = json_object(), *sinks = json_object();
	for (size_t i = 0; i < plan->n; i++) {
		const struct replay_sink *sink = &plan->sinks[i];
		json_t *counts = json_object();
		json_object_set_new(counts, "replayed", json_integer((json_int_t)sink->n));
		json_object_set_new(counts, "delivered", json_integer((json_int_t)sink->delivered));
		json_object_set_new(counts, "owed", json_integer((json_int_t)sink->owed));
		json_object_set_new(counts, "skipped", json_integer((json_int_t)sink->skipped));
		json_object_set_new(counts, "not_routed", json_integer((json_int_t)sink->unrouted));
		json_object_set_new(counts, "other_class", json_integer((json_int_t)sink->other));
		json_object_set_new(counts, "pruned", json_integer((json_int_t)sink->pruned));
		json_object_set_new(counts, "last_due",
				    sink->n ? json_out_time(due_ms(asked, sink, now_ms, sink->n - 1) * NS_PER_MS)
					    : json_null());
		json_object_set_new(sinks, sink->name, counts);
	}
	json_object_set_new(line, "dry_run", json_boolean(asked->dry_run));
	json_object_set_new(line, "replayed", json_integer((json_int_t)replay_plan_total(plan)));
	json_object_set_new(line, "unknown", json_integer((json_int_t)plan->unknown));
	json_object_set_new(line, "held", json_integer((json_int_t)plan->held));
	json_object_set_new(line, "sinks", sinks);
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static int replay(struct view *view, const struct asked *asked, const char *why)
{
	struct replay_plan plan = { 0 };
	struct err err = { 0 };
	int status = 1;
	int64_t now_ms = clock_wall_ns() / NS_PER_MS;
	if (replay_plan(view, &asked->order, &plan, &err) < 0)
		goto fail;
	for (size_t i = 0; !asked->dry_run && i < plan.n; i++)
		if (replay_sink(view, asked, &plan.sinks[i], now_ms, why, &err) < 0)
			goto fail;
	if (asked->json)
		print_json(asked, &plan, now_ms);
	for (size_t i = 0; !asked->json && i < plan.n; i++)
		print_sink(asked, &plan.sinks[i], now_ms);
	if (plan.held && !asked->json)
		printf("%" PRIu64 " left out because held: they are delivered when their details are there\n",
		       plan.held);
	status = replay_plan_total(&plan) == 0;
	if (status && !plan.n && !plan.unknown && !plan.held)
		fprintf(stderr, "no delivery was %s that matches\n",
			asked->order.filter.skipped ? "skipped" : "given up");
	goto out;
fail:
	fprintf(stderr, "patchbay replay: %s\n", err.text);
out:
	replay_plan_free(&plan);
	return status;
}

/* -1: go on. */
static int check_usage(const struct args *args, struct asked *asked)
{
	const struct journal_dead_filter *filter = &asked->order.filter;
	bool by_time = filter->from_ms || filter->to_ms, by_id = asked->order.n_ids > 0;
	if (!by_id && !asked->all && !filter->sink && !filter->class_ && !by_time)
		return args_wrong(args, "what? Name IDs, or say --sink, --class, --since, --until, or --all");
	if (by_id && (asked->all || by_time))
		return args_wrong(args, "IDs, or everything that matches, not both");
	if (!by_id && asked->order.force && (!filter->sink || !filter->from_ms || filter->class_ || filter->skipped))
		return args_wrong(args,
				  "--force goes with IDs, or with --sink and --since (and --until) and nothing else");
	if (filter->class_ && !attempts_class_is_known(filter->class_))
		return args_wrong(args, "--class is " ATTEMPTS_CLASSES ", not '%s'", filter->class_);
	if (!scalar_rate(str_c(asked->rate), &asked->rate_count, &asked->rate_ms))
		return args_wrong(args, "--rate is like 10/s, 20/min or off, not '%s'", asked->rate);
	return -1;
}

int cmd_replay(int argc, char **argv)
{
	struct asked asked = { .config = CLI_CONFIG_PATH, .rate = RATE };
	struct journal_dead_filter *filter = &asked.order.filter;
	int64_t since = 0, until = 0;
	const struct arg v[] = {
		ARG_CONFIG(&asked.config),
		{ "sink", 0, ARG_TEXT, &filter->sink },
		{ "class", 0, ARG_TEXT, &filter->class_ },
		{ "since", 0, ARG_TIME, &since },
		{ "until", 0, ARG_TIME, &until },
		{ "skipped", 0, ARG_FLAG, &filter->skipped },
		{ "all", 0, ARG_FLAG, &asked.all },
		{ "force", 0, ARG_FLAG, &asked.order.force },
		{ "rate", 0, ARG_TEXT, &asked.rate },
		{ "dry-run", 0, ARG_FLAG, &asked.dry_run },
		ARG_JSON(&asked.json),
	};
	const struct args args = { "replay", help, v, sizeof(v) / sizeof(v[0]), 0, -1, NULL };
	char *why = who_and_how(argc, argv); /* before getopt_long() puts them in another order */
	struct view view = { 0 };
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		goto out;
	filter->from_ms = since / NS_PER_MS;
	filter->to_ms = until / NS_PER_MS;
	asked.order.ids = (const char *const *)argv + optind;
	asked.order.n_ids = (size_t)(argc - optind);
	status = check_usage(&args, &asked);
	if (status >= 0)
		goto out;
	status = 1;
	if ((asked.dry_run ? view_open : view_open_operator)(&view, "replay", asked.config) == 0 &&
	    !view_unknown_sink(&view, "replay", filter->sink))
		status = replay(&view, &asked, why);
	view_close(&view);
out:
	free(why);
	return status;
}
