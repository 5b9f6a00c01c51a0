/* cmd_journal_prune.c - `patchbay journal prune`: the daemon does it, or, where none runs, this command. */
#include "cli/journal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/ask.h"
#include "config/scalar.h"
#include "daemon/control.h"
#include "journal/folder.h"
#include "journal/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: patchbay journal prune [-c FILE | --journal FOLDER] --older AGE | --size SIZE [--quarantine] "
	"[--dry-run]\n"
	"Gives up events sooner than `retention` would: whole segments, oldest first. Never one in which anything is "
	"still\n"
	"owed to a sink (`patchbay journal size` says by which it is held up), and never the newest. A segment holds "
	"the\n"
	"events of all sources, up to 64 MiB of them. Works with a running daemon, and without "
	"one.\n\n" CLI_JOURNAL_HELP "      --older AGE       segments whose newest event is older than that: 12h, 30d\n"
	"      --size SIZE       until there are no more than that: 500M, 5G\n"
	"      --quarantine      prune what is quarantined, instead of the events\n"
	"      --dry-run         only say what would go\n"
	"      --json            one JSON object\n"
	"  -h, --help            this text\n\n"
	"Exit status: 0 done, 1 failed, or what was asked for is held up by what is owed, 2 wrong usage.\n";

struct report {
	bool json, dry_run, quarantine, ended;
	struct journal_pruned done;
	char *error;
};

static void take_line(void *ctx, patchbay_str text)
{
	struct report *report = ctx;
	json_t *line = json_loadb(text.p, text.n, 0, NULL);
	const char *result = ask_text(line, "result");
	if (strcmp(result, "error") == 0) {
		free(report->error);
		report->error = xstrdup(ask_text(line, "why"));
	}
	if (strcmp(result, "end") == 0) {
		report->ended = true;
		report->done = (struct journal_pruned){ .segments = (uint64_t)ask_number(line, "segments"),
							.bytes = (uint64_t)ask_number(line, "bytes"),
							.left_bytes = (uint64_t)ask_number(line, "left_bytes"),
							.held = json_is_true(json_object_get(line, "held")) };
	}
	json_decref(line);
}

static int ask(int fd, const struct journal_prune_order *order, int64_t age_ms, struct report *report, struct err *err)
{
	char *request = xasprintf("prune %s %" PRIu64 "%s%s\n", age_ms >= 0 ? "older" : "size",
				  age_ms >= 0 ? (uint64_t)age_ms : order->down_to_bytes,
				  order->quarantine ? " quarantine" : "", order->dry_run ? " dry-run" : "");
	ask_daemon(fd, str_c(request), take_line, report);
	free(request);
	if (report->error)
		return err_set(err, "%s", report->error);
	return report->ended ? 0 : err_set(err, "the daemon went away before it was done; ask again");
}

/* Nothing goes but what is asked for. The index of what is pruned stays for the daemon's dedupe, which removes it. */
static int prune_here(const char *folder, const struct journal_prune_order *order, struct report *report,
		      struct err *err)
{
	const struct journal_options options = { .path = folder,
						 .retention_age_ms = INT64_MAX / 4,
						 .retention_bytes = INT64_MAX / 4,
						 .quarantine_bytes = INT64_MAX / 4,
						 .dedupe_window_ms = INT64_C(30) * 86400000 };
	struct journal *j = cli_journal_as_owner(folder, err) == 0 ? journal_open(&options, err) : NULL;
	int result = j ? journal_prune(j, order, &report->done, err) : -1;
	journal_close(j);
	return result;
}

static int prune(const char *folder, const struct journal_prune_order *order, int64_t age_ms, struct report *report,
		 struct err *err)
{
	struct err why;
	int fd = control_connect(folder, &why);
	if (fd != -1)
		return ask(fd, order, age_ms, report, err);
	if (errno == EACCES)
		return err_set(err, "%s; run this as the user that patchbay runs as, or as root", why.text);
	if (folder_in_use(folder))
		return err_set(err, "a daemon has %s, but does not listen for commands; its log says why", folder);
	return prune_here(folder, order, report, err);
}

static void print(const struct report *report)
{
	const struct journal_pruned *done = &report->done;
	char bytes[STR_BYTES_SIZE], left[STR_BYTES_SIZE];
	if (report->json) {
		json_t *line = json_pack("{s:b, s:b, s:I, s:I, s:I, s:b}", "dry_run", report->dry_run, "quarantine",
					 report->quarantine, "segments", (json_int_t)done->segments, "bytes",
					 (json_int_t)done->bytes, "left_bytes", (json_int_t)done->left_bytes, "held",
					 done->held);
		cli_journal_line(line);
		return;
	}
	printf("%s: %" PRIu64 " segments, %s%s; %s are left\n", report->quarantine ? "quarantine" : "events",
	       done->segments, str_show_bytes(done->bytes, bytes), report->dry_run ? " would go" : " given up",
	       str_show_bytes(done->left_bytes, left));
	if (done->held)
		printf("more would go, but is still owed; `patchbay journal size` says to which sink\n");
}

int cmd_journal_prune(int argc, char **argv)
{
	struct cli_journal j = { 0 };
	struct report report = { 0 };
	struct err err = { "" };
	const char *older = NULL, *size = NULL;
	int64_t age_ms = -1, bytes = -1;
	const struct arg v[] = { CLI_JOURNAL_ARGS(j),
				 { "older", 0, ARG_TEXT, &older },
				 { "size", 0, ARG_TEXT, &size },
				 { "quarantine", 0, ARG_FLAG, &report.quarantine },
				 { "dry-run", 0, ARG_FLAG, &report.dry_run },
				 ARG_JSON(&report.json) };
	const struct args args = {
		"journal prune", help, v, sizeof v / sizeof *v, 0, 0, "say what goes with --older AGE or --size SIZE"
	};
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	if (!older == !size)
		return args_wrong(&args, "say what goes: --older AGE, or --size SIZE");
	if (older && !scalar_ms(str_c(older), &age_ms))
		return args_wrong(&args, "--older is an age such as 12h or 30d, not '%s'", older);
	if (size && !scalar_bytes(str_c(size), &bytes))
		return args_wrong(&args, "--size is a size such as 500M or 5G, not '%s'", size);
	if (cli_journal_find(&j, "journal prune") != 0)
		return 1;
	const struct journal_prune_order order = {
		.older_than_ms = older ? clock_wall_ns() / NS_PER_MS - age_ms : INT64_MIN,
		.down_to_bytes = size ? (uint64_t)bytes : UINT64_MAX,
		.quarantine = report.quarantine,
		.dry_run = report.dry_run,
	};
	status = prune(j.folder, &order, age_ms, &report, &err);
	if (status != 0)
		fprintf(stderr, "patchbay journal prune: %s\n", err.text);
	else
		print(&report);
	free(report.error);
	free(j.folder);
	return status != 0 || report.done.held ? 1 : 0;
}
