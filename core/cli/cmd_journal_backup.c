/* cmd_journal_backup.c - `patchbay journal backup`: makes a copy, and checks it. */
#include "cli/journal.h"

#include "base/str.h"
#include "journal/backup.h"
#include "journal/verify.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"Usage: patchbay journal backup [-c FILE | --journal FOLDER] [--link] [--json] TO\n"
	"Makes the folder TO a consistent copy of the journal, while the daemon runs or not, and checks it. If TO is "
	"an\n"
	"earlier copy, only what is new is copied, and what the journal has pruned since is removed from it.\n"
	"To restore: stop the daemon, move the damaged journal away, copy TO to its place (cp -a), give it to the\n"
	"daemon's user (chown -R), start. Nothing that was owed when the copy was made is lost; what was delivered "
	"since\n"
	"comes again. patchbay-journal(1) says more, also about files that sinks write.\n\n" CLI_JOURNAL_HELP
	"      --link            on the same file system, take finished "
	"segments by hard link instead of copying them:\n"
	"                        at once and without room, but what harms the disk harms both\n"
	"      --no-check        do not read the whole copy in the end\n"
	"      --json            one JSON object\n"
	"  -h, --help            this text\n\n"
	"Exit status: 0 done and sound, 1 failed, or the copy is damaged (as the journal is, then), 2 wrong usage.\n";

static void say_damage(void *ctx, const struct verify_fault *f)
{
	const char *to = ctx;
	if (f->damage)
		fprintf(stderr, "patchbay journal backup: %s/%s: %s; %s\n", to, f->file, f->what, f->means);
}

static void print_json(const char *to, const struct backup_sums *s, const struct verify_sums *checked)
{
	json_t *line = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "to", to, "copied", (json_int_t)s->copied,
				 "linked", (json_int_t)s->linked, "kept", (json_int_t)s->kept, "removed",
				 (json_int_t)s->removed, "bytes", (json_int_t)s->bytes, "events",
				 (json_int_t)checked->events, "damages", (json_int_t)checked->damages);
	cli_journal_line(line);
}

static void print_text(const char *to, const struct backup_sums *s, const struct verify_sums *checked, bool was_checked)
{
	char bytes[STR_BYTES_SIZE];
	printf("%s: %s; segments: %" PRIu64 " copied, %" PRIu64 " linked, %" PRIu64 " there already, %" PRIu64
	       " pruned\n",
	       to, str_show_bytes(s->bytes, bytes), s->copied, s->linked, s->kept, s->removed);
	if (was_checked && !checked->damages)
		printf("checked: sound, %" PRIu64 " events\n", checked->events);
}

int cmd_journal_backup(int argc, char **argv)
{
	struct cli_journal j = { 0 };
	struct backup_sums sums;
	struct verify_sums checked = { 0 };
	struct err err = { "" };
	bool json = false, link = false, no_check = false;
	const struct arg v[] = { CLI_JOURNAL_ARGS(j),
				 { "link", 0, ARG_FLAG, &link },
				 { "no-check", 0, ARG_FLAG, &no_check },
				 ARG_JSON(&json) };
	const struct args args = {
		"journal backup", help, v, sizeof v / sizeof *v, 1, 1, "name the folder of the copy"
	};
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	umask(0027); /* events are nobody else's business */
	char *to = argv[optind];
	if (cli_journal_find(&j, "journal backup") != 0)
		return 1;
	status = backup_journal(j.folder, to, link, &sums, &err);
	if (status == 0 && !no_check)
		status = verify_journal(to, say_damage, to, &checked, &err);
	if (status != 0)
		fprintf(stderr, "patchbay journal backup: %s\n", err.text);
	else if (json)
		print_json(to, &sums, &checked);
	else
		print_text(to, &sums, &checked, !no_check);
	free(j.folder);
	return status != 0 || checked.damages ? 1 : 0;
}
