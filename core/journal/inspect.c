/* inspect.c - see inspect.h. */
#include "journal/inspect.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIVE_TRIES 50
#define LIVE_WAIT_MS 20

void inspect_name(const struct inspect_segment *s, char out[SEGMENT_NAME_SIZE])
{
	segment_name(s->number, s->aside ? "bad" : "seg", out);
}

bool inspect_finished(const struct inspect_log *log, const struct inspect_segment *s)
{
	return s->has_successor || s < &log->v[log->n - 1];
}

static int open_file(const struct inspect_log *log, const struct inspect_segment *s)
{
	char name[SEGMENT_NAME_SIZE];
	inspect_name(s, name);
	return openat(log->dir, name, O_RDONLY | O_CLOEXEC);
}

/* ---- Listing */

static void add(struct inspect_log *log, uint64_t number, bool aside)
{
	size_t i = log->n;
	log->v = xrealloc(log->v, (log->n + 1) * sizeof *log->v);
	while (i > 0 && log->v[i - 1].number > number)
		i--;
	memmove(log->v + i + 1, log->v + i, (log->n++ - i) * sizeof *log->v);
	log->v[i] = (struct inspect_segment){ .number = number, .aside = aside };
}

static bool has(const struct inspect_log *log, uint64_t number)
{
	for (size_t i = 0; i < log->n; i++)
		if (log->v[i].number == number)
			return true;
	return false;
}

static int list(struct inspect_log *log, struct err *err)
{
	for (int aside = 0; aside <= 1; aside++) {
		uint64_t *v;
		size_t n;
		if (segment_list(log->dir, aside ? "bad" : "seg", &v, &n) != 0)
			return err_set(err, "cannot list %s: %s", log->path, strerror(errno));
		for (size_t i = 0; i < n; i++)
			if (!has(log, v[i]))
				add(log, v[i], aside);
		free(v);
	}
	return 0;
}

/* ---- Headers that are damaged */

struct proof {
	bool found;
	int64_t received_ns;
};

static void note_proof(void *ctx, uint64_t offset, const struct record_head *head)
{
	struct proof *p = ctx;
	(void)offset;
	if (!p->found)
		p->received_ns = head->received_ns;
	p->found = true;
}

/* Is this the salt? One record that fits proves it. */
static bool is_salt(int fd, uint64_t salt, uint64_t size, struct proof *proof)
{
	*proof = (struct proof){ 0 };
	if (salt == 0) /* that is what records within records have, see cursors.c */
		return false;
	return segment_scan(fd, salt, SEGMENT_HEADER_SIZE, size, note_proof, proof, NULL, NULL) != -1 && proof->found;
}

/* The number is that of the name. The salt may stand in the header still, and stands in the index. */
static void work_out(struct inspect_log *log, struct inspect_segment *s, int fd, const struct segment_header *raw)
{
	struct proof proof;
	uint64_t salts[2] = { raw->salt };
	size_t n = 1 + (index_salt(log->dir, s->number, &salts[1]) == 0);
	for (size_t i = 0; i < n && !s->readable; i++)
		if (is_salt(fd, salts[i], s->size, &proof)) {
			s->readable = true;
			s->header.salt = salts[i];
		}
	if (!s->readable)
		return;
	s->state = SEGMENT_DAMAGED; /* a damaged byte may look like a later format */
	s->header.number = s->number;
	s->header.created_ns = proof.received_ns;
	segment_seal(&s->header);
}

static void read_header(struct inspect_log *log, struct inspect_segment *s)
{
	struct segment_header raw = { .number = 0 };
	struct stat st;
	int fd = open_file(log, s);
	errno = fd == -1 ? errno : 0;
	ssize_t got = fd == -1 || fstat(fd, &st) == -1 ? -1 : pread(fd, &raw, sizeof raw, 0);
	if (got == -1) {
		s->why = errno;
	} else {
		s->size = (uint64_t)st.st_size;
		s->state = got == (ssize_t)sizeof raw ? segment_judge(&raw, s->number) : SEGMENT_DAMAGED;
		s->readable = s->state == SEGMENT_SOUND;
		if (s->readable)
			s->header = raw;
		else if (s->state != SEGMENT_FOREIGN)
			work_out(log, s, fd, &raw);
	}
	if (fd != -1)
		close(fd);
}

