/* cursors.c - see cursors.h: a list, since the sources that are polled are few. */
#include "journal/cursors.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct entry {
	char *source;
	struct buf durable; /* lock, to change it */
	struct buf noted;   /* the group's, while has_noted */
	bool is_durable, has_noted;
};

struct cursors {
	pthread_mutex_t lock;
	struct entry *v; /* lock, to change it: only the committer does */
	size_t n, room;
};

struct cursors *cursors_create(void)
{
	struct cursors *c = xcalloc(1, sizeof *c);
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void cursors_destroy(struct cursors *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].source);
		buf_free(&c->v[i].durable);
		buf_free(&c->v[i].noted);
	}
	free(c->v);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static struct entry *find(struct cursors *c, patchbay_str source)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_is(source, c->v[i].source))
			return &c->v[i];
	return NULL;
}

static struct entry *add(struct cursors *c, patchbay_str source)
{
	pthread_mutex_lock(&c->lock);
	if (c->n == c->room) {
		c->room = c->room ? c->room * 2 : 8;
		c->v = xrealloc(c->v, c->room * sizeof *c->v);
	}
	struct entry *e = &c->v[c->n++];
	*e = (struct entry){ .source = xstrndup(source.n ? source.p : "", source.n) };
	pthread_mutex_unlock(&c->lock);
	return e;
}

void cursors_note(struct cursors *c, patchbay_str source, patchbay_str cursor)
{
	struct entry *e = find(c, source);
	if (!e)
		e = add(c, source);
	e->noted.n = 0;
	e->has_noted = true;
	buf_add_str(&e->noted, cursor);
}

void cursors_note_durable(struct cursors *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = &c->v[i];
		if (!e->has_noted)
			continue;
		pthread_mutex_lock(&c->lock);
		struct buf old = e->durable;
		e->durable = e->noted;
		e->is_durable = true;
		pthread_mutex_unlock(&c->lock);
		e->noted = old;
		e->has_noted = false;
	}
}

void cursors_forget_noted(struct cursors *c)
{
	for (size_t i = 0; i < c->n; i++)
		c->v[i].has_noted = false;
}

size_t cursors_count(const struct cursors *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++)
		n += c->v[i].is_durable;
	return n;
}

/* The record of one, within that of all: sealed on its own, so that it can be taken out in the same way. */
static void encode_one(struct buf *b, const struct journal_record *r)
{
	size_t start = b->n;
	record_encode(b, r);
	record_seal((struct record_head *)(void *)(b->p + start), 0);
}

void cursors_encode(const struct cursors *c, struct buf *b)
{
	struct buf all = { 0 };
	struct journal_record r = { .kind = JOURNAL_CURSOR, .received_ns = clock_wall_ns() };
	for (size_t i = 0; i < c->n; i++) {
		r.source = str_c(c->v[i].source);
		r.data = buf_str(&c->v[i].durable);
		if (c->v[i].is_durable)
			encode_one(&all, &r);
	}
	r.source = STR("");
	r.data = buf_str(&all);
	record_encode(b, &r);
	buf_free(&all);
}

void cursors_get(struct cursors *c, const char *source, struct buf *ret)
{
	ret->n = 0;
	pthread_mutex_lock(&c->lock);
	struct entry *e = find(c, str_c(source));
	if (e && e->is_durable)
		buf_add_str(ret, buf_str(&e->durable));
	pthread_mutex_unlock(&c->lock);
}

/* ---- Recovery */

struct recovery {
	struct cursors *segment; /* what stands in this one */
	bool empty;
};

static void see_record(void *ctx, uint64_t offset, const struct record_head *head)
{
	struct recovery *r = ctx;
	(void)offset;
	r->empty = false;
	if (head->kind != JOURNAL_CURSOR)
		return;
	struct journal_record record, one;
	record_decode(head, &record);
	if (record.source.n) {
		cursors_note(r->segment, record.source, record.data);
		return;
	}
	for (size_t at = 0; at < record.data.n && record_valid(record.data.p + at, record.data.n - at, 0);) {
		const struct record_head *inner = (const void *)(record.data.p + at);
		record_decode(inner, &one);
		cursors_note(r->segment, one.source, one.data);
		at += inner->size;
	}
}

/* Cursors that are known already are newer. Returns false if older segments may have others. */
static bool recover_segment(struct cursors *known, struct seglog *log, const struct seglog_segment *s)
{
	struct recovery r = { .segment = cursors_create(), .empty = true };
	struct segment_header h;
	struct err err;
	uint64_t bad = 0;
	int fd = segment_open(seglog_dir(log), s->number, O_RDONLY, &h, &err);
	int64_t end =
		fd == -1 ? -1 : segment_scan(fd, s->salt, SEGMENT_HEADER_SIZE, s->end, see_record, &r, &bad, &err);
	if (fd != -1)
		close(fd);
	if (end == -1)
		log_error("journal: how far sources were polled is looked up in older segments: %s", err.text);
	for (size_t i = 0; i < r.segment->n; i++) {
		struct entry *e = &r.segment->v[i];
		if (!find(known, str_c(e->source)))
			cursors_note(known, str_c(e->source), buf_str(&e->noted));
	}
	cursors_destroy(r.segment);
	return end != -1 && !r.empty && bad == 0 && (uint64_t)end == s->end;
}

uint64_t cursors_recover(struct cursors *c, struct seglog *log)
{
	uint64_t oldest = UINT64_MAX;
	struct seglog_segment s;
	for (size_t i = seglog_count(log); i-- > 0 && seglog_at(log, i, &s);) {
		size_t before = c->n;
		bool all = recover_segment(c, log, &s);
		if (c->n > before)
			oldest = s.number;
		if (all)
			break;
	}
	cursors_note_durable(c);
	return oldest;
}
