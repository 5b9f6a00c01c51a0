/* repair.c - see repair.h: the order of things, state.db, and where what is taken out goes. */
#include "journal/repair_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "journal/folder.h"
#include "journal/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void repair_say(struct repair *r, const char *file, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	r->sums->steps++;
	r->order->say(r->order->ctx, file, text);
}

/* ---- What is taken out */

static int make_aside(struct repair *r, struct err *err)
{
	char when[32];
	time_t now = (time_t)(clock_wall_ns() / NS_PER_S);
	struct tm tm;
	gmtime_r(&now, &tm);
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned n = 1;; n++) {
		char *folder = n == 1 ? xasprintf("%s/damaged-%s", r->order->path, when)
				      : xasprintf("%s/damaged-%s-%u", r->order->path, when, n);
		if (mkdir(folder, 0750) == 0) {
			r->sums->aside = folder;
			return 0;
		}
		int why = errno;
		err_set(err, "cannot make %s: %s", folder, strerror(why));
		free(folder);
		if (why != EEXIST)
			return -1;
	}
}

char *repair_aside(struct repair *r, const char *part, const char *name, struct err *err)
{
	if (!r->sums->aside && make_aside(r, err) != 0)
		return NULL;
	char *folder = xasprintf("%s/%s", r->sums->aside, part);
	if (mkdir(folder, 0750) == -1 && errno != EEXIST) {
		err_set(err, "cannot make %s: %s", folder, strerror(errno));
		free(folder);
		return NULL;
	}
	char *path = xasprintf("%s%s%s", folder, *part ? "/" : "", name);
	free(folder);
	return path;
}

int repair_move(struct repair *r, const char *part, const char *name, struct err *err)
{
	char *from = xasprintf("%s/%s%s%s", r->order->path, part, *part ? "/" : "", name);
	int result = 0;
	if (access(from, F_OK) == 0) {
		char *to = repair_aside(r, part, name, err);
		result = !to                     ? -1
			 : rename(from, to) == 0 ? 0
						 : err_set(err, "cannot move %s: %s", from, strerror(errno));
		free(to);
	}
	free(from);
	return result;
}

/* ---- state.db */

static void say_rescued(struct repair *r, const struct state_rescue *saved, bool there)
{
	if (!there)
		repair_say(r, "state.db", "is missing; a new one is made");
	else
		repair_say(r, "state.db",
			   "taken out; a new one has what could be read: %" PRIu64 " sinks, %" PRIu64
			   " batches, %" PRIu64 " exceptions, %" PRIu64 " attempts, %" PRIu64 " other rows",
			   saved->sinks, saved->batches, saved->exceptions, saved->attempts, saved->others);
	if (!saved->sinks_whole)
		repair_say(
			r, "state.db",
			"how far sinks had come is lost in part: those that are not on record begin at the oldest "
			"event "
			"that is kept. What is on record as delivered is passed over; all else may come a second time. "
			"A sink that writes files may write rows again");
	else if (!saved->exceptions_whole)
		repair_say(
			r, "state.db",
			"what had been put aside is worked out from the attempts, and sinks go once more through what "
			"they had seen: what is on record as delivered is passed over, all else may come a second "
			"time");
	else if (saved->unreadable)
		repair_say(
			r, "state.db",
			"sinks go on where they were; some of what was delivered ahead of the others may come a second "
			"time, and of older events it may not be on record any more");
}

/* All of state.db under a second name, where it is read; it stays in its place until the new one can take that. */
static char *link_state(struct repair *r, struct err *err)
{
	static const char *const names[] = { "state.db", "state.db-wal", "state.db-journal" };
	char *copy = repair_aside(r, "", "state.db", err);
	int result = copy ? 0 : -1;
	for (size_t i = 0; result == 0 && i < sizeof names / sizeof *names; i++) {
		char *from = xasprintf("%s/%s", r->order->path, names[i]), *to = repair_aside(r, "", names[i], err);
		if (!to || (link(from, to) == -1 && errno != ENOENT))
			result = err_set(err, "cannot put %s aside: %s", from, strerror(errno));
		free(from);
		free(to);
	}
	if (result == 0)
		return copy;
	free(copy);
	return NULL;
}

