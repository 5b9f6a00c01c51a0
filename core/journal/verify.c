/* verify.c - see verify.h: the order of things, and the logs. */
#include "journal/verify_internal.h"

#include "base/mem.h"
#include "journal/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMED_MAX 5u /* ids that are named of those that are lost */

void verify_tell(struct verify *v, bool damage, const char *file, uint64_t from, uint64_t to, const char *todo)
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
		verify_tell(v, true, file, 0, 0, "use the release that wrote it, or a later one");
		return;
	} else if (s->state == SEGMENT_FOREIGN) {
		buf_addf(&v->what, "was written by a machine of the other byte order");
		buf_addf(&v->means, "nothing is known to be wrong with it");
		verify_tell(v, true, file, 0, 0, "export it there, import it here");
		return;
	} else {
		buf_addf(&v->what, "the header is damaged");
		if (s->readable)
			buf_addf(&v->means, "nothing is lost yet, but the daemon would set all of it aside");
		else
			add_lost(v, log, s, SEGMENT_HEADER_SIZE, UINT64_MAX);
	}
	if (!s->readable)
		verify_add_owed(v, s->number, SEGMENT_HEADER_SIZE, UINT64_MAX);
	verify_tell(v, true, file, 0, s->why || s->aside ? 0 : SEGMENT_HEADER_SIZE,
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
			verify_add_owed(v, s->number, r->from, r->to);
		}
		verify_tell(v, true, file, r->from, r->to, REPAIR);
	}
	if (!s->tail)
		return;
	buf_addf(&v->what, "%" PRIu64 " bytes behind the last record are none", s->tail);
	buf_addf(&v->means,
		 "mostly a write that was interrupted before it was acknowledged, so that nothing is lost; if the "
		 "disk did it, the newest events are");
	verify_tell(v, true, file, s->end, s->end + s->tail, "nothing: the next start cuts it off; or " REPAIR);
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
			verify_tell(v, false, file, 0, 0, "");
		}
		return;
	}
	if (s->n_bad || !inspect_finished(log, s) ||
	    inspect_index_is_sound(log, s)) /* then it may know more than the segment */
		return;
	buf_addf(&v->what, "is damaged, or does not fit its segment");
	buf_addf(&v->means, "repeats of its events may not be recognised, and some events not be found by id");
	verify_tell(v, true, file, 0, 0, REPAIR);
}

static void check_lost_indexes(struct verify *v, struct inspect_log *log)
{
	uint64_t *numbers;
	size_t n;
	if (log->dir == -1 || segment_list(log->dir, "idx", &numbers, &n) != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		char name[SEGMENT_NAME_SIZE], file[64];
		if (!inspect_index_is_lost(log, numbers[i]))
			continue;
		segment_name(numbers[i], "idx", name);
		snprintf(file, sizeof file, "events/%s", name);
		buf_addf(&v->what, "is damaged, and its segment is gone");
		buf_addf(&v->means, "a provider's repeats of those events may become events once more");
		verify_tell(v, true, file, 0, 0, REPAIR);
	}
	free(numbers);
}

static bool is_folder(DIR *d, const char *name)
{
	struct stat st;
	return fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* part "": the journal's folder itself. */
static void check_names(struct verify *v, const char *part)
{
	char *folder = xasprintf("%s/%s", v->path, part);
	DIR *d = opendir(folder);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (*part ? folder_log_has_name(e->d_name) : folder_has_name(e->d_name))
			continue;
		if (!*part && is_folder(d, e->d_name)) /* of a sink's, say: what is exported stands there */
			continue;
		char *file = xasprintf("%s%s%s", part, *part ? "/" : "", e->d_name);
		buf_addf(&v->what, "does not belong here");
		buf_addf(&v->means, "Patchbay takes no notice of it");
		verify_tell(v, false, file, 0, 0, "move it away, if it is yours");
		free(file);
	}
	if (d)
		closedir(d);
	free(folder);
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
		verify_add_owed(v, wanted, SEGMENT_HEADER_SIZE, UINT64_MAX);
	verify_tell(v, true, file, 0, 0, "put it back from a backup; or " REPAIR);
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
			verify_tell(v, true, file, 0, 0, "look at the disk first");
		}
		if (got != 1)
			continue;
		*(quarantine ? &v->sums->quarantine_segments : &v->sums->segments) += 1;
		*(quarantine ? &v->sums->quarantine_bytes : &v->sums->bytes) += s->end;
		check_ranges(v, log, s, file, quarantine);
		if (!quarantine && s->state == SEGMENT_SOUND && !s->aside)
			check_index(v, log, s);
	}
	if (!quarantine)
		check_lost_indexes(v, log);
	check_names(v, part);
	return 0;
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
	if (verify_survey(&v, err) == 0 && inspect_open(&v.events, path, "events", err) == 0 &&
	    inspect_open(&v.quarantine, path, "quarantine", err) == 0) {
		if (v.events.n == 0 && !v.has_state) {
			err_set(err, "there is no journal in %s", path);
		} else {
			check_names(&v, "");
			result = check_log(&v, &v.events, "events", err) != 0 ||
						 check_log(&v, &v.quarantine, "quarantine", err) != 0
					 ? -1
					 : 0;
			if (result == 0)
				verify_state(&v);
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
