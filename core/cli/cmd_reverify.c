/* cmd_reverify.c - `patchbay reverify SOURCE`: has the running daemon verify again what it refused, or, when none runs,
 * does so itself. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/args.h"
#include "cli/ask.h"
#include "cli/load.h"
#include "cli/text.h"
#include "daemon/control.h"
#include "daemon/daemon.h"
#include "source/reverify.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"Usage: patchbay reverify SOURCE [-c FILE] [--dry-run] [--json]\n"
	"Verifies and parses once more what was refused or not understood when it came to this source, and\n"
	"admits what passes now, oldest first and once each; run it when a secret, `allow_from`, `path_secret`\n"
	"or the plugin was mended.\n"
	"What has come in again meanwhile, by a retry of the provider's, is not made a second event.\n"
	"Beside a running daemon, the daemon does it, with the configuration file as it is now (but its own\n"
	"environment).\n"
	"Run it as the daemon's user, or as root while the daemon runs.\n\n"
	"  -c, --config FILE  the configuration (" CLI_CONFIG_PATH ")\n"
	"      --dry-run      only say what would be done\n"
	"      --json         one JSON object for each request, and one for the whole\n"
	"  -h, --help         this text\n\n"
	"Exit status: 0 done, 1 all of them still fail or it could not be done, 2 wrong usage.\n";

#define EXAMPLES 3
#define NAP_MS 100
#define PATIENCE_MS 3000

struct group { /* requests that fail for the same reason */
	char *why;
	uint64_t n;
	char *examples[EXAMPLES];
};

struct report {
	const char *source;
	bool json, dry_run;
	struct group *groups;
	size_t n_groups;
	bool ended, live_refuses;
	bool asked; /* a daemon */
	json_int_t admitted, events, here, nothing, fails, before;
	char *error;
};

/* ---- What the lines say */

static void add_failure(struct report *report, const json_t *line)
{
	const char *why = ask_text(line, "why");
	size_t i = 0;
	while (i < report->n_groups && strcmp(report->groups[i].why, why) != 0)
		i++;
	if (i == report->n_groups) {
		report->groups = xrealloc(report->groups, (i + 1) * sizeof *report->groups);
		report->groups[report->n_groups++] = (struct group){ .why = xstrdup(why) };
	}
	struct group *group = &report->groups[i];
	if (group->n < EXAMPLES)
		group->examples[group->n] = xstrdup(ask_text(line, "request"));
	group->n++;
}

static void print_request(const struct report *report, const json_t *line, const char *result)
{
	const json_t *events = json_object_get(line, "events"), *event;
	size_t i;
	char time[TEXT_TIME_SIZE] = "";
	int64_t ns;
	if (clock_parse_iso(str_c(ask_text(line, "received")), &ns))
		text_time(ns, time);
	printf("%s  received %s  ", ask_text(line, "request"), time);
	if (strcmp(result, "nothing") == 0)
		printf("authentic, but there is no event in it\n");
	else if (strcmp(result, "here") == 0)
		printf("is here already");
	else
		printf(report->dry_run ? "would be admitted" : "admitted");
	if (strcmp(result, "nothing") == 0)
		return;
	json_array_foreach(events, i, event)
		printf("%s%s", i ? ", " : " as ", json_string_value(event) ? json_string_value(event) : "");
	if (strcmp(result, "admitted") == 0) {
		printf(": ");
		text_print(stdout, str_c(ask_text(line, "why")));
	}
	putchar('\n');
}

