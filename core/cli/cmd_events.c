/* cmd_events.c - `patchbay events`: what came in, and how its deliveries stand. */
#include "cli/cli.h"

#include "cli/args.h"
#include "cli/events.h"
#include "cli/load.h"

static const char help[] =
	"Usage: patchbay events [-c FILE] [--limit N] [--source S] [--type GLOB] [--since WHEN] [--quarantine] "
	"[--follow] [--json]\n"
	"Lists what came in, newest first: events, test calls, repeats of events, and what was quarantined.\n"
	"Works beside a running daemon, and without one; needs no secrets. Run it as the daemon's user, or as root.\n\n"
	"  -c, --config FILE  the configuration (" CLI_CONFIG_PATH ")\n"
	"  -n, --limit N      at most N lines (20); 0 = all\n"
	"      --source S     only what came to this source\n"
	"      --type GLOB    only types or kinds that match: 'fault_code_*'\n"
	"      --since WHEN   only what came since: 90s, 30m, 2h, 7d, or a time: 2026-11-22T04:00:00Z\n"
	"      --quarantine   only what could not be verified or understood\n"
	"  -f, --follow       print what comes from now on (with --since: since then), as it comes, until interrupted\n"
	"      --json         one JSON object on each line\n"
	"  -h, --help         this text\n\n"
	"STATE sums up the deliveries: how many sinks have it, still owe it, will retry it (parked), gave up (dead).\n"
	"Exit status: 0 done, 1 the configuration or the journal cannot be read, 2 wrong usage.\n";

#define LIMIT 20

int cmd_events(int argc, char **argv)
{
	const char *config = CLI_CONFIG_PATH;
	bool follow = false;
	struct events_wanted wanted = { .limit = EVENTS_UNLIMITED, .since_ns = INT64_MIN };
	const struct arg v[] = {
		ARG_CONFIG(&config),
		{ "limit", 'n', ARG_NUMBER, &wanted.limit },
		{ "source", 0, ARG_TEXT, &wanted.source },
		{ "type", 0, ARG_TEXT, &wanted.type },
		{ "since", 0, ARG_TIME, &wanted.since_ns },
		{ "quarantine", 0, ARG_FLAG, &wanted.quarantine },
		{ "follow", 'f', ARG_FLAG, &follow },
		ARG_JSON(&wanted.json),
	};
	const struct args args = {
		"events", help, v, sizeof(v) / sizeof(v[0]), 0, 0, "to see one event: patchbay show ID"
	};
	struct view view;
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	if (wanted.limit == EVENTS_UNLIMITED && !follow)
		wanted.limit = LIMIT;
	else if (!wanted.limit)
		wanted.limit = EVENTS_UNLIMITED;
	status = view_open(&view, "events", config) < 0 ? 1 : (follow ? events_follow : events_list)(&wanted, &view);
	view_close(&view);
	return status;
}
