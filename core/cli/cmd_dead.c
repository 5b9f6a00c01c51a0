/* cmd_dead.c - `patchbay dead`: the deliveries that were given up, and why. */
#include "cli/cli.h"

#include "base/clock.h"
#include "cli/args.h"
#include "cli/attempts.h"
#include "cli/dead.h"
#include "cli/load.h"

#include <getopt.h>

static const char help[] =
	"Usage: patchbay dead [-c FILE] [--sink S] [--class C] [--since WHEN] [--until WHEN] [--group] [--skipped]\n"
	"                     [--limit N] [--json]\n"
	"       patchbay dead ID [-c FILE] [--sink S] [--json]\n"
	"Lists the deliveries that were given up: their causes (same sink, same reason but for numbers and ids in it), "
	"the\n"
	"largest first, and then the newest ones themselves, the newest last. With ID (its first 8 digits will do): "
	"every\n"
	"attempt to deliver this one, and what to do. `patchbay replay` delivers them again.\n"
	"Requests that a source's plugin crashed with are listed, too: they are in quarantine.\n"
	"Works beside a running daemon, and without one; needs no secrets. Run it as the daemon's user, or as root.\n\n"
	"  -c, --config FILE  the configuration (" CLI_CONFIG_PATH ")\n"
	"      --sink S       only what was owed to this sink\n"
	"      --class C      only: event (the sink does not take this event), configuration (as it is configured, "
	"the\n"
	"                     sink cannot deliver it), destination, plugin, 'gave up' (retried for too long)\n"
	"      --since WHEN   only what was given up since: 90s, 30m, 2h, 7d, or a time: 2026-11-22T04:00:00Z\n"
	"      --until WHEN   only what was given up until then\n"
	"      --group        only the causes\n"
	"      --skipped      not the dead ones, but those that were skipped\n"
	"  -n, --limit N      the newest N (10); 0 = all\n"
	"      --json         one JSON object on each line: with --group the causes, else the records\n"
	"  -h, --help         this text\n\n"
	"Exit status: 0 done, 1 there is no such delivery or the journal cannot be read, 2 wrong usage.\n";

int cmd_dead(int argc, char **argv)
{
	const char *config = CLI_CONFIG_PATH;
	struct dead_order order = { .limit = 10 };
	int64_t since = 0, until = 0;
	const struct arg v[] = {
		ARG_CONFIG(&config),
		{ "sink", 0, ARG_TEXT, &order.filter.sink },
		{ "class", 0, ARG_TEXT, &order.filter.class_ },
		{ "since", 0, ARG_TIME, &since },
		{ "until", 0, ARG_TIME, &until },
		{ "group", 0, ARG_FLAG, &order.groups_only },
		{ "skipped", 0, ARG_FLAG, &order.filter.skipped },
		{ "limit", 'n', ARG_NUMBER, &order.limit },
		ARG_JSON(&order.json),
	};
	const struct args args = { "dead", help, v, sizeof(v) / sizeof(v[0]), 0, 1, "one ID at most, please" };
	struct view view;
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	if (order.filter.class_ && !attempts_class_is_known(order.filter.class_))
		return args_wrong(&args, "--class is " ATTEMPTS_CLASSES ", not '%s'", order.filter.class_);
	order.filter.from_ms = since / NS_PER_MS;
	order.filter.to_ms = until / NS_PER_MS;
	if (!order.limit)
		order.limit = UINT64_MAX;
	if (view_open(&view, "dead", config) < 0)
		status = 1;
	else if (view_unknown_sink(&view, "dead", order.filter.sink))
		status = 1;
	else
		status = optind < argc ? dead_show(&view, &order, argv[optind]) : dead_list(&view, &order);
	view_close(&view);
	return status;
}