static bool take_line(void *ctx, patchbay_str text)
{
	struct report *report = ctx;
	json_t *line = json_loadb(text.p, text.n, 0, NULL);
	const char *result = ask_text(line, "result");
	bool understood = true;
	if (strcmp(result, "end") == 0) {
		report->ended = true;
		report->admitted = ask_number(line, "admitted");
		report->events = ask_number(line, "events");
		report->here = ask_number(line, "here");
		report->nothing = ask_number(line, "nothing");
		report->fails = ask_number(line, "fails");
		report->before = ask_number(line, "before");
		report->live_refuses = json_is_true(json_object_get(line, "live_refuses"));
	} else if (strcmp(result, "error") == 0) {
		free(report->error);
		report->error = xstrdup(ask_text(line, "why"));
	} else if (strcmp(result, "fails") == 0) {
		add_failure(report, line);
	} else if (*result) {
		if (!report->json)
			print_request(report, line, result);
	} else {
		understood = false;
	}
	if (report->json && understood && strcmp(result, "error") != 0)
		printf("%.*s\n", STR_ARG(text));
	json_decref(line);
	return understood;
}

/* ---- The end */

static void print_failures(const struct report *report)
{
	for (size_t i = 0; i < report->n_groups; i++) {
		const struct group *group = &report->groups[i];
		printf("%llu still fail%s: ", (unsigned long long)group->n, group->n == 1 ? "s" : "");
		text_print(stdout, str_c(group->why));
		printf("\n  such as");
		for (size_t k = 0; k < EXAMPLES && group->examples[k]; k++)
			printf("%s %s", k ? "," : "", group->examples[k]);
		putchar('\n');
	}
}

static void print_sum(const struct report *report)
{
	if (report->admitted + report->here + report->nothing + report->fails + report->before == 0) {
		printf("%s: nothing is quarantined\n", report->source);
		return;
	}
	print_failures(report);
	printf("%s: %lld %sadmitted (%lld event%s), %lld already here, %lld without an event, %lld still fail%s",
	       report->source, (long long)report->admitted, report->dry_run ? "would be " : "",
	       (long long)report->events, report->events == 1 ? "" : "s", (long long)report->here,
	       (long long)report->nothing, (long long)report->fails, report->fails == 1 ? "s" : "");
	if (report->before)
		printf("; %lld were recovered before", (long long)report->before);
	putchar('\n');
}

static int conclude(const struct report *report)
{
	bool any = report->admitted + report->here + report->nothing > 0;
	if (!report->json && report->ended)
		print_sum(report);
	if (report->error)
		fprintf(stderr, "patchbay reverify: %s\n", report->error);
	else if (!report->ended)
		fprintf(stderr, "patchbay reverify: the daemon has gone away in between; what was done until then "
				"stays done, run this again for the rest\n");
	if (report->live_refuses)
		fprintf(stderr, "patchbay reverify: the running daemon still has the old configuration; run "
				"`patchbay reload` so that new posts pass, too\n");
	else if (report->asked && report->fails && !any && !report->before)
		fprintf(stderr,
			"patchbay reverify: the running daemon was asked, which reads {env: ...} and {credential: "
			"...} only when it starts; if one of those was mended, restart patchbay first\n");
	return report->error || !report->ended || (report->fails && !any) ? 1 : 0;
}

static void report_free(struct report *report)
{
	for (size_t i = 0; i < report->n_groups; i++) {
		for (size_t k = 0; k < EXAMPLES; k++)
			free(report->groups[i].examples[k]);
		free(report->groups[i].why);
	}
	free(report->groups);
	free(report->error);
}

/* ---- By the daemon, or here */

static void take_answer(void *ctx, patchbay_str line)
{
	(void)take_line(ctx, line);
}

/* Closes fd. */
static void do_it_there(struct report *report, int fd)
{
	struct buf request = { 0 };
	report->asked = true;
	buf_addf(&request, "reverify %s%s\n", report->source, report->dry_run ? " dry-run" : "");
	ask_daemon(fd, buf_str(&request), take_answer, report);
	buf_free(&request);
}

