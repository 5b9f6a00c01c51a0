/* verify.c - see verify.h. */
#include "journal/verify.h"

#include "base/clock.h"
#include "base/mem.h"
#include "journal/folder.h"
#include "journal/inspect.h"
#include "journal/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPAIR "`patchbay journal repair`, with the daemon stopped"
#define NAMED_MAX 5u /* ids that are named of those that are lost */

struct verify {
	const char *path;
	verify_say *say;
	void *ctx;
	struct verify_sums *sums;
	struct inspect_log events, quarantine;
	struct state_survey state;
	bool has_state;
	struct buf what, means;
};

static void tell(struct verify *v, bool damage, const char *file, uint64_t from, uint64_t to, const char *todo)
{
	const struct verify_fault fault = { .damage = damage,
					    .file = file,
					    .from = from,
					    .to = to,
					    .what = buf_cstr(&v->what),
					    .means = buf_cstr(&v->means),
					    .todo = todo };
	*(damage ? &v->sums->damages : &v->sums->notes) += 1;
	v->say(v->ctx, &fault);
	v->what.n = v->means.n = 0;
}

/* ---- Who is owed what stood in a place */

/* Adds which sinks had, or may have had, a delivery to come from there. */
static void add_owed(struct verify *v, uint64_t number, uint64_t from, uint64_t to)
{
	const struct state_survey *state = &v->state;
	unsigned n = 0;
	for (size_t i = 0; i < state->n_sinks; i++) {
		const struct state_survey_sink *s = &state->sinks[i];
		bool details =
			strcmp(s->name, JOURNAL_SINK_ENRICH) == 0; /* whose cursor lags behind what it has done */
		bool owed = !details && (s->cursor.hi < number || (s->cursor.hi == number && s->cursor.lo < to));
		for (size_t k = 0; k < state->n_parked && !owed; k++)
			owed = state->parked[k].sink == i && state->parked[k].at.hi == number &&
			       state->parked[k].at.lo >= from && state->parked[k].at.lo < to;
		if (owed && s->kept)
			buf_addf(&v->means, "%s%s",
				 n++ ? ", " : "; still owed to: ", details ? "the fetching of details" : s->name);
	}
	if (!n)
		buf_addf(&v->means, v->has_state ? "; nothing there was still owed"
						 : "; whether it was still owed is not known, without state.db");
}

/* What the index says stood in a place: it is made when the segment is finished, and survives it. */
static void add_lost(struct verify *v, struct inspect_log *log, const struct inspect_segment *s, uint64_t from,
		     uint64_t to)
{
	struct index index;
	unsigned n = 0;
	if (index_load_sidecar(log->dir, s->number, &index) != 0) {
		buf_addf(&v->means, "the events that stood there are lost; how many is not known");
		return;
	}
	struct buf ids = { 0 };
	for (size_t i = 0; i < index.n; i++) {
		const struct index_entry *e = &index.v[i];
		char id[ID_TEXT_SIZE];
		if (e->offset < from || e->offset >= to || e->kind == JOURNAL_ANSWER || e->kind == JOURNAL_CURSOR)
			continue;
		id_format(&e->id, id);
		if (n++ < NAMED_MAX)
			buf_addf(&ids, "%s%s", n > 1 ? ", " : "", id);
	}
	if (n)
		buf_addf(&v->means, "%u event%s %s lost: %s%s", n, n == 1 ? "" : "s", n == 1 ? "is" : "are",
			 buf_cstr(&ids), n > NAMED_MAX ? ", …" : "");
	else
		buf_addf(&v->means, "no event stood there, only notes about some");
	buf_free(&ids);
	index_free(&index);
}

/* ---- Logs */

struct counting {
	struct verify_sums *sums;
	bool quarantine;
	uint64_t strange; /* records that look back in a way that no writer does */
};

static void count(void *ctx, uint64_t offset, const struct record_head *head)
{
	struct counting *c = ctx;
	(void)offset;
	if (c->quarantine) {
		c->sums->quarantine_records++;
		return;
	}
	c->sums->records++;
	c->sums->events += head->kind == JOURNAL_EVENT && !(head->flags & JOURNAL_FLAG_RELEASED);
}

static const char *file_name(const struct inspect_segment *s, const char *part, char out[64])
{
	char name[SEGMENT_NAME_SIZE];
	inspect_name(s, name);
	snprintf(out, 64, "%s/%s", part, name);
	return out;
}