/* What a header that was worked out says about the segment before it: that it goes up to its last good record. */
static void chain(struct inspect_log *log)
{
	for (size_t i = 0; i < log->n; i++) {
		struct inspect_segment *s = &log->v[i], *before = i ? s - 1 : NULL;
		if (s->state == SEGMENT_SOUND || !s->readable)
			continue;
		s->header.previous = before ? before->number : 0;
		int fd = before && before->readable ? open_file(log, before) : -1;
		int64_t end = fd == -1 ? -1
				       : segment_scan(fd, before->header.salt, SEGMENT_HEADER_SIZE, before->size, NULL,
						      NULL, NULL, NULL);
		if (fd != -1)
			close(fd);
		s->header.previous_end = end == -1 ? SEGMENT_HEADER_SIZE : (uint64_t)end;
		segment_seal(&s->header);
	}
}

int inspect_open(struct inspect_log *log, const char *journal, const char *part, struct err *err)
{
	char *path = xasprintf("%s/%s", journal, part);
	*log = (struct inspect_log){ .path = path, .dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	if (log->dir == -1 && errno == ENOENT)
		return 0;
	if (log->dir == -1)
		return err_set(err, "cannot open %s: %s", path, strerror(errno));
	if (list(log, err) != 0)
		return -1;
	for (size_t i = 0; i < log->n; i++)
		read_header(log, &log->v[i]);
	/* No release goes back to an earlier format: then that byte is damaged. */
	for (size_t i = 0, sound = 0; i < log->n; i++)
		for (sound = i + 1; log->v[i].state == SEGMENT_NEWER && sound < log->n; sound++)
			if (log->v[sound].state == SEGMENT_SOUND && log->v[sound].readable)
				log->v[i].state = SEGMENT_DAMAGED;
	chain(log);
	for (size_t i = 0; i + 1 < log->n; i++)
		if (log->v[i + 1].readable && log->v[i + 1].header.previous == log->v[i].number) {
			log->v[i].has_successor = true;
			log->v[i].end = log->v[i + 1].header.previous_end;
		}
	return 0;
}

void inspect_close(struct inspect_log *log)
{
	for (size_t i = 0; i < log->n; i++)
		free(log->v[i].bad);
	free(log->v);
	free(log->path);
	if (log->dir != -1)
		close(log->dir);
	*log = (struct inspect_log){ .dir = -1 };
}

/* ---- Reading one */

struct walk {
	struct inspect_segment *s;
	segment_each each;
	void *ctx;
	uint64_t expected;
};

static void add_bad(struct inspect_segment *s, uint64_t from, uint64_t to)
{
	s->bad = xrealloc(s->bad, (s->n_bad + 1) * sizeof *s->bad);
	s->bad[s->n_bad++] = (struct inspect_range){ from, to };
}

static void see(void *ctx, uint64_t offset, const struct record_head *head)
{
	struct walk *w = ctx;
	if (offset > w->expected)
		add_bad(w->s, w->expected, offset);
	w->expected = offset + head->size;
	w->s->records++;
	w->s->last_ns = head->received_ns;
	if (w->each)
		w->each(w->ctx, offset, head);
}

/* The offset behind the last byte from `from` on that is not zero; `from` if all are. */
static uint64_t last_used(int fd, uint64_t from, uint64_t size)
{
	char bytes[65536];
	uint64_t used = from;
	for (uint64_t at = from; at < size;) {
		ssize_t n = pread(fd, bytes, sizeof bytes, (off_t)at);
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			if (bytes[i])
				used = at + (uint64_t)i + 1;
		at += (uint64_t)n;
	}
	return used < size ? used : size;
}

/* A damaged place in the middle of what a running daemon writes may just have been a record that was not all there. */
static bool mended_itself(const struct inspect_segment *s, int fd)
{
	const struct inspect_range *last = &s->bad[s->n_bad - 1];
	int64_t end = segment_follow(fd, s->header.salt, last->from, s->size, NULL);
	return end != -1 && (uint64_t)end >= last->to;
}

static void forget(struct inspect_segment *s)
{
	free(s->bad);
	s->bad = NULL;
	s->n_bad = 0;
	s->records = 0;
	s->last_ns = 0;
}

static int walk_file(struct inspect_segment *s, int fd, bool live, segment_each each, void *ctx, struct err *err)
{
	struct walk w = { .s = s, .each = each, .ctx = ctx, .expected = SEGMENT_HEADER_SIZE };
	struct stat st;
	forget(s);
	if (fstat(fd, &st) == -1)
		return err_set(err, "cannot read a segment: %s", strerror(errno));
	s->size = (uint64_t)st.st_size;
	uint64_t upto = s->has_successor && s->end < s->size ? s->end : s->size;
	int64_t good = segment_scan(fd, s->header.salt, SEGMENT_HEADER_SIZE, upto, see, &w, NULL, err);
	if (good == -1)
		return -1;
	s->good_end = (uint64_t)good;
	if (s->has_successor) {
		if (s->good_end < s->end)
			add_bad(s, s->good_end, s->end);
		s->tail = 0; /* whatever stands there was abandoned, and does not count */
		return 0;
	}
	s->end = s->good_end;
	s->tail = live ? 0 : last_used(fd, s->end, s->size) - s->end;
	return 0;
}

int inspect_read(struct inspect_log *log, size_t i, bool live, segment_each each, void *ctx, struct err *err)
{
	struct inspect_segment *s = &log->v[i];
	int result = 1, fd = open_file(log, s);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1)
		return err_set(err, "cannot open a segment: %s", strerror(errno));
	live = live && i + 1 == log->n;
	/* Twice only where it must be looked at again: so nobody is called for what is looked at anew. */
	for (int tries = 0; live && tries < LIVE_TRIES; tries++) {
		if (walk_file(s, fd, live, NULL, NULL, err) != 0) {
			result = -1;
			break;
		}
		if (!s->n_bad || !mended_itself(s, fd))
			break;
		poll(NULL, 0, LIVE_WAIT_MS);
	}
	if (result == 1 && walk_file(s, fd, live, each, ctx, err) != 0)
		result = -1;
	while (result == 1 && live && s->n_bad && mended_itself(s, fd))
		s->n_bad--;
	close(fd);
	return result;
}

