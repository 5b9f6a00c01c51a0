/* cmd_journal_export.c - `patchbay journal export`: writes records out as lines, one after the other. */
#include "cli/cli.h"
#include "cli/journal.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "cli/view.h"
#include "journal/journal.h"
#include "journal/portable.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: patchbay journal export [-c FILE | --journal FOLDER] [--source S]... [--type GLOB] [--from WHEN] [--to "
	"WHEN]\n"
	"                               [--quarantine] [--deliveries] [FILE|-]\n"
	"Writes what came in as lines of JSON, oldest first, to FILE or to standard output: a first line that names "
	"the\n"
	"format, then one line for each event, repeat, and note about an answer. Every byte comes back with `import`.\n"
	"patchbay-journal(5) describes the lines. Works beside a running daemon.\n"
	"To move a journal with all that it owes, take `backup` instead.\n\n" CLI_JOURNAL_HELP
	"      --source S        only what came to this source; may come several times\n"
	"      --type GLOB       only types or kinds that match: 'fault_code_*'\n"
	"      --from WHEN       only what was received since: 2h, 7d, or a time: 2026-11-22T04:00:00Z\n"
	"      --to WHEN         only what was received before\n"
	"      --quarantine      also what could not be verified or understood\n"
	"      --deliveries      with each event what became of its deliveries (`import` takes no notice of it)\n"
	"  -h, --help            this text\n\n"
	"Exit status: 0 done, 1 failed, or some of it is damaged and was passed over, 2 wrong usage.\n";

#define PIECE 65536u

struct wanted {
	struct arg_list sources;
	const char *type;
	int64_t from_ns, to_ns;
	bool quarantine, deliveries;
};

struct export
{
	const struct wanted *wanted;
	struct journal *journal;
	int fd;
	struct buf out;
	uint64_t damaged;
};

static bool is_wanted(const struct wanted *w, const struct journal_record *r)
{
	bool source = w->sources.n == 0;
	for (size_t i = 0; i < w->sources.n; i++)
		source = source || str_is(r->source, w->sources.v[i]);
	if (!source || r->received_ns < w->from_ns || r->received_ns >= w->to_ns || r->kind == JOURNAL_CURSOR)
		return false;
	if (r->kind == JOURNAL_MALFORMED && !w->quarantine)
		return false;
	if (r->kind == JOURNAL_ANSWER) { /* a note of a tool is about no event */
		static const struct id none;
		return !w->type && memcmp(&r->original, &none, sizeof none) != 0;
	}
	return !w->type || str_glob(str_c(w->type), r->type) || str_glob(str_c(w->type), r->kind_name);
}

static int write_out(struct export *x, size_t at_least, struct err *err)
{
	if (x->out.n < at_least || x->out.n == 0)
		return 0;
	if (io_write_all(x->fd, x->out.p, x->out.n) != 0)
		return err_set(err, "cannot write: %s", strerror(errno));
	x->out.n = 0;
	return 0;
}

struct delivering {
	struct buf *out;
	size_t n;
};

static void add_delivery(void *ctx, const struct journal_delivery_state *d)
{
	struct delivering *to = ctx;
	char time[CLOCK_ISO_SIZE];
	if (strcmp(d->sink, JOURNAL_SINK_ENRICH) == 0)
		return;
	buf_addf(to->out, "%s{\"sink\":", to->n++ ? "," : "");
	buf_add_json_string(to->out, str_c(d->sink));
	buf_addf(to->out, ",\"state\":\"%s\"", view_state_name(d->state));
	if (d->at_ms) {
		clock_format_iso(d->at_ms * NS_PER_MS, time);
		buf_addf(to->out, ",\"at\":\"%s\"", time);
	}
	if (d->why && *d->why) {
		buf_addf(to->out, ",\"why\":");
		buf_add_json_string(to->out, str_c(d->why));
	}
	buf_addf(to->out, "}");
}