static void check_header(struct verify *v, struct inspect_log *log, const struct inspect_segment *s, const char *file)
{
	if (s->aside) {
		buf_addf(&v->what, "a segment that an earlier start has set aside, since its header is damaged");
		buf_addf(&v->means, s->readable ? "its records are whole, and can be put back"
						: "its events are lost to Patchbay");
	} else if (s->why) {
		buf_addf(&v->what, "cannot be read: %s", strerror(s->why));
		buf_addf(&v->means, "its events cannot be read now");
	} else if (s->state == SEGMENT_NEWER) {
		buf_addf(&v->what, "is of a later format than this program knows");
		buf_addf(&v->means, "nothing is known to be wrong with it");
		tell(v, true, file, 0, 0, "use the release that wrote it, or a later one");
		return;
	} else if (s->state == SEGMENT_FOREIGN) {
		buf_addf(&v->what, "was written by a machine of the other byte order");
		buf_addf(&v->means, "nothing is known to be wrong with it");
		tell(v, true, file, 0, 0, "export it there, import it here");
		return;
	} else {
		buf_addf(&v->what, "the header is damaged");
		if (s->readable)
			buf_addf(&v->means, "nothing is lost yet, but the daemon would set all of it aside");
		else
			add_lost(v, log, s, SEGMENT_HEADER_SIZE, UINT64_MAX);
	}
	if (!s->readable)
		add_owed(v, s->number, SEGMENT_HEADER_SIZE, UINT64_MAX);
	tell(v, true, file, 0, s->why || s->aside ? 0 : SEGMENT_HEADER_SIZE,
	     s->why ? "look at the disk first" : REPAIR);
}

static void check_ranges(struct verify *v, struct inspect_log *log, const struct inspect_segment *s, const char *file,
			 bool quarantine)
{
	for (size_t i = 0; i < s->n_bad; i++) {
		const struct inspect_range *r = &s->bad[i];
		bool short_ = r->to > s->size;
		buf_addf(&v->what, "%" PRIu64 " bytes %s", r->to - r->from,
			 short_ ? "are missing at the end, or are no records"
				: "are no record: a length or a checksum is wrong");
		if (quarantine)
			buf_addf(&v->means, "the requests that stood there are lost; no event is");
		else {
			add_lost(v, log, s, r->from, r->to);
			add_owed(v, s->number, r->from, r->to);
		}
		tell(v, true, file, r->from, r->to, REPAIR);
	}
	if (!s->tail)
		return;
	buf_addf(&v->what, "%" PRIu64 " bytes behind the last record are none", s->tail);
	buf_addf(&v->means,
		 "mostly a write that was interrupted before it was acknowledged, so that nothing is lost; if the "
		 "disk did it, the newest events are");
	tell(v, true, file, s->end, s->end + s->tail, "nothing: the next start cuts it off; or " REPAIR);
}

/* Against what the segment says. */
static void check_index(struct verify *v, struct inspect_log *log, const struct inspect_segment *s)
{
	char name[SEGMENT_NAME_SIZE], file[64];
	segment_name(s->number, "idx", name);
	snprintf(file, sizeof file, "events/%s", name);
	if (faccessat(log->dir, name, F_OK, 0) == -1) {
		if (inspect_finished(log, s) && !v->sums->running) {
			buf_addf(&v->what, "is missing");
			buf_addf(&v->means, "nothing is lost; it is made anew at the next start");
			tell(v, false, file, 0, 0, "");
		}
		return;
	}
	if (s->n_bad || !inspect_finished(log, s) ||
	    inspect_index_is_sound(log, s)) /* then it may know more than the segment */
		return;
	buf_addf(&v->what, "is damaged, or does not fit its segment");
	buf_addf(&v->means, "repeats of its events may not be recognised, and some events not be found by id");
	tell(v, true, file, 0, 0, REPAIR);
}

/* The index of a segment that was pruned is all that dedupe has of it. */
static void check_orphan(struct verify *v, struct inspect_log *log, uint64_t number)
{
	struct index index;
	char name[SEGMENT_NAME_SIZE], file[64];
	for (size_t i = 0; i < log->n; i++)
		if (log->v[i].number == number)
			return;
	segment_name(number, "idx", name);
	if (index_load_sidecar(log->dir, number, &index) == 0) {
		index_free(&index);
		return;
	}
	if (faccessat(log->dir, name, F_OK, 0) == -1) /* pruned meanwhile */
		return;
	snprintf(file, sizeof file, "events/%s", name);
	buf_addf(&v->what, "is damaged, and its segment is gone");
	buf_addf(&v->means, "a provider's repeats of those events may become events once more");
	tell(v, true, file, 0, 0, REPAIR);
}