/* What stands beside the old one would be taken for the new one's. */
static int move_beside(struct repair *r, struct err *err)
{
	return repair_move(r, "", "state.db-wal", err) != 0 || repair_move(r, "", "state.db-shm", err) != 0 ||
			       repair_move(r, "", "state.db-journal", err) != 0
		       ? -1
		       : 0;
}

static int rescue(struct repair *r, const char *path, struct journal_pos start, struct err *err)
{
	char *made = xasprintf("%s.new", path);
	bool there = access(path, F_OK) == 0;
	struct state_rescue saved;
	unlink(made);
	folder_drop_beside(made);
	if (r->order->dry_run) {
		repair_say(r, "state.db",
			   there ? "would be replaced by a new one with every row that can be read"
				 : "is missing; a new one would be made");
		free(made);
		return 0;
	}
	char *copy = there ? link_state(r, err) : NULL;
	int result = there && !copy ? -1 : 0;
	if (result == 0)
		result = state_rescue(there ? copy : "", made, r->order->sinks, r->order->n_sinks, start, &saved, err);
	if (result == 0)
		result = move_beside(r, err);
	if (result == 0 && rename(made, path) == -1)
		result = err_set(err, "cannot rename %s: %s", made, strerror(errno));
	if (result == 0) {
		say_rescued(r, &saved, there);
	} else {
		unlink(made);
		folder_drop_beside(made);
		if (copy)
			unlink(copy);
	}
	free(copy);
	free(made);
	return result;
}

static int bury(struct repair *r, const char *path, const struct state_survey *state, const struct inspect_log *events,
		struct err *err)
{
	int64_t now_ms = clock_wall_ns() / NS_PER_MS;
	int result = 0;
	for (size_t i = 0; result == 0 && i < state->n_sinks; i++) {
		struct journal_pos *v = NULL;
		size_t n = 0;
		for (size_t k = 0; k < state->n_parked; k++) {
			const struct state_survey_parked *p = &state->parked[k];
			if (p->sink != i || inspect_has(events, p->at, &p->id))
				continue;
			v = xrealloc(v, (n + 1) * sizeof *v);
			v[n++] = p->at;
		}
		if (n && !r->order->dry_run)
			result = state_bury(path, state->sinks[i].name, v, n, now_ms,
					    "the event was damaged on the disk, and is lost", err);
		if (n && result == 0)
			repair_say(r, "state.db", "%zu deliveries to '%s' whose event is lost become dead letters", n,
				   state->sinks[i].name);
		free(v);
	}
	return result;
}

static int mend_state(struct repair *r, const struct inspect_log *events, struct journal_pos *ret_newest,
		      struct err *err)
{
	char *path = xasprintf("%s/state.db", r->order->path);
	struct journal_pos start = { events->n ? events->v[0].number : 0, SEGMENT_HEADER_SIZE };
	struct state_survey state = { 0 };
	int result = 0;
	*ret_newest = (struct journal_pos){ 0, 0 };
	bool sound = access(path, F_OK) == 0 && state_survey(path, true, &state, err) == 0 && state.readable &&
		     state.version > 0;
	if (sound && state.version > state_version_known())
		result = state_known(path, err);
	else if (!sound && (events->n || access(path, F_OK) == 0))
		result = rescue(r, path, start, err);
	if (!sound && result == 0 && !r->order->dry_run && access(path, F_OK) == 0) {
		state_survey_free(&state);
		result = state_survey(path, false, &state, err);
	}
	if (result == 0)
		result = bury(r, path, &state, events, err);
	for (size_t i = 0; i < state.n_sinks; i++)
		if (journal_pos_cmp(state.sinks[i].cursor, *ret_newest) > 0)
			*ret_newest = state.sinks[i].cursor;
	state_survey_free(&state);
	free(path);
	return result;
}

/* ---- Logs */