static int put(struct export *x, const struct journal_record *r, const struct journal_pos *at, struct err *err)
{
	if (!is_wanted(x->wanted, r))
		return 0;
	portable_encode(&x->out, r);
	if (at && x->wanted->deliveries && r->kind == JOURNAL_EVENT && !(r->flags & JOURNAL_FLAG_HELD)) {
		struct delivering to = { .out = &x->out };
		buf_addf(&x->out, ",\"deliveries\":[");
		if (journal_deliveries(x->journal, *at, &r->id, add_delivery, &to, err) != 0)
			return -1;
		buf_addf(&x->out, "]");
	}
	buf_addf(&x->out, "}\n");
	return write_out(x, PIECE, err);
}

/* What is damaged is passed over, and said; what was pruned meanwhile is not missed. */
static int export_all(struct export *x, struct err *err)
{
	struct journal_reader *reader = journal_reader_open(x->journal);
	struct journal_pos pos = journal_start(x->journal), at;
	struct journal_record r;
	int got, result = 0;
	portable_encode_header(&x->out, cli_version(), clock_wall_ns());
	buf_addf(&x->out, "\n");
	for (int quarantine = 0; quarantine <= x->wanted->quarantine && result == 0; quarantine++) {
		if (quarantine)
			pos = (struct journal_pos){ 0, 0 };
		while (result == 0 && (got = quarantine ? journal_read_quarantine(reader, &pos, &r, err)
							: journal_read(reader, &pos, &r, &at, err)) != 0) {
			if (got == 1) {
				result = put(x, &r, quarantine ? NULL : &at, err);
			} else if (errno != ENOENT) {
				fprintf(stderr, "patchbay journal export: %s; passed over\n", err->text);
				x->damaged++;
			}
			errno = 0;
		}
	}
	journal_reader_close(reader);
	return result == 0 ? write_out(x, 0, err) : result;
}

/* A file appears whole, or not at all. */
static int export_to(struct export *x, const char *file, struct err *err)
{
	bool standard = !file || strcmp(file, "-") == 0;
	char *temporary = standard ? NULL : xasprintf("%s.part", file);
	int result;
	x->fd = standard ? STDOUT_FILENO : open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (x->fd == -1)
		result = err_set(err, "cannot make %s: %s", temporary, strerror(errno));
	else
		result = export_all(x, err);
	if (!standard && result == 0 && (fsync(x->fd) == -1 || rename(temporary, file) == -1))
		result = err_set(err, "cannot make %s: %s", file, strerror(errno));
	if (!standard && x->fd != -1)
		close(x->fd);
	if (!standard && result != 0)
		unlink(temporary);
	free(temporary);
	return result;
}

int cmd_journal_export(int argc, char **argv)
{
	struct cli_journal j = { 0 };
	struct wanted wanted = { .from_ns = INT64_MIN, .to_ns = INT64_MAX };
	struct err err = { "" };
	const struct arg v[] = { CLI_JOURNAL_ARGS(j),
				 { "source", 0, ARG_LIST, &wanted.sources },
				 { "type", 0, ARG_TEXT, &wanted.type },
				 { "from", 0, ARG_TIME, &wanted.from_ns },
				 { "to", 0, ARG_TIME, &wanted.to_ns },
				 { "quarantine", 0, ARG_FLAG, &wanted.quarantine },
				 { "deliveries", 0, ARG_FLAG, &wanted.deliveries } };
	const struct args args = { "journal export", help, v, sizeof v / sizeof *v, 0, 1, "one FILE, or none" };
	int status = args_parse(&args, argc, argv);
	if (status < 0 && cli_journal_find(&j, "journal export") != 0)
		status = 1;
	if (status < 0) {
		struct export x = { .wanted = &wanted, .journal = journal_open_reader(j.folder, &err) };
		status = x.journal ? export_to(&x, optind < argc ? argv[optind] : NULL, &err) : -1;
		if (status != 0)
			fprintf(stderr, "patchbay journal export: %s\n", err.text);
		if (x.damaged)
			fprintf(stderr,
				"patchbay journal export: %" PRIu64
				" places are damaged; `patchbay journal check` says what that means\n",
				x.damaged);
		status = status != 0 || x.damaged ? 1 : 0;
		journal_close(x.journal);
		buf_free(&x.out);
	}
	arg_list_free(&wanted.sources);
	free(j.folder);
	return status;
}