static bool is_folder(DIR *d, const char *name)
{
	struct stat st;
	return fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static void check_names(struct verify *v, struct inspect_log *log, const char *part)
{
	int fd = log ? dup(log->dir) : -1;
	DIR *d = log ? (fd == -1 ? NULL : fdopendir(fd)) : opendir(v->path);
	if (!d)
		return;
	rewinddir(d);
	for (struct dirent *e; (e = readdir(d));) {
		uint64_t number;
		if (log == &v->events && segment_parse_name(e->d_name, "idx", &number))
			check_orphan(v, log, number);
		if (log ? folder_log_has_name(e->d_name) : folder_has_name(e->d_name))
			continue;
		if (!log && is_folder(d, e->d_name)) /* of a sink's, say: what is exported stands there */
			continue;
		char *file = log ? xasprintf("%s/%s", part, e->d_name) : xstrdup(e->d_name);
		buf_addf(&v->what, "does not belong here");
		buf_addf(&v->means, "Patchbay takes no notice of it");
		tell(v, false, file, 0, 0, "move it away, if it is yours");
		free(file);
	}
	closedir(d);
}

static void check_gap(struct verify *v, const struct inspect_segment *s, const struct inspect_segment *before,
		      const char *part)
{
	char name[SEGMENT_NAME_SIZE], file[64];
	uint64_t wanted = s->header.previous;
	if (!s->readable || !before || wanted == before->number || wanted < before->number)
		return;
	segment_name(wanted, "seg", name);
	snprintf(file, sizeof file, "%s/%s", part, name);
	buf_addf(&v->what, "is missing");
	buf_addf(&v->means, "its events are lost");
	if (strcmp(part, "events") == 0)
		add_owed(v, wanted, SEGMENT_HEADER_SIZE, UINT64_MAX);
	tell(v, true, file, 0, 0, "put it back from a backup; or " REPAIR);
}

static int check_log(struct verify *v, struct inspect_log *log, const char *part, struct err *err)
{
	bool quarantine = log == &v->quarantine;
	struct counting counting = { .sums = v->sums, .quarantine = quarantine };
	for (size_t i = 0; i < log->n; i++) {
		struct inspect_segment *s = &log->v[i];
		char file[64];
		file_name(s, part, file);
		if (s->state != SEGMENT_SOUND || s->aside || s->why)
			check_header(v, log, s, file);
		check_gap(v, s, i ? &log->v[i - 1] : NULL, part);
		if (!s->readable)
			continue;
		int got = inspect_read(log, i, v->sums->running, count, &counting, err);
		if (got < 0) {
			buf_addf(&v->what, "cannot be read: %s", err->text);
			buf_addf(&v->means, "its events cannot be read now");
			tell(v, true, file, 0, 0, "look at the disk first");
		}
		if (got != 1)
			continue;
		*(quarantine ? &v->sums->quarantine_segments : &v->sums->segments) += 1;
		*(quarantine ? &v->sums->quarantine_bytes : &v->sums->bytes) += s->end;
		check_ranges(v, log, s, file, quarantine);
		if (!quarantine && s->state == SEGMENT_SOUND && !s->aside)
			check_index(v, log, s);
	}
	check_names(v, log, part);
	return 0;
}

/* ---- state.db */

static struct journal_pos end_of(struct inspect_log *log)
{
	struct journal_pos end = { 0, 0 };
	for (size_t i = 0; i < log->n; i++)
		if (log->v[i].readable)
			end = (struct journal_pos){ log->v[i].number, log->v[i].end };
	return end;
}

/* A daemon that runs may have delivered it meanwhile, and pruned it. */
static bool still_parked(const struct state_survey *later, const char *sink, struct journal_pos at)
{
	for (size_t i = 0; i < later->n_parked; i++)
		if (journal_pos_cmp(later->parked[i].at, at) == 0 &&
		    strcmp(later->sinks[later->parked[i].sink].name, sink) == 0)
			return true;
	return false;
}

static void check_parked(struct verify *v, const struct state_survey *later)
{
	for (size_t i = 0; i < v->state.n_sinks; i++) {
		const char *sink = v->state.sinks[i].name;
		uint64_t missing = 0;
		char first[ID_TEXT_SIZE] = "";
		for (size_t k = 0; k < v->state.n_parked; k++) {
			const struct state_survey_parked *p = &v->state.parked[k];
			if (p->sink != i || inspect_has(&v->events, p->at, &p->id) ||
			    (later && !still_parked(later, sink, p->at)))
				continue;
			if (!missing++)
				id_format(&p->id, first);
		}
		if (!missing)
			continue;
		buf_addf(&v->what,
			 "%" PRIu64 " deliver%s to '%s' wait%s for another attempt, but the event is not there: %s%s",
			 missing, missing == 1 ? "y" : "ies", sink, missing == 1 ? "s" : "", first,
			 missing > 1 ? ", …" : "");
		buf_addf(&v->means, "what is not there cannot be delivered");
		tell(v, true, "state.db", 0, 0, REPAIR ", makes them dead letters");
	}
}

static void check_parked_now(struct verify *v)
{
	char *name = xasprintf("%s/state.db", v->path);
	struct state_survey later;
	struct err ignored;
	bool there = v->sums->running && state_survey(name, false, &later, &ignored) == 0;
	check_parked(v, there ? &later : NULL);
	if (there)
		state_survey_free(&later);
	free(name);
}

static void check_state(struct verify *v)
{
	struct journal_pos end = end_of(&v->events);
	if (!v->has_state && v->state.readable) {
		buf_addf(&v->what, "is missing, or empty");
		buf_addf(&v->means,
			 "how far each sink had come is not known: a daemon would begin at the newest event");
		tell(v, true, "state.db", 0, 0,
		     "put a backup of it back; or " REPAIR ", has everything that is kept delivered");
		return;
	}
	v->sums->state_version = v->state.version;
	v->sums->sinks = v->state.n_sinks;
	v->sums->parked = v->state.n_parked;
	for (size_t i = 0; i < v->state.n_sinks; i++)
		v->sums->dead += v->state.sinks[i].dead;
	if (!v->state.readable) {
		buf_addf(&v->what, "is damaged: %s", buf_cstr(&v->state.trouble));
		buf_addf(&v->means, "what became of deliveries may be lost in part; the events are not hit");
		tell(v, true, "state.db", 0, 0, REPAIR ", saves what can be read; or put a backup back");
		return;
	}
	if (v->state.version > state_version_known()) {
		buf_addf(&v->what, "has version %d, this program knows %d", v->state.version, state_version_known());
		buf_addf(&v->means, "nothing is known to be wrong with it");
		tell(v, true, "state.db", 0, 0, "use the release that wrote it, or a later one");
		return;
	}
	/* A daemon that runs has settled more meanwhile; it looks after its cursors itself. */
	for (size_t i = 0; i < v->state.n_sinks; i++) {
		const struct state_survey_sink *s = &v->state.sinks[i];
		if (journal_pos_cmp(s->cursor, end) <= 0)
			continue;
		buf_addf(&v->what,
			 "the sink '%s' has seen events up to %" PRIx64 ":%" PRIx64 ", but they end at %" PRIx64
			 ":%" PRIx64,
			 s->name, s->cursor.hi, s->cursor.lo, end.hi, end.lo);
		buf_addf(&v->means, "the newest events are lost, or an older copy of them was put back");
		tell(v, true, "state.db", 0, 0, "nothing: the next start goes on behind that; or " REPAIR);
	}
	check_parked_now(v);
}

static int survey(struct verify *v, struct err *err)
{
	char *name = xasprintf("%s/state.db", v->path);
	int result = 0;
	v->state.readable = true;
	if (access(name, F_OK) == 0)
		result = state_survey(name, true, &v->state, err);
	v->has_state = v->state.version > 0;
	free(name);
	return result;
}

static int open_log(struct verify *v, struct inspect_log *log, const char *part, struct err *err)
{
	char *name = xasprintf("%s/%s", v->path, part);
	int result = inspect_open(log, name, err);
	free(name);
	return result;
}

int verify_journal(const char *path, verify_say *say, void *ctx, struct verify_sums *sums, struct err *err)
{
	struct verify v = {
		.path = path, .say = say, .ctx = ctx, .sums = sums, .events.dir = -1, .quarantine.dir = -1
	};
	struct stat st;
	int result = -1;
	*sums = (struct verify_sums){ 0 };
	if (stat(path, &st) == -1)
		return err_set(err, "%s: %s", path, strerror(errno));
	sums->running = folder_in_use(path);
	/* The state first: the events that it tells of are there by then. */
	if (survey(&v, err) == 0 && open_log(&v, &v.events, "events", err) == 0 &&
	    open_log(&v, &v.quarantine, "quarantine", err) == 0) {
		if (v.events.n == 0 && !v.has_state) {
			err_set(err, "there is no journal in %s", path);
		} else {
			check_names(&v, NULL, "");
			result = check_log(&v, &v.events, "events", err) != 0 ||
						 check_log(&v, &v.quarantine, "quarantine", err) != 0
					 ? -1
					 : 0;
			if (result == 0)
				check_state(&v);
		}
	}
	sums->running = sums->running || folder_in_use(path);
	inspect_close(&v.events);
	inspect_close(&v.quarantine);
	state_survey_free(&v.state);
	buf_free(&v.what);
	buf_free(&v.means);
	return result;
}
