/* cmd_reload.c - `patchbay reload`: has the running daemon take up its configuration as it is now, and says what came
 * of it. */
#include "cli/cli.h"

#include "base/mem.h"
#include "cli/args.h"
#include "cli/ask.h"
#include "cli/load.h"
#include "cli/text.h"
#include "daemon/control.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: patchbay reload [-c FILE] [--json]\n"
	"Has the running daemon read its configuration, its secrets and its plugins anew, as SIGHUP does.\n"
	"If anything is wrong, all goes on as it was, and every fault is said; else what changed is replaced,\n"
	"without losing or refusing anything, and what did not change goes on.\n"
	"Run it as the daemon's user, or as root.\n\n"
	"  -c, --config FILE  the configuration that the daemon was started with (" CLI_CONFIG_PATH ")\n"
	"      --json         what the daemon says: one JSON object for each fault or warning, and one for the whole\n"
	"  -h, --help         this text\n\n"
	"Exit status: 0 reloaded, 1 refused, or there is no daemon, 2 wrong usage.\n";

struct report {
	bool json, ended, reloaded;
	char *error;
};

static void print_counts(const json_t *end, const char *what)
{
	static const char *const names[] = { "kept", "replaced", "added", "removed" };
	const json_t *counts = json_object_get(end, what);
	printf("  %-8s", what);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		printf("%s%lld %s", i ? ", " : "", (long long)ask_number(counts, names[i]), names[i]);
	putchar('\n');
}

static void print_end(const json_t *end)
{
	long long loaded = (long long)ask_number(end, "plugins_loaded");
	printf("reloaded ");
	text_print(stdout, str_c(ask_text(end, "file")));
	printf(": generation %lld\n", (long long)ask_number(end, "generation"));
	print_counts(end, "sources");
	print_counts(end, "sinks");
	if (loaded)
		printf("  plugins %lld loaded anew\n", loaded);
}

static void take_line(void *ctx, patchbay_str text)
{
	struct report *report = ctx;
	json_t *line = json_loadb(text.p, text.n, 0, NULL);
	const char *result = ask_text(line, "result");
	if (!*result) {
		json_decref(line);
		return;
	}
	if (strcmp(result, "error") == 0) {
		free(report->error);
		report->error = xstrdup(ask_text(line, "why"));
	} else if (report->json) {
		printf("%.*s\n", STR_ARG(text));
	} else if (strcmp(result, "fault") == 0 || strcmp(result, "warning") == 0) {
		text_print(stderr, str_c(ask_text(line, "text")));
		fputc('\n', stderr);
	}
	if (strcmp(result, "end") == 0) {
		report->ended = true;
		report->reloaded = json_is_true(json_object_get(line, "reloaded"));
		if (report->reloaded && !report->json)
			print_end(line);
	}
	json_decref(line);
}

static int conclude(const struct report *report)
{
	if (report->error)
		fprintf(stderr, "patchbay reload: %s\n", report->error);
	else if (!report->ended)
		fprintf(stderr,
			"patchbay reload: the daemon went away before it was done; it was being stopped, or a plugin "
			"crashed, which its log names: then all goes on with the configuration that was at work\n");
	else if (!report->reloaded && !report->json)
		fprintf(stderr, "patchbay reload: refused; all goes on with the configuration that is at work\n");
	return report->reloaded ? 0 : 1;
}

int cmd_reload(int argc, char **argv)
{
	struct report report = { 0 };
	struct err err = { "" };
	const char *path = CLI_CONFIG_PATH;
	const struct arg v[] = { ARG_CONFIG(&path), ARG_JSON(&report.json) };
	const struct args args = { "reload", help, v, sizeof v / sizeof *v, 0, 0, "name the file with -c FILE" };
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	char *folder = config_journal_folder(path, &err);
	if (!folder) {
		fprintf(stderr, "%s\npatchbay reload: so it is not known where the daemon is; nothing was done\n",
			err.text);
		return 1;
	}
	int fd = control_connect(folder, &err);
	if (fd == -1) {
		bool denied = errno == EACCES;
		fprintf(stderr, "patchbay reload: %s; %s\n", err.text,
			denied ? "run this as the user that patchbay runs as, or as root"
			       : "no daemon runs with this journal (if `journal` was changed: that takes a restart)");
	} else {
		ask_daemon(fd, STR("reload\n"), take_line, &report);
		status = conclude(&report);
	}
	free(folder);
	free(report.error);
	return fd == -1 ? 1 : status;
}
