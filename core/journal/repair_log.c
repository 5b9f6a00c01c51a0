/* repair_log.c - mends segments and their indexes. A damaged segment is written anew beside, with every good record
 * where it was, and a note in each place that is no record; then it takes the name. */
#include "journal/repair_internal.h"

#include "base/io.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define NOTE_MAX (UINT64_C(64) << 20) /* a record may not be larger than RECORD_SIZE_MAX */

static int write_at(int fd, const void *p, size_t n, uint64_t at, struct err *err)
{
	if (lseek(fd, (off_t)at, SEEK_SET) == -1 || io_write_all(fd, p, n) != 0)
		return err_set(err, "cannot write a segment: %s", strerror(errno));
	return 0;
}

/* An answer that is about no event means nothing to anybody, now or in earlier versions. */
static int put_note(int fd, uint64_t salt, uint64_t from, uint64_t to, int64_t received_ns, struct err *err)
{
	static const char text[] = "repaired: what stood here was no record";
	while (from < to) {
		uint64_t n = to - from;
		if (n > NOTE_MAX + sizeof(struct record_head))
			n = NOTE_MAX;
		if (n < sizeof(struct record_head) || n % RECORD_ALIGN)
			return err_set(err, "no note fits into %" PRIu64 " bytes at %" PRIu64, n, from);
		size_t room = (size_t)n - sizeof(struct record_head),
		       note = room < sizeof text - 1 ? 0 : sizeof text - 1;
		char *zeros = xcalloc(1, room + 1);
		struct buf b = { 0 };
		struct journal_record r = { .kind = JOURNAL_ANSWER, .received_ns = received_ns };
		r.note = (patchbay_str){ text, note };
		r.data = (patchbay_str){ zeros, room - note };
		record_encode(&b, &r);
		record_seal((void *)b.p, salt);
		int result = write_at(fd, b.p, b.n, from, err);
		buf_free(&b);
		free(zeros);
		if (result != 0)
			return -1;
		from += n;
	}
	return 0;
}

/* ---- Writing one anew */

struct copying {
	int fd;
	struct err *err;
	int result;
};

static void copy_record(void *ctx, uint64_t offset, const struct record_head *head)
{
	struct copying *c = ctx;
	if (c->result == 0)
		c->result = write_at(c->fd, head, head->size, offset, c->err);
}

static int keep_original(struct repair *r, const struct inspect_log *log, const char *part, const char *name,
			 struct err *err)
{
	char *aside = repair_aside(r, part, name, err);
	int result = !aside ? -1 : 0;
	if (result == 0 && linkat(log->dir, name, AT_FDCWD, aside, 0) == -1)
		result = err_set(err, "cannot put %s aside: %s", name, strerror(errno));
	free(aside);
	return result;
}

/* Gives the file that is finished its name, once the old one (NULL: there was none) is kept under another. */
static int take_place(struct repair *r, const struct inspect_log *log, const char *part,
		      const struct inspect_segment *old, uint64_t number, const char *temporary, struct err *err)
{
	char name[SEGMENT_NAME_SIZE], was[SEGMENT_NAME_SIZE];
	segment_name(number, "seg", name);
	if (old)
		inspect_name(old, was);
	if (old && keep_original(r, log, part, was, err) != 0)
		return -1;
	if (renameat(log->dir, temporary, log->dir, name) == -1 || fsync(log->dir) == -1)
		return err_set(err, "cannot make %s durable: %s", name, strerror(errno));
	if (old && old->aside && unlinkat(log->dir, was, 0) == -1)
		return err_set(err, "cannot move %s: %s", was, strerror(errno));
	return 0;
}