static const struct config_source *find_source(const struct config *config, const char *name, struct err *err)
{
	const char **names = xcalloc(config->n_sources + 1, sizeof *names);
	const struct config_source *found = NULL;
	for (size_t i = 0; i < config->n_sources; i++) {
		names[i] = config->sources[i].name;
		if (strcmp(names[i], name) == 0)
			found = &config->sources[i];
	}
	const char *nearest = found ? NULL : str_nearest(str_c(name), names, config->n_sources);
	if (!found)
		err_set(err, "there is no source '%s' in %s%s%s%s", name, config->path,
			nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
	free(names);
	return found;
}

/* What another user makes in that folder, the daemon could not open when it starts. */
static bool may_write(const char *folder, struct err *err)
{
	struct stat st;
	if (stat(folder, &st) == -1)
		err_set(err, "cannot look at the journal %s: %s; has `patchbay serve` run with this configuration?",
			folder, strerror(errno));
	else if (st.st_uid != geteuid())
		err_set(err,
			"no daemon runs, and the journal %s belongs to another user (%u); run this as that user, "
			"or start patchbay first",
			folder, (unsigned)st.st_uid);
	else
		return true;
	return false;
}

/* A daemon that starts has the journal before it can be asked; another reverify is done soon. NULL and *fd -1: err. */
static struct journal *open_journal(const struct config *config, int *fd, struct err *err)
{
	const struct timespec nap = { .tv_nsec = NAP_MS * NS_PER_MS };
	struct err no_daemon;
	*fd = -1;
	for (int waited_ms = 0;; waited_ms += NAP_MS) {
		struct journal *journal = daemon_open_journal(config, NULL, err);
		if (journal || waited_ms >= PATIENCE_MS)
			return journal;
		nanosleep(&nap, NULL);
		*fd = control_connect(config->journal, &no_daemon);
		if (*fd != -1)
			return NULL;
	}
}

static void do_it_here(struct report *report, const char *path, const struct err *no_daemon)
{
	struct registry *registry = NULL;
	struct config *config = cli_load_config(path, &registry);
	struct err err = { "" };
	struct journal *journal = NULL;
	int fd = -1;
	if (!config) {
		report->error = xasprintf("first mend the configuration; nothing was done");
		return;
	}
	const struct config_source *source = find_source(config, report->source, &err);
	if (source && may_write(config->journal, &err) && !(journal = open_journal(config, &fd, &err)) && fd == -1)
		report->error = xasprintf("%s (and no daemon can be asked: %s)", err.text, no_daemon->text);
	if (journal) {
		struct reverify r = { .journal = journal,
				      .source = source,
				      .dry_run = report->dry_run,
				      .say = take_line,
				      .ctx = report };
		if (reverify_run(&r, &err) != 0)
			report->error = xstrdup(err.text);
	} else if (fd != -1) {
		do_it_there(report, fd);
	} else if (!report->error) {
		report->error = xstrdup(err.text);
	}
	journal_close(journal);
	config_free(config);
	registry_destroy(registry);
}

int cmd_reverify(int argc, char **argv)
{
	struct report report = { 0 };
	struct err err = { "" };
	const char *path = CLI_CONFIG_PATH;
	const struct arg v[] = { ARG_CONFIG(&path),
				 { "dry-run", 0, ARG_FLAG, &report.dry_run },
				 ARG_JSON(&report.json) };
	const struct args args = { .command = "reverify",
				   .help = help,
				   .v = v,
				   .n = sizeof v / sizeof *v,
				   .min = 1,
				   .max = 1,
				   .what = "name one source" };
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	report.source = argv[optind];
	if (strlen(report.source) > 63 || strcspn(report.source, " \t\r\n") != strlen(report.source))
		return args_wrong(&args, "'%s' cannot be the name of a source", report.source);
	char *folder = config_journal_folder(path, &err);
	if (!folder) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	int fd = control_connect(folder, &err);
	if (fd == -1 && errno == EACCES) {
		report.error = xasprintf("%s; run this as the user that patchbay runs as, or as root", err.text);
	} else if (fd != -1) {
		do_it_there(&report, fd);
	} else {
		do_it_here(&report, path, &err);
	}
	free(folder);
	status = conclude(&report);
	report_free(&report);
	return status;
}