static int open_log(struct repair *r, struct inspect_log *log, const char *part, struct err *err)
{
	int result = inspect_open(log, r->order->path, part, err);
	for (size_t i = 0; result == 0 && i < log->n; i++) {
		const struct inspect_segment *s = &log->v[i];
		if (s->why)
			result = err_set(err,
					 "%s: segment %08" PRIx64
					 " cannot be read: %s; that is for the disk, or its rights, to be "
					 "mended first",
					 log->path, s->number, strerror(s->why));
		else if (!s->readable && (s->state == SEGMENT_NEWER || s->state == SEGMENT_FOREIGN))
			result = err_set(err,
					 "%s: segment %08" PRIx64
					 " is of a later format, or of another machine; nothing is "
					 "repaired by a program that does not know it. If no later release ever ran "
					 "here, that byte of it is "
					 "damaged: move that file out of the folder, and repair again",
					 log->path, s->number);
		else if (s->readable && inspect_read(log, i, false, NULL, NULL, err) != 1)
			result = -1;
	}
	return result;
}

static int mend_lost_indexes(struct repair *r, const struct inspect_log *log, const char *part, struct err *err)
{
	uint64_t *v;
	size_t n;
	int result = 0;
	if (log->dir == -1 || segment_list(log->dir, "idx", &v, &n) != 0)
		return 0;
	for (size_t i = 0; result == 0 && i < n; i++) {
		char name[SEGMENT_NAME_SIZE];
		if (!inspect_index_is_lost(log, v[i]))
			continue;
		segment_name(v[i], "idx", name);
		char *file = xasprintf("%s/%s", part, name);
		result = r->order->dry_run ? 0 : repair_move(r, part, name, err);
		if (result == 0)
			repair_say(r, file, "taken out; repeats of its events will not be recognised");
		free(file);
	}
	free(v);
	return result;
}

/* Positions that a sink knows, or that stood in a segment that is lost, are never used for something else. */
static int begin_anew(struct repair *r, struct inspect_log *log, struct journal_pos end, bool lost,
		      struct journal_pos newest, struct err *err)
{
	bool ahead = journal_pos_cmp(newest, end) > 0;
	uint64_t number = (ahead ? newest.hi : end.hi) + 1;
	struct segment_header h;
	char name[SEGMENT_NAME_SIZE], file[64];
	if (!lost && !ahead)
		return 0;
	if (!r->order->dry_run) {
		int fd = segment_create(log->dir, number, end.hi, end.lo, &h, err);
		if (fd == -1)
			return -1;
		close(fd);
	}
	segment_name(number, "seg", name);
	snprintf(file, sizeof file, "events/%s", name);
	repair_say(r, file, "the log goes on here, behind all that was known of it");
	return 0;
}

int repair_journal(const struct repair_order *order, struct repair_sums *sums, struct err *err)
{
	struct repair r = { .order = order, .sums = sums };
	struct inspect_log events = { .dir = -1 }, quarantine = { .dir = -1 };
	struct journal_pos end, quarantine_end, newest;
	struct stat st;
	bool lost, ignored;
	int result = -1;
	*sums = (struct repair_sums){ 0 };
	if (stat(order->path, &st) == -1)
		return err_set(err, "%s: %s", order->path, strerror(errno));
	int lock = folder_lock(order->path, err);
	if (lock == -1)
		return -1;
	/* The state first: a delivery must not find a note where its event was. */
	if (open_log(&r, &events, "events", err) == 0 && open_log(&r, &quarantine, "quarantine", err) == 0 &&
	    mend_state(&r, &events, &newest, err) == 0 && repair_log(&r, &events, "events", &end, &lost, err) == 0 &&
	    begin_anew(&r, &events, end, lost, newest, err) == 0 &&
	    mend_lost_indexes(&r, &events, "events", err) == 0 &&
	    repair_log(&r, &quarantine, "quarantine", &quarantine_end, &ignored, err) == 0)
		result = 0;
	inspect_close(&events);
	inspect_close(&quarantine);
	folder_unlock(lock);
	return result;
}
