/* lookup.c - finding records by id and by key, through the indexes of the segments. The newest segment has none yet:
 * what stands in it is remembered from one question to the next. */
#include "journal/reader.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ID_MARGIN_MS (INT64_C(60) * 1000) /* ids are made when the post arrives, records a little later */

static void add_entry(void *ctx, uint64_t offset, const struct record_head *head)
{
	struct tape *t = ctx;
	struct index *index = &t->index.entries;
	if (index->n == t->index.room) {
		t->index.room = t->index.room ? t->index.room * 2 : 1024;
		index->v = xrealloc(index->v, t->index.room * sizeof *index->v);
	}
	index_entry_of(offset, head, &index->v[index->n++]);
}

/* The index of a segment; the tape's until the next call. NULL: err; errno is ENOENT when it was pruned meanwhile. */
static const struct index *tape_index(struct tape *t, const struct seglog_segment *s, bool last, struct err *err)
{
	uint64_t from = t->index.end;
	if (t->index.number != s->number || s->end < from) {
		index_free(&t->index.entries);
		t->index.number = t->index.end = t->index.room = 0;
		from = SEGMENT_HEADER_SIZE;
		if (!last) {
			if (index_load(seglog_dir(t->log), s->number, s->end, false, &t->index.entries, err) != 0)
				return NULL;
			t->index.room = t->index.entries.n;
			from = s->end;
		}
	}
	if (from < s->end) {
		if (tape_open(t, s->number, err) != 0 ||
		    segment_scan(t->fd, t->salt, from, s->end, add_entry, t, NULL, err) == -1) {
			t->index.number = 0;
			return NULL;
		}
	}
	t->index.number = s->number;
	t->index.end = s->end;
	return &t->index.entries;
}

/* ---- By id */

static bool is_first(const struct index_entry *e)
{
	return e->kind != JOURNAL_ANSWER && e->kind != JOURNAL_CURSOR && !(e->flags & JOURNAL_FLAG_RELEASED);
}

static bool is_released(const struct index_entry *e)
{
	return e->kind == JOURNAL_EVENT && e->flags & JOURNAL_FLAG_RELEASED;
}

static int find_in(struct tape *t, const struct id *id, bool (*is)(const struct index_entry *),
		   struct journal_record *ret, struct journal_pos *ret_at, struct err *err)
{
	size_t n = seglog_count(t->log);
	for (size_t i = n; i-- > 0;) {
		struct seglog_segment s;
		if (!seglog_at(t->log, i, &s))
			continue;
		if (s.last_ms && s.last_ms + ID_MARGIN_MS <
					 id_time_ms(id)) /* older ones may be newer by a clock that was set back */
			continue;
		const struct index *index = tape_index(t, &s, i + 1 == n, err);
		if (!index)
			continue;
		uint64_t offset = 0;
		for (size_t k = 0; k < index->n && offset == 0; k++)
			if (is(&index->v[k]) && memcmp(&index->v[k].id, id, sizeof *id) == 0)
				offset = index->v[k].offset;
		if (!offset)
			continue;
		struct journal_pos pos = { s.number, offset };
		return tape_read(t, &pos, ret, ret_at, err);
	}
	return 0;
}

int journal_find(struct journal_reader *r, const struct id *id, struct journal_record *ret, struct journal_pos *ret_at,
		 struct err *err)
{
	int rc = find_in(&r->events, id, is_first, ret, ret_at, err);
	return rc != 0 ? rc : find_in(&r->refused, id, is_first, ret, ret_at, err);
}

int journal_find_released(struct journal_reader *r, const struct id *id, struct journal_record *ret,
			  struct journal_pos *ret_at, struct err *err)
{
	return find_in(&r->events, id, is_released, ret, ret_at, err);
}

/* ---- By key */

struct wanted {
	struct hash128 hash, data;
	struct journal_key *key;
};