/* A file with that header, all good records of `s` (NULL: none), and notes where there is none, up to `end`. */
static int write_anew(struct inspect_log *log, struct inspect_segment *s, const struct segment_header *header,
		      uint64_t end, const char *temporary, struct err *err)
{
	struct copying c = { .err = err };
	uint64_t from = SEGMENT_HEADER_SIZE;
	c.fd = openat(log->dir, temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (c.fd == -1)
		return err_set(err, "cannot make %s: %s", temporary, strerror(errno));
	c.result = write_at(c.fd, header, sizeof *header, 0, err);
	if (s && c.result == 0 && inspect_read(log, (size_t)(s - log->v), false, copy_record, &c, err) != 1)
		c.result = -1;
	int64_t received_ns = s && s->last_ns ? s->last_ns : header->created_ns;
	for (size_t i = 0; s && c.result == 0 && i < s->n_bad; i++)
		c.result = put_note(c.fd, header->salt, s->bad[i].from, s->bad[i].to, received_ns, err);
	if (!s && c.result == 0 && end > from)
		c.result = put_note(c.fd, header->salt, from, end, received_ns, err);
	if (c.result == 0 && fsync(c.fd) == -1)
		c.result = err_set(err, "cannot sync %s: %s", temporary, strerror(errno));
	close(c.fd);
	if (c.result != 0)
		unlinkat(log->dir, temporary, 0);
	return c.result;
}

static int make_index(struct repair *r, struct inspect_log *log, const char *part, const struct inspect_segment *s,
		      struct err *err)
{
	char name[SEGMENT_NAME_SIZE];
	struct index index;
	segment_name(s->number, "idx", name);
	if (repair_move(r, part, name, err) != 0 || index_load(log->dir, s->number, s->end, true, &index, err) != 0)
		return -1;
	index_free(&index);
	return 0;
}

static bool is_damaged(const struct inspect_segment *s)
{
	return s->aside || s->state != SEGMENT_SOUND || s->n_bad || s->tail;
}

static void say_mended(struct repair *r, const struct inspect_segment *s, const char *file)
{
	uint64_t lost = s->tail;
	for (size_t i = 0; i < s->n_bad; i++)
		lost += s->bad[i].to - s->bad[i].from;
	repair_say(r, file,
		   "%s%s%" PRIu64 " good records stay where they are, %" PRIu64 " bytes that are no records %s",
		   s->aside ? "put back; " : "", s->state != SEGMENT_SOUND ? "its header made anew; " : "", s->records,
		   lost, lost ? "taken out" : "were there");
	r->sums->salvaged++;
}

static int mend(struct repair *r, struct inspect_log *log, struct inspect_segment *s, const char *part, struct err *err)
{
	char name[SEGMENT_NAME_SIZE], temporary[SEGMENT_NAME_SIZE];
	inspect_name(s, name);
	segment_name(s->number, "tmp", temporary);
	char *file = xasprintf("%s/%s", part, name);
	int result = 0;
	if (!r->order->dry_run) {
		result = write_anew(log, s, &s->header, s->end, temporary, err);
		if (result == 0)
			result = take_place(r, log, part, s, s->number, temporary, err);
		if (result == 0 && inspect_finished(log, s) && strcmp(part, "events") == 0)
			result = make_index(r, log, part, s, err);
	}
	if (result == 0)
		say_mended(r, s, file);
	free(file);
	return result;
}

/* ---- What is lost */

/* Where one stood that is lost, or missing, stands a note from now on: nothing else ever gets those positions. */
static int replace(struct repair *r, struct inspect_log *log, const struct inspect_segment *lost, uint64_t number,
		   const struct inspect_segment *before, uint64_t end, const char *part, struct err *err)
{
	char name[SEGMENT_NAME_SIZE], temporary[SEGMENT_NAME_SIZE], seg[SEGMENT_NAME_SIZE];
	struct segment_header h = { .number = number,
				    .previous = before ? before->number : 0,
				    .previous_end = before ? before->end : 0,
				    .created_ns = before ? before->last_ns : 0 };
	segment_name(number, "seg", seg);
	segment_name(number, "tmp", temporary);
	if (lost)
		inspect_name(lost, name);
	char *file = xasprintf("%s/%s", part, lost ? name : seg);
	int result = 0;
	if (getrandom(&h.salt, sizeof h.salt, 0) != (ssize_t)sizeof h.salt)
		result = err_set(err, "no random numbers: %s", strerror(errno));
	segment_seal(&h);
	if (result == 0 && !r->order->dry_run) {
		result = write_anew(log, NULL, &h, end, temporary, err);
		if (result == 0)
			result = take_place(r, log, part, lost, number, temporary, err);
		/* What it knows is lost: when a provider sends that again, it is to be taken. */
		segment_name(number, "idx", name);
		if (result == 0)
			result = repair_move(r, part, name, err);
	}
	if (result == 0)
		repair_say(r, file,
			   lost ? "nothing in it can be proved to be a record; taken out"
				: "is missing; that is on record now, so that nothing takes its place");
	free(file);
	return result;
}

/* ---- Indexes */

static int mend_index(struct repair *r, struct inspect_log *log, const struct inspect_segment *s, const char *part,
		      struct err *err)
{
	char name[SEGMENT_NAME_SIZE];
	segment_name(s->number, "idx", name);
	if (!inspect_finished(log, s) || strcmp(part, "events") != 0 || faccessat(log->dir, name, F_OK, 0) == -1 ||
	    inspect_index_is_sound(log, s))
		return 0;
	char *file = xasprintf("%s/%s", part, name);
	int result = r->order->dry_run ? 0 : make_index(r, log, part, s, err);
	if (result == 0)
		repair_say(r, file, "made anew from its segment");
	free(file);
	return result;
}

/* ---- All of it */

int repair_log(struct repair *r, struct inspect_log *log, const char *part, struct journal_pos *ret_end, bool *ret_lost,
	       struct err *err)
{
	const struct inspect_segment *before = NULL;
	*ret_end = (struct journal_pos){ 0, 0 };
	*ret_lost = false;
	for (size_t i = 0; i < log->n; i++) {
		struct inspect_segment *s = &log->v[i];
		uint64_t wanted = s->readable ? s->header.previous : 0;
		if (before && wanted > before->number &&
		    replace(r, log, NULL, wanted, before, s->header.previous_end, part, err) != 0)
			return -1;
		if (!s->readable) {
			if (!s->has_successor)
				s->end = SEGMENT_HEADER_SIZE;
			if (replace(r, log, s, s->number, before, s->end, part, err) != 0)
				return -1;
			*ret_lost = i + 1 == log->n;
		} else if (is_damaged(s)) {
			if (mend(r, log, s, part, err) != 0)
				return -1;
		} else if (mend_index(r, log, s, part, err) != 0) {
			return -1;
		}
		before = s;
		*ret_end = (struct journal_pos){ s->number, s->end };
	}
	return 0;
}
