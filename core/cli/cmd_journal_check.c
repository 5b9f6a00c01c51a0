/* cmd_journal_check.c - `patchbay journal check`: prints what verify_journal() finds. */
#include "cli/journal.h"

#include "base/str.h"
#include "cli/json_out.h"
#include "cli/text.h"
#include "journal/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"Usage: patchbay journal check [-c FILE | --journal FOLDER] [--json]\n"
	"Reads all of the journal: every record with its checksum, every index against its segment, the database of\n"
	"deliveries against both. Changes nothing, and works beside a running daemon: what that is writing is no "
	"damage.\n"
	"For each damage it says where it is, what it means, and what to do.\n\n" CLI_JOURNAL_HELP
	"      --json            one JSON object for each damage or remark, and one for the whole\n"
	"  -h, --help            this text\n\n"
	"Exit status: 0 sound, 1 damaged, or cannot be read, 2 wrong usage.\n";

static json_t *string(const char *s)
{
	return json_out_string(str_c(s));
}

static void say_json(void *ctx, const struct verify_fault *f)
{
	(void)ctx;
	json_t *line = json_pack("{s:s, s:o}", "result", f->damage ? "damage" : "remark", "file", string(f->file));
	if (f->to) {
		json_object_set_new(line, "from", json_integer((json_int_t)f->from));
		json_object_set_new(line, "to", json_integer((json_int_t)f->to));
	}
	json_object_set_new(line, "what", string(f->what));
	json_object_set_new(line, "means", string(f->means));
	json_object_set_new(line, "todo", string(f->todo));
	cli_journal_line(line);
}

static void say_text(void *ctx, const struct verify_fault *f)
{
	(void)ctx;
	text_print(stdout, str_c(f->file));
	if (f->to)
		printf(":%" PRIu64 "-%" PRIu64, f->from, f->to);
	printf(": %s", f->damage ? "" : "remark: ");
	text_print(stdout, str_c(f->what));
	printf("\n    ");
	text_print(stdout, str_c(f->means));
	if (*f->todo) {
		printf("\n    to do: ");
		text_print(stdout, str_c(f->todo));
	}
	putchar('\n');
}

static void print_sums_json(const struct verify_sums *s)
{
	cli_journal_line(json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:I}",
				   "result", "end", "running", s->running, "damages", (json_int_t)s->damages, "remarks",
				   (json_int_t)s->notes, "segments", (json_int_t)s->segments, "records",
				   (json_int_t)s->records, "events", (json_int_t)s->events, "bytes",
				   (json_int_t)s->bytes, "quarantine_segments", (json_int_t)s->quarantine_segments,
				   "quarantine_records", (json_int_t)s->quarantine_records, "quarantine_bytes",
				   (json_int_t)s->quarantine_bytes, "state_version", s->state_version, "sinks",
				   (json_int_t)s->sinks, "parked", (json_int_t)s->parked, "dead", (json_int_t)s->dead));
}

static void print_sums(const char *folder, const struct verify_sums *s)
{
	char bytes[STR_BYTES_SIZE];
	printf("%s: %" PRIu64 " segments with %" PRIu64 " events in %" PRIu64 " records, %s\n", folder, s->segments,
	       s->events, s->records, str_show_bytes(s->bytes, bytes));
	printf("  quarantine: %" PRIu64 " segments with %" PRIu64 " requests, %s\n", s->quarantine_segments,
	       s->quarantine_records, str_show_bytes(s->quarantine_bytes, bytes));
	if (s->state_version)
		printf("  state.db: version %d, %" PRIu64 " sinks, %" PRIu64
		       " deliveries wait for another attempt, %" PRIu64 " are dead letters\n",
		       s->state_version, s->sinks, s->parked, s->dead);
	if (s->running)
		printf("  a daemon is running: what it wrote meanwhile may not be in these numbers\n");
	if (s->damages)
		printf("damaged: %" PRIu64 " %s\n", s->damages, s->damages == 1 ? "place" : "places");
	else
		printf("sound\n");
}

int cmd_journal_check(int argc, char **argv)
{
	struct cli_journal j = { 0 };
	struct verify_sums sums;
	struct err err = { "" };
	bool json = false;
	const struct arg v[] = { CLI_JOURNAL_ARGS(j), ARG_JSON(&json) };
	const struct args args = {
		"journal check", help, v, sizeof v / sizeof *v, 0, 0, "name the folder with --journal FOLDER"
	};
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	if (cli_journal_find(&j, "journal check") != 0)
		return 1;
	status = verify_journal(j.folder, json ? say_json : say_text, NULL, &sums, &err);
	if (status != 0)
		fprintf(stderr, "patchbay journal check: %s\n", err.text);
	else if (json)
		print_sums_json(&sums);
	else
		print_sums(j.folder, &sums);
	free(j.folder);
	return status != 0 || sums.damages ? 1 : 0;
}
