/* reader.c - reading records: forward from a cursor, at a position, backward for lists. Everything is
 * pread into the reader's own buffer, checked, and good until the next call. */
#include "journal/reader.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_AHEAD (UINT64_C(256) << 10)
#define PAGE UINT64_C(4096)

struct journal_reader *journal_reader_open(struct journal *j)
{
	struct journal_reader *r = xcalloc(1, sizeof *r);
	r->j = j;
	r->events = (struct tape){ .log = j->events, .fd = -1 };
	r->refused = (struct tape){ .log = j->quarantine, .fd = -1 };
	return r;
}

static void tape_fini(struct tape *t)
{
	if (t->fd != -1)
		close(t->fd);
	free(t->p);
	index_free(&t->index.entries);
}

void journal_reader_close(struct journal_reader *r)
{
	if (!r)
		return;
	tape_fini(&r->events);
	tape_fini(&r->refused);
	free(r->offsets.v);
	free(r);
}

int tape_open(struct tape *t, uint64_t number, struct err *err)
{
	if (t->fd != -1 && t->number == number)
		return 0;
	if (t->fd != -1)
		close(t->fd);
	t->n = 0;
	struct segment_header h;
	t->fd = segment_open(seglog_dir(t->log), number, O_RDONLY, &h, err);
	if (t->fd == -1)
		return -1;
	t->number = number;
	t->salt = h.salt;
	return 0;
}

/* Has [offset, offset + want) in memory, reading up to `end`. */
static int tape_fill(struct tape *t, uint64_t offset, uint64_t want, uint64_t end, struct err *err)
{
	if (offset >= t->offset && offset + want <= t->offset + t->n)
		return 0;
	t->unreadable = false;
	uint64_t n = want > READ_AHEAD ? want : READ_AHEAD;
	if (offset + n > end)
		n = end - offset;
	if (n > t->room) {
		free(t->p);
		t->p = xmalloc(n);
		t->room = n;
	}
	t->offset = offset;
	t->n = 0;
	while (t->n < n) {
		ssize_t got = pread(t->fd, t->p + t->n, n - t->n, (off_t)(offset + t->n));
		if (got == -1 && errno == EINTR)
			continue;
		t->unreadable = got == -1;
		if (got == -1)
			return err_set(err, "cannot read segment %08" PRIx64 ": %s", t->number, strerror(errno));
		if (got == 0)
			break;
		t->n += (size_t)got;
	}
	return t->n >= want ? 0
			    : err_set(err, "segment %08" PRIx64 " ends at %" PRIu64 ", before it should", t->number,
				      offset + t->n);
}

/* The record at this offset; NULL: there is no whole one (not an error of reading: *err untouched), or err. */
static const struct record_head *tape_record(struct tape *t, uint64_t offset, uint64_t end, struct err *err)
{
	const struct record_head *head;
	if (offset + sizeof *head > end || tape_fill(t, offset, sizeof *head, end, err) != 0)
		return NULL;
	head = (const void *)(t->p + (offset - t->offset));
	if (head->magic != RECORD_MAGIC || head->size < sizeof *head || head->size > end - offset)
		return NULL;
	if (tape_fill(t, offset, head->size, end, err) != 0)
		return NULL;
	head = (const void *)(t->p + (offset - t->offset));
	return record_valid(head, t->n - (offset - t->offset), t->salt) ? head : NULL;
}

int tape_read(struct tape *t, struct journal_pos *pos, struct journal_record *ret, struct journal_pos *ret_at,
	      struct err *err)
{
	for (;;) {
		struct seglog_segment s;
		bool last;
		if (!seglog_find(t->log, pos->hi, &s, &last))
			return 0;
		if (s.number != pos->hi || pos->lo < SEGMENT_HEADER_SIZE)
			*pos = (struct journal_pos){ s.number, SEGMENT_HEADER_SIZE };
		if (pos->lo >= s.end) {
			if (last)
				return 0;
			*pos = (struct journal_pos){ s.number + 1, SEGMENT_HEADER_SIZE };
			continue;
		}
		if (tape_open(t, s.number, err) != 0) {
			if (errno == 0 || errno == ENOENT) /* else it may open later: too many files are open, say */
				*pos = (struct journal_pos){ s.number + 1, SEGMENT_HEADER_SIZE };
			return -1;
		}
		const struct record_head *head = tape_record(t, pos->lo, s.end, err);
		if (head) {
			if (ret_at)
				*ret_at = *pos;
			record_decode(head, ret);
			pos->lo += head->size;
			return 1;
		}
		uint64_t bad = pos->lo;
		while (pos->lo < s.end && !tape_record(t, pos->lo, s.end, err))
			pos->lo += t->unreadable ? PAGE - pos->lo % PAGE : RECORD_ALIGN;
		if (pos->lo > s.end)
			pos->lo = s.end;
		return err_set(err,
			       "segment %08" PRIx64 " is damaged from byte %" PRIu64 " to %" PRIu64
			       "; what stood there is lost",
			       s.number, bad, pos->lo);
	}
}

