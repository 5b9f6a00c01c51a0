/* cmd_journal_repair.c - `patchbay journal repair`: prints what repair_journal() does, or would do. */
#include "cli/journal.h"

#include "base/str.h"
#include "cli/text.h"
#include "journal/repair.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char help[] =
	"Usage: patchbay journal repair [-c FILE | --journal FOLDER] [--apply] [--sink NAME]... [--json]\n"
	"Says what it would do to a damaged journal; with --apply it does it. The daemon must be stopped.\n"
	"Every record whose bytes are whole is kept where it is. Nothing is deleted: what is taken out, and the "
	"originals\n"
	"of what is written anew, go to a folder damaged-TIME in the journal's. If state.db is damaged, every row "
	"that\n"
	"can be read is saved; a sink that is lost from it is owed all that is kept, so that things may come a second\n"
	"time rather than never.\n\n" CLI_JOURNAL_HELP "      --apply           do it\n"
	"      --dry-run         only say what it would do; that is how it is without --apply\n"
	"      --sink NAME       a sink that there was, in case state.db has lost it; those of -c FILE are known\n"
	"      --json            one JSON object for each step, and one for the whole\n"
	"  -h, --help            this text\n\n"
	"Exit status: 0 done, or nothing to do; 1 something is to be done (without --apply), or it failed; 2 wrong "
	"usage.\n";

struct report {
	bool json;
};

static void say(void *ctx, const char *file, const char *what)
{
	const struct report *report = ctx;
	if (report->json)
		cli_journal_line(json_pack("{s:s, s:s, s:s}", "result", "step", "file", file, "what", what));
	else
		printf("%s: %s\n", file, what);
}

static void conclude(const struct report *report, const struct repair_sums *sums, bool apply)
{
	if (report->json) {
		cli_journal_line(json_pack("{s:s, s:b, s:I, s:I, s:s?}", "result", "end", "applied", apply, "steps",
					   (json_int_t)sums->steps, "salvaged", (json_int_t)sums->salvaged, "aside",
					   sums->aside));
		return;
	}
	if (sums->aside)
		printf("what was taken out, and the originals, are in %s\n", sums->aside);
	if (!sums->steps)
		printf("nothing to do\n");
	else if (!apply)
		printf("nothing was changed: --apply does it\n");
}

int cmd_journal_repair(int argc, char **argv)
{
	struct cli_journal j = { 0 };
	struct repair_sums sums = { 0 };
	struct report report = { 0 };
	struct arg_list named = { 0 };
	struct err err = { "" };
	bool apply = false, dry_run = false;
	const struct arg v[] = { CLI_JOURNAL_ARGS(j),
				 { "apply", 0, ARG_FLAG, &apply },
				 { "dry-run", 0, ARG_FLAG, &dry_run },
				 { "sink", 0, ARG_LIST, &named },
				 ARG_JSON(&report.json) };
	const struct args args = {
		"journal repair", help, v, sizeof v / sizeof *v, 0, 0, "name the folder with --journal FOLDER"
	};
	int status = args_parse(&args, argc, argv);
	if (status < 0 && apply && dry_run)
		status = args_wrong(&args, "--apply or --dry-run, not both");
	if (status < 0 && cli_journal_find(&j, "journal repair") != 0)
		status = 1;
	if (status < 0) {
		umask(0027); /* events are nobody else's business */
		struct registry *registry;
		struct config *config = cli_journal_config(&j, &registry);
		size_t n;
		const char **sinks = cli_journal_sinks(config, &named, &n);
		const struct repair_order order = {
			.path = j.folder, .dry_run = !apply, .sinks = sinks, .n_sinks = n, .say = say, .ctx = &report
		};
		bool able = !apply || cli_journal_as_owner(j.folder, &err) == 0;
		status = able && repair_journal(&order, &sums, &err) == 0 ? !apply && sums.steps : 1;
		if (err.text[0] && status)
			fprintf(stderr, "patchbay journal repair: %s\n", err.text);
		else
			conclude(&report, &sums, apply);
		free(sinks);
		config_free(config);
		registry_destroy(registry);
	}
	arg_list_free(&named);
	free(sums.aside);
	free(j.folder);
	return status;
}
