/* cmd_journal_import.c - `patchbay journal import`: reads all lines first, so that a bad one is found before anything
 * is imported; then imports. */
#include "cli/journal.h"

#include "base/str.h"
#include "journal/import.h"
#include "journal/portable.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"Usage: patchbay journal import [-c FILE | --journal FOLDER] [--deliver] [--keep-going] [--json] FILE|-\n"
	"Takes in what `patchbay journal export` wrote: events keep their ids, times and dedupe keys, so a provider's "
	"retry\n"
	"is still known as one, and what is there already is left as it is. The daemon must be stopped; a folder that "
	"is not\n"
	"there is made. What is imported is in the journal to be looked at, and can be replayed, but is owed to no "
	"sink.\n"
	"It is kept as long as what came in today.\n\n" CLI_JOURNAL_HELP
	"      --deliver         owe it to the sinks, by the routes, as if it was new; not what is there under another "
	"id\n"
	"      --keep-going      import all good lines of a file with bad ones\n"
	"      --json            one JSON object\n"
	"  -h, --help            this text\n\n"
	"Exit status: 0 done, 1 failed, or there were bad lines, 2 wrong usage.\n";

#define MEMORY_MAX (UINT64_C(1) << 30) /* of one line, decoded */
#define SHOWN_MAX 20u

struct input {
	const char *name;
	FILE *file;
	patchbay_call call;
	char *line;
	size_t room;
	uint64_t number, bad;
};

/* From standard input there is no way back, so it is kept in a file. */
static int open_input(struct input *in, const char *name, struct err *err)
{
	bool standard = strcmp(name, "-") == 0;
	char piece[65536];
	in->name = standard ? "standard input" : name;
	in->file = standard ? tmpfile() : fopen(name, "re");
	if (!in->file)
		return err_set(err, "cannot open %s: %s", in->name, strerror(errno));
	for (size_t n; standard && (n = fread(piece, 1, sizeof piece, stdin)) > 0;)
		if (fwrite(piece, 1, n, in->file) != n)
			return err_set(err, "cannot keep standard input: %s", strerror(errno));
	return 0;
}

/* Goes through all lines. `im` NULL: only says which are bad. -1: err. */
static int go_through(struct input *in, struct import *im, struct err *err)
{
	struct err why;
	ssize_t n;
	rewind(in->file);
	in->number = in->bad = 0;
	while ((n = getline(&in->line, &in->room, in->file)) > 0) {
		struct journal_record r;
		patchbay_str line = { in->line, (size_t)n - (in->line[n - 1] == '\n') };
		in->number++;
		int good = in->number == 1 ? portable_decode_header(&in->call, line, &why)
					   : portable_decode(&in->call, line, &r, &why);
		if (in->number == 1 && good != 0)
			return err_set(err, "%s:1: %s", in->name, why.text);
		if (good != 0 && !im && in->bad++ < SHOWN_MAX)
			fprintf(stderr, "%s:%" PRIu64 ": %s\n", in->name, in->number, why.text);
		if (good == 0 && im && in->number > 1 && import_add(im, &r, err) != 0)
			return -1;
	}
	if (ferror(in->file))
		return err_set(err, "cannot read %s: %s", in->name, strerror(errno));
	return in->number ? 0 : err_set(err, "%s is empty", in->name);
}

static int import_all(struct input *in, const struct import_order *order, struct import_sums *sums, struct err *err)
{
	struct import *im = import_open(order, err);
	if (!im)
		return -1;
	int result = go_through(in, im, err);
	return import_close(im, result == 0, sums, err) == 0 ? result : -1;
}

static void print(const struct import_sums *s, uint64_t bad, bool json)
{
	if (json) {
		json_t *line =
			json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "imported", (json_int_t)s->imported, "quarantined",
				  (json_int_t)s->quarantined, "notes", (json_int_t)s->notes, "there",
				  (json_int_t)s->there, "known", (json_int_t)s->known, "bad", (json_int_t)bad);
		cli_journal_line(line);
		return;
	}
	printf("%" PRIu64 " events imported, %" PRIu64 " quarantined requests; %" PRIu64 " were there already",
	       s->imported, s->quarantined, s->there);
	if (s->known)
		printf("; %" PRIu64 " are there under another id, by their key, and were left out", s->known);
	putchar('\n');
}

static int run(const struct cli_journal *j, const char *name, bool deliver, bool keep_going, bool json)
{
	struct input in = { 0 };
	struct import_sums sums = { 0 };
	struct err err = { "" };
	struct registry *registry;
	struct config *config = cli_journal_config(j, &registry);
	size_t n;
	const char **sinks = cli_journal_sinks(config, NULL, &n);
	const struct import_order order = { .path = j->folder,
					    .retention_bytes = config ? (uint64_t)config->retention.size_bytes
								      : UINT64_C(10) << 30,
					    .deliver = deliver,
					    .sinks = sinks,
					    .n_sinks = n };
	call_init(&in.call, MEMORY_MAX);
	int result = open_input(&in, name, &err);
	if (result == 0)
		result = go_through(&in, NULL, &err);
	uint64_t bad = in.bad;
	if (result == 0 && bad && !keep_going)
		result = err_set(&err,
				 "%" PRIu64 " lines are bad, so nothing was imported; --keep-going imports the others",
				 bad);
	if (result == 0)
		result = cli_journal_as_owner(j->folder, &err);
	if (result == 0)
		result = import_all(&in, &order, &sums, &err);
	if (result != 0)
		fprintf(stderr, "patchbay journal import: %s\n", err.text);
	else
		print(&sums, bad, json);
	if (in.file)
		fclose(in.file);
	free(in.line);
	call_fini(&in.call);
	free(sinks);
	config_free(config);
	registry_destroy(registry);
	return result != 0 || bad ? 1 : 0;
}

int cmd_journal_import(int argc, char **argv)
{
	struct cli_journal j = { 0 };
	bool deliver = false, keep_going = false, json = false;
	const struct arg v[] = { CLI_JOURNAL_ARGS(j),
				 { "deliver", 0, ARG_FLAG, &deliver },
				 { "keep-going", 0, ARG_FLAG, &keep_going },
				 ARG_JSON(&json) };
	const struct args args = { "journal import", help, v, sizeof v / sizeof *v, 1, 1, "one FILE, please, or -" };
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	umask(0027); /* events are nobody else's business */
	if (cli_journal_find(&j, "journal import") != 0)
		return 1;
	status = run(&j, argv[optind], deliver, keep_going, json);
	free(j.folder);
	return status;
}