static int compare(const void *a, const void *b)
{
	const struct hash128 *x = &((const struct wanted *)a)->hash, *y = &((const struct wanted *)b)->hash;
	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	return x->lo == y->lo ? 0 : x->lo < y->lo ? -1 : 1;
}

/* The first that has this hash. */
static const struct wanted *search(const struct wanted *v, size_t n, struct hash128 hash)
{
	struct wanted key = { .hash = hash };
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (compare(&v[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return v + low;
}

static struct hash128 hash_of_id(const struct id *id)
{
	struct hash128 hash;
	_Static_assert(sizeof hash == sizeof *id, "an id takes the place of a key's hash");
	memcpy(&hash, id, sizeof hash);
	return hash;
}

static bool is_meant(const struct wanted *w, const struct index_entry *e, bool by_id)
{
	if (w->key->known || by_id != (w->key->dedupe == PATCHBAY_DEDUPE_NONE))
		return false;
	if (by_id)
		return is_first(e);
	if (w->key->dedupe != PATCHBAY_DEDUPE_LATEST)
		return true;
	/* a repeat has no data of its own */
	return e->kind == JOURNAL_EVENT && hash128_eq(w->data, e->data) && e->received_ns >= w->key->since_ns;
}

static int id_of(struct tape *t, uint64_t number, const struct index_entry *e, struct id *ret, struct err *err)
{
	struct journal_pos pos = { number, e->offset };
	struct journal_record r;
	*ret = e->id;
	if (e->kind != JOURNAL_DUPLICATE)
		return 0;
	if (tape_read(t, &pos, &r, NULL, err) != 1)
		return -1;
	*ret = r.original;
	return 0;
}

static int mark_one(struct tape *t, uint64_t number, const struct index_entry *e, bool by_id, const struct wanted *v,
		    size_t n, struct err *err)
{
	struct hash128 hash = by_id ? hash_of_id(&e->id) : e->key;
	for (const struct wanted *w = search(v, n, hash); w < v + n && hash128_eq(w->hash, hash); w++) {
		if (!is_meant(w, e, by_id))
			continue;
		if (!by_id && id_of(t, number, e, &w->key->id, err) != 0)
			return -1;
		w->key->known = true;
	}
	return 0;
}

static int mark(struct tape *t, uint64_t number, const struct index *index, const struct wanted *v, size_t n,
		struct err *err)
{
	for (size_t i = 0; i < index->n; i++) {
		const struct index_entry *e = &index->v[i];
		if (mark_one(t, number, e, true, v, n, err) != 0 ||
		    (!hash128_none(e->key) && mark_one(t, number, e, false, v, n, err) != 0))
			return -1;
	}
	return 0;
}

int journal_keys_known(struct journal_reader *r, struct journal_key *keys, size_t n, struct err *err)
{
	struct wanted *wanted = xcalloc(n + 1, sizeof *wanted);
	int result = 0;
	for (size_t i = 0; i < n; i++) {
		keys[i].known = false;
		bool by_id = keys[i].dedupe == PATCHBAY_DEDUPE_NONE;
		wanted[i] = (struct wanted){ .hash = by_id ? hash_of_id(&keys[i].id)
							   : record_key(keys[i].dedupe, keys[i].source, keys[i].key),
					     .data = record_data(keys[i].source, keys[i].data),
					     .key = &keys[i] };
	}
	qsort(wanted, n, sizeof *wanted, compare);
	/* oldest first, so that what is finished while this runs is not passed over */
	struct seglog_segment s;
	bool last;
	for (uint64_t number = 0; result == 0 && n && seglog_find(r->events.log, number, &s, &last);
	     number = s.number + 1) {
		const struct index *index = tape_index(&r->events, &s, last, err);
		if (index)
			result = mark(&r->events, s.number, index, wanted, n, err);
		else if (errno != ENOENT)
			result = -1;
	}
	free(wanted);
	return result;
}
