/* cmd_show.c - `patchbay show ID` and `patchbay explain ID`: one event, in short, and all that is known about it. */
#include "cli/cli.h"

#include "cli/args.h"
#include "cli/load.h"
#include "cli/show.h"

#include <getopt.h>
#include <stdio.h>

#define ABOUT                                                                                                          \
	"The first 8 or more digits of an ID will do when no other event's begin with them.\n"                         \
	"Works beside a running daemon, and without one; needs no secrets. Run it as the daemon's user, or as "        \
	"root.\n\n"                                                                                                    \
	"  -c, --config FILE  the configuration (" CLI_CONFIG_PATH ")\n"                                               \
	"      --json         one JSON object; `data` is exactly as it came, `raw` the same as a string\n"
#define STATUS "Exit status: 0 done, 1 there is no such event or the journal cannot be read, 2 wrong usage.\n"

static const char show_help[] =
	"Usage: patchbay show ID [-c FILE] [--json] [--raw]\n"
	"Shows one event: where it came from, what proved it genuine, how each delivery stands, and its data.\n" ABOUT
	"      --raw          only the data, byte for byte\n"
	"  -h, --help         this text\n\n" STATUS;

static const char explain_help[] =
	"Usage: patchbay explain ID [-c FILE] [--json] [--raw]\n"
	"Says all that is known about one event or quarantined request: what came, which check it passed or failed "
	"and\n"
	"with which secret, what each route decided and because of what, every attempt to deliver it, and what to "
	"do.\n" ABOUT "      --raw          only what came: the data; of a quarantined request also its headers\n"
	"  -h, --help         this text\n\n" STATUS;

struct page {
	const char *command, *help;
	void (*text)(const struct show *), (*raw)(const struct show *);
};

static int show(const struct page *page, int argc, char **argv)
{
	const char *config = CLI_CONFIG_PATH;
	bool json = false, raw = false;
	const struct arg v[] = { ARG_CONFIG(&config), ARG_JSON(&json), { "raw", 0, ARG_FLAG, &raw } };
	const struct args args = { page->command,
				   page->help,
				   v,
				   sizeof(v) / sizeof(v[0]),
				   1,
				   1,
				   "one ID, please; `patchbay events` lists them" };
	struct show found = { 0 };
	struct view view;
	struct err err = { 0 };
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	if (json && raw)
		return args_wrong(&args, "--json or --raw, not both");
	status = 1;
	if (view_open(&view, page->command, config) < 0)
		goto out;
	if (show_gather(&found, &view, argv[optind], &err) < 0) {
		fprintf(stderr, "patchbay %s: %s\n", page->command, err.text);
		goto out;
	}
	(json ? show_json : raw ? page->raw : page->text)(&found);
	status = 0;
out:
	show_forget(&found);
	view_close(&view);
	return status;
}

int cmd_show(int argc, char **argv)
{
	return show(&(struct page){ "show", show_help, show_text, show_raw_data }, argc, argv);
}

int cmd_explain(int argc, char **argv)
{
	return show(&(struct page){ "explain", explain_help, show_explain, show_raw }, argc, argv);
}