bool inspect_index_is_sound(const struct inspect_log *log, const struct inspect_segment *s)
{
	struct index found, made;
	struct err ignored;
	if (index_load_sidecar(log->dir, s->number, &found) != 0)
		return false;
	bool sound = true; /* unless the segment says something else */
	if (index_make(log->dir, s->number, s->end, &made, &ignored) == 0) {
		sound = found.n == made.n && found.first_ms == made.first_ms && found.last_ms == made.last_ms &&
			(found.n == 0 || memcmp(found.v, made.v, found.n * sizeof *found.v) == 0);
		index_free(&made);
	}
	index_free(&found);
	return sound;
}

bool inspect_has(const struct inspect_log *log, struct journal_pos pos, const struct id *id)
{
	for (size_t i = 0; i < log->n; i++) {
		const struct inspect_segment *s = &log->v[i];
		if (s->number != pos.hi || !s->readable || pos.lo < SEGMENT_HEADER_SIZE)
			continue;
		struct record_head head;
		int fd = open_file(log, s);
		bool there = fd != -1 && pread(fd, &head, sizeof head, (off_t)pos.lo) == (ssize_t)sizeof head &&
			     memcmp(&head.id, id, sizeof *id) == 0 &&
			     (!s->has_successor || pos.lo + head.size <= s->end) &&
			     segment_follow(fd, s->header.salt, pos.lo, pos.lo + head.size, NULL) > (int64_t)pos.lo;
		if (fd != -1)
			close(fd);
		return there;
	}
	return false;
}

bool inspect_index_is_lost(const struct inspect_log *log, uint64_t number)
{
	struct index index;
	char name[SEGMENT_NAME_SIZE];
	if (has(log, number))
		return false;
	if (index_load_sidecar(log->dir, number, &index) == 0) {
		index_free(&index);
		return false;
	}
	segment_name(number, "idx", name);
	return faccessat(log->dir, name, F_OK, 0) == 0; /* else it was pruned meanwhile */
}