int journal_read(struct journal_reader *r, struct journal_pos *pos, struct journal_record *ret,
		 struct journal_pos *ret_at, struct err *err)
{
	return tape_read(&r->events, pos, ret, ret_at, err);
}

int journal_read_quarantine(struct journal_reader *r, struct journal_pos *pos, struct journal_record *ret,
			    struct err *err)
{
	return tape_read(&r->refused, pos, ret, NULL, err);
}

int journal_read_at(struct journal_reader *r, struct journal_pos at, struct journal_record *ret, struct err *err)
{
	struct journal_pos pos = at, found;
	int rc = tape_read(&r->events, &pos, ret, &found, err);
	if (rc == 1 && journal_pos_cmp(found, at) == 0)
		return 1;
	return rc == -1 ? -1 : err_set(err, "no event stands at %" PRIx64 ":%" PRIx64 " any more", at.hi, at.lo);
}

/* ---- Backward */

static void add_offset(void *ctx, uint64_t offset, const struct record_head *head)
{
	struct journal_reader *r = ctx;
	(void)head;
	if (r->offsets.n == r->offsets.room) {
		r->offsets.room = r->offsets.room ? r->offsets.room * 2 : 4096;
		r->offsets.v = xrealloc(r->offsets.v, r->offsets.room * sizeof *r->offsets.v);
	}
	r->offsets.v[r->offsets.n++] = offset;
}

static int load_offsets(struct journal_reader *r, struct tape *t, const struct seglog_segment *s, struct err *err)
{
	if (r->offsets.log == t->log && r->offsets.number == s->number && r->offsets.end == s->end)
		return 0;
	r->offsets.n = 0;
	r->offsets.log = NULL;
	if (tape_open(t, s->number, err) != 0 ||
	    segment_scan(t->fd, t->salt, SEGMENT_HEADER_SIZE, s->end, add_offset, r, NULL, err) == -1)
		return -1;
	r->offsets.log = t->log;
	r->offsets.number = s->number;
	r->offsets.end = s->end;
	return 0;
}

static int read_before(struct journal_reader *r, struct tape *t, struct journal_pos *pos, struct journal_record *ret,
		       struct err *err)
{
	for (size_t i = seglog_count(t->log); i-- > 0;) {
		struct seglog_segment s;
		if (!seglog_at(t->log, i, &s) || s.number > pos->hi)
			continue;
		uint64_t before = s.number == pos->hi ? pos->lo : s.end;
		if (before == 0) /* passed over below */
			continue;
		if (load_offsets(r, t, &s, err) != 0) {
			bool pruned = errno == ENOENT;
			*pos = (struct journal_pos){ s.number, 0 };
			if (pruned)
				continue;
			return -1;
		}
		size_t n = 0, high = r->offsets.n; /* how many stand before */
		while (n < high) {
			size_t middle = (n + high) / 2;
			if (r->offsets.v[middle] < before)
				n = middle + 1;
			else
				high = middle;
		}
		if (n == 0)
			continue;
		*pos = (struct journal_pos){ s.number, r->offsets.v[n - 1] };
		struct journal_pos next = *pos;
		return tape_read(t, &next, ret, NULL, err);
	}
	return 0;
}

int journal_read_before(struct journal_reader *r, struct journal_pos *pos, struct journal_record *ret, struct err *err)
{
	return read_before(r, &r->events, pos, ret, err);
}

int journal_read_refused(struct journal_reader *r, struct journal_pos *cursor, struct journal_record *ret,
			 struct err *err)
{
	if (cursor->hi == 0)
		*cursor = seglog_end(r->j->quarantine);
	return read_before(r, &r->refused, cursor, ret, err);
}
