/* backup.c - see backup.h.
 *
 * The state is taken first: what it tells of is in the events that are copied after it. Meanwhile segments may be
 * pruned that were still owed when the state was taken; then it is taken again, until it fits. What the copy had before
 * goes last. */
#include "journal/backup.h"

#include "base/io.h"
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

#define TRIES 10
#define PIECE (UINT64_C(1) << 20)

struct backup {
	const char *path, *to;
	bool link;
	struct backup_sums *sums;
};

struct pair { /* one log, and its copy */
	const char *part;
	int from, to; /* folders */
};

/* ---- One file */

static int copy_bytes(int from, int to, uint64_t n, struct err *err)
{
	char *piece = xmalloc(PIECE);
	int result = 0;
	for (uint64_t at = 0; result == 0 && at < n;) {
		ssize_t got = pread(from, piece, n - at < PIECE ? (size_t)(n - at) : PIECE, (off_t)at);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			result = err_set(err, "cannot read a segment: %s", got ? strerror(errno) : "it ends too early");
		else if (io_write_all(to, piece, (size_t)got) != 0)
			result = err_set(err, "cannot write the copy: %s", strerror(errno));
		else
			at += (uint64_t)got;
	}
	free(piece);
	return result;
}

/* Appears whole, or not at all. */
static int copy_file(const struct pair *p, int from, uint64_t n, const char *name, struct err *err)
{
	char *temporary = xasprintf("%s.part", name);
	int fd = openat(p->to, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	int result = fd == -1 ? err_set(err, "cannot make %s: %s", temporary, strerror(errno))
			      : copy_bytes(from, fd, n, err);
	if (result == 0 && (fsync(fd) == -1 || renameat(p->to, temporary, p->to, name) == -1))
		result = err_set(err, "cannot make %s: %s", name, strerror(errno));
	if (fd != -1)
		close(fd);
	if (result != 0)
		unlinkat(p->to, temporary, 0);
	free(temporary);
	return result;
}

/* A finished segment under its final name; on another file system it is copied. */
static bool link_file(const struct pair *p, const char *name)
{
	char *temporary = xasprintf("%s.part", name);
	unlinkat(p->to, temporary, 0);
	bool linked = linkat(p->from, name, p->to, temporary, 0) == 0 && renameat(p->to, temporary, p->to, name) == 0;
	unlinkat(p->to, temporary, 0); /* rename() leaves it if both are the same file */
	free(temporary);
	return linked;
}

/* ---- Segments */

/* How far the copy of a segment goes; 0: there is none. -1: it is of another journal. */
static int64_t copied_to(const struct pair *p, const struct inspect_segment *s, struct err *err)
{
	struct segment_header h;
	struct stat st;
	int fd = segment_open(p->to, s->number, O_RDONLY, &h, NULL);
	if (fd == -1)
		return 0;
	int64_t size = fstat(fd, &st) == 0 ? st.st_size : 0;
	close(fd);
	if (h.salt != s->header.salt)
		return err_set(err, "segment %08" PRIx64 " there is that of another journal; choose another folder",
			       s->number);
	return size;
}

/* 1: it is there now; 0: it has been pruned. */
static int copy_segment(struct backup *b, const struct pair *p, const struct inspect_segment *s, struct err *err)
{
	char name[SEGMENT_NAME_SIZE];
	struct segment_header h;
	int64_t there = copied_to(p, s, err);
	if (there < 0)
		return -1;
	segment_name(s->number, "seg", name);
	int fd = openat(p->from, name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? 0 : err_set(err, "cannot open %s/%s: %s", p->part, name, strerror(errno));
	uint64_t end = s->end;
	int result = 1;
	if (!s->has_successor) { /* up to where it is whole by now */
		struct stat st;
		int64_t good = fstat(fd, &st) == 0 && pread(fd, &h, sizeof h, 0) == (ssize_t)sizeof h
				       ? segment_scan(fd, h.salt, SEGMENT_HEADER_SIZE, (uint64_t)st.st_size, NULL, NULL,
						      NULL, err)
				       : err_set(err, "cannot read %s/%s: %s", p->part, name, strerror(errno));
		end = good == -1 ? 0 : (uint64_t)good;
		result = good == -1 ? -1 : 1;
	}
	if (result == 1 && (uint64_t)there >= end) {
		b->sums->kept++;
	} else if (result == 1 && b->link && s->has_successor && link_file(p, name)) {
		b->sums->linked++;
	} else if (result == 1) {
		result = copy_file(p, fd, end, name, err) == 0 ? 1 : -1;
		b->sums->copied++;
	}
	if (result == 1)
		b->sums->bytes += end;
	close(fd);
	return result;
}

/* Damage is copied as it is, and found by the check; but what cannot be a segment is left. */
static int copy_log(struct backup *b, const struct pair *p, struct inspect_log *log, uint64_t *ret_first,
		    struct err *err)
{
	*ret_first = log->n ? UINT64_MAX : 0;
	for (size_t i = 0; i < log->n; i++) {
		if (log->v[i].aside)
			continue;
		if (log->v[i].state != SEGMENT_SOUND)
			return err_set(err, "%s: segment %08" PRIx64 " is damaged; `patchbay journal check` says more",
				       p->part, log->v[i].number);
		int got = copy_segment(b, p, &log->v[i], err);
		if (got < 0)
			return -1;
		if (got == 1 && *ret_first == UINT64_MAX)
			*ret_first = log->v[i].number;
	}
	return 0;
}

/* They are replaced whole, so whichever is there is good; also those of segments that are pruned. */
static int copy_indexes(const struct pair *p, struct err *err)
{
	uint64_t *v;
	size_t n;
	int result = 0;
	if (segment_list(p->from, "idx", &v, &n) != 0)
		return err_set(err, "cannot list %s: %s", p->part, strerror(errno));
	for (size_t i = 0; result == 0 && i < n; i++) {
		char name[SEGMENT_NAME_SIZE];
		struct stat st, there;
		segment_name(v[i], "idx", name);
		int fd = openat(p->from, name, O_RDONLY | O_CLOEXEC);
		if (fd == -1 || fstat(fd, &st) == -1)
			result = errno == ENOENT ? 0 : err_set(err, "cannot open %s: %s", name, strerror(errno));
		else if (fstatat(p->to, name, &there, 0) == -1 || there.st_size != st.st_size ||
			 there.st_mtime < st.st_mtime)
			result = copy_file(p, fd, (uint64_t)st.st_size, name, err);
		if (fd != -1)
			close(fd);
	}
	free(v);
	return result;
}

/* What the journal has not any more, once nothing in the copy needs it: the copy does not grow for ever. */
static void remove_pruned(struct backup *b, const struct pair *p)
{
	static const char *const suffixes[] = { "seg", "idx" };
	for (size_t i = 0; i < 2; i++) {
		uint64_t *v;
		size_t n;
		if (segment_list(p->to, suffixes[i], &v, &n) != 0)
			return;
		for (size_t k = 0; k < n; k++) {
			char name[SEGMENT_NAME_SIZE];
			segment_name(v[k], suffixes[i], name);
			if (faccessat(p->from, name, F_OK, 0) == -1 && errno == ENOENT &&
			    unlinkat(p->to, name, 0) == 0 && i == 0)
				b->sums->removed++;
		}
		free(v);
	}
}

/* ---- All of it */

static int open_pair(const struct backup *b, const char *part, struct pair *p, struct err *err)
{
	char *from = xasprintf("%s/%s", b->path, part), *to = xasprintf("%s/%s", b->to, part);
	int result = 0;
	*p = (struct pair){ .part = part, .from = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .to = -1 };
	if (p->from == -1)
		result = err_set(err, "cannot open %s: %s", from, strerror(errno));
	else if (mkdir(to, 0750) == -1 && errno != EEXIST)
		result = err_set(err, "cannot make %s: %s", to, strerror(errno));
	else if ((p->to = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		result = err_set(err, "cannot open %s: %s", to, strerror(errno));
	free(from);
	free(to);
	return result;
}

static void close_pair(struct pair *p)
{
	if (p->from != -1)
		close(p->from);
	if (p->to != -1)
		close(p->to);
}

static int copy_part(struct backup *b, const struct pair *p, uint64_t *ret_first, struct err *err)
{
	struct inspect_log log;
	int result = inspect_open(&log, b->path, p->part, err);
	if (result == 0)
		result = copy_log(b, p, &log, ret_first, err);
	if (result == 0)
		result = copy_indexes(p, err);
	if (result == 0 && fsync(p->to) == -1)
		result = err_set(err, "cannot sync the copy: %s", strerror(errno));
	inspect_close(&log);
	return result;
}

/* Is everything that is owed by this state in the copy, which begins with segment `first`? */
static int fits(const struct state_survey *state, uint64_t first)
{
	for (size_t i = 0; i < state->n_sinks; i++) {
		const struct state_survey_sink *s = &state->sinks[i];
		if (s->kept && state_survey_owed(s).hi < first)
			return 0;
	}
	return 1;
}

/* One attempt. 1: the state that was put beside fits the events; 0: not. */
static int copy_once(struct backup *b, const char *state, const char *made, const struct pair *events,
		     const struct pair *quarantine, struct err *err)
{
	struct state_survey survey = { 0 };
	uint64_t first, ignored;
	*b->sums = (struct backup_sums){ 0 };
	unlink(made);
	int result = state_copy(state, made, err);
	if (result == 0)
		result = copy_part(b, events, &first, err);
	if (result == 0)
		result = copy_part(b, quarantine, &ignored, err);
	if (result == 0)
		result = state_survey(made, false, &survey, err);
	if (result == 0)
		result = fits(&survey, first);
	state_survey_free(&survey);
	return result;
}

static int back_up(struct backup *b, struct err *err)
{
	char *state = xasprintf("%s/state.db", b->path), *copy = xasprintf("%s/state.db", b->to),
	     *made = xasprintf("%s/state.db.part", b->to);
	struct pair events = { .from = -1, .to = -1 }, quarantine = events;
	int result =
		open_pair(b, "events", &events, err) == 0 && open_pair(b, "quarantine", &quarantine, err) == 0 ? 0 : -1;
	for (int tries = 0; result == 0 && tries < TRIES; tries++)
		result = copy_once(b, state, made, &events, &quarantine, err);
	if (result == 0)
		result = err_set(err, "events were pruned faster than they could be copied; try again");
	if (result == 1) {
		result = 0;
		folder_drop_beside(copy); /* of who looked at the copy */
		if (rename(made, copy) == -1)
			result = err_set(err, "cannot rename %s: %s", made, strerror(errno));
	}
	folder_drop_beside(made);
	unlink(made);
	if (result == 0) {
		remove_pruned(b, &events);
		remove_pruned(b, &quarantine);
	}
	close_pair(&events);
	close_pair(&quarantine);
	free(state);
	free(copy);
	free(made);
	return result;
}

/* Not a folder of something else. */
static int is_free(const char *to, struct err *err)
{
	DIR *d = opendir(to);
	int result = 0;
	if (!d)
		return err_set(err, "cannot open %s: %s", to, strerror(errno));
	for (struct dirent *e; result == 0 && (e = readdir(d));)
		if (!folder_has_name(e->d_name) && strncmp(e->d_name, "state.db.part", strlen("state.db.part")) != 0)
			result = err_set(err, "%s has other files in it ('%s'); choose a folder of its own", to,
					 e->d_name);
	closedir(d);
	return result;
}

int backup_journal(const char *path, const char *to, bool link, struct backup_sums *sums, struct err *err)
{
	struct backup b = { .path = path, .to = to, .link = link, .sums = sums };
	struct stat a, c;
	if (stat(path, &a) == -1)
		return err_set(err, "%s: %s", path, strerror(errno));
	if (mkdir(to, 0750) == -1 && errno != EEXIST)
		return err_set(err, "cannot make %s: %s", to, strerror(errno));
	if (stat(to, &c) == 0 && a.st_dev == c.st_dev && a.st_ino == c.st_ino)
		return err_set(err, "%s is the journal itself", to);
	if (is_free(to, err) != 0)
		return -1;
	int lock = folder_lock(to, err);
	if (lock == -1)
		return -1;
	int result = folder_known(path, err) == 0 ? back_up(&b, err) : -1;
	folder_unlock(lock);
	return result;
}
