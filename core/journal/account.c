/* account.c - see account.h. Goes from head to head of the records and does not check what is between: that is what
 * takes time, and what verify.h is for. */
#include "journal/account.h"

#include "base/clock.h"
#include "base/mem.h"
#include "journal/inspect.h"
#include "journal/state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW 65536u
#define WEEK_NS (INT64_C(7) * 86400 * NS_PER_S)

struct walk {
	int fd;
	uint64_t offset;
	size_t n;
	char bytes[WINDOW];
};

/* `n` bytes at an offset; NULL: they are not there. */
static const void *look(struct walk *w, uint64_t at, size_t n)
{
	if (at < w->offset || at + n > w->offset + w->n) {
		ssize_t got = pread(w->fd, w->bytes, sizeof w->bytes, (off_t)at);
		w->offset = at;
		w->n = got > 0 ? (size_t)got : 0;
	}
	return w->n >= n && at + n <= w->offset + w->n ? w->bytes + (at - w->offset) : NULL;
}

static struct account_source *source_of(struct account *a, patchbay_str name)
{
	for (size_t i = 0; i < a->n_sources; i++)
		if (str_is(name, a->sources[i].name))
			return &a->sources[i];
	a->sources = xrealloc(a->sources, (a->n_sources + 1) * sizeof *a->sources);
	a->sources[a->n_sources] = (struct account_source){ .name = xstrndup(name.n ? name.p : "", name.n) };
	return &a->sources[a->n_sources++];
}

static void add_record(struct account *a, const struct record_head *head, patchbay_str source, bool quarantine)
{
	struct account_source *s = source_of(a, source);
	if (quarantine) {
		s->quarantine_records++;
		s->quarantine_bytes += head->size;
		return;
	}
	s->records++;
	s->bytes += head->size;
	a->events += head->kind == JOURNAL_EVENT && !(head->flags & JOURNAL_FLAG_RELEASED);
	if (head->received_ns > a->now_ns - WEEK_NS)
		a->week_bytes += head->size;
	if (head->kind == JOURNAL_ANSWER || head->kind == JOURNAL_CURSOR)
		return;
	if (!a->oldest_ns || head->received_ns < a->oldest_ns)
		a->oldest_ns = head->received_ns;
	if (head->received_ns > a->newest_ns)
		a->newest_ns = head->received_ns;
}

/* Up to `end`, or, of the last segment, up to where there are no records any more. Returns where that is. */
static uint64_t walk_segment(struct account *a, struct walk *w, uint64_t end, bool quarantine)
{
	uint64_t at = SEGMENT_HEADER_SIZE;
	struct record_head head;
	while (at + sizeof head <= end) {
		const void *p = look(w, at, sizeof head);
		if (!p)
			break;
		memcpy(&head, p, sizeof head);
		if (head.magic != RECORD_MAGIC || head.size < sizeof head || head.size % RECORD_ALIGN ||
		    head.size > end - at || head.source > head.size - sizeof head)
			break;
		const char *name = head.source ? look(w, at + sizeof head, head.source) : "";
		add_record(a, &head, name ? (patchbay_str){ name, head.source } : STR(""), quarantine);
		at += head.size;
	}
	return at;
}

static int walk_log(struct account *a, const char *path, const char *part, struct inspect_log *log, struct err *err)
{
	bool quarantine = strcmp(part, "quarantine") == 0;
	struct walk *w = xmalloc(sizeof *w);
	int result = inspect_open(log, path, part, err);
	for (size_t i = 0; result == 0 && i < log->n; i++) {
		struct inspect_segment *s = &log->v[i];
		char name[SEGMENT_NAME_SIZE];
		inspect_name(s, name);
		w->n = 0;
		w->fd = s->readable ? openat(log->dir, name, O_RDONLY | O_CLOEXEC) : -1;
		if (w->fd == -1) { /* pruned meanwhile, or damaged */
			a->unreadable += s->readable ? 0 : s->size;
			s->end = s->readable ? 0 : s->size;
			continue;
		}
		uint64_t end = walk_segment(a, w, s->has_successor ? s->end : s->size, quarantine);
		if (s->has_successor)
			a->unreadable += s->end - end;
		else
			s->end = end;
		close(w->fd);
		a->segments += !quarantine;
		*(quarantine ? &a->quarantine_bytes : &a->events_bytes) += s->end;
	}
	free(w);
	return result;
}

static uint64_t index_bytes(const struct inspect_log *log)
{
	uint64_t *v, bytes = 0;
	size_t n;
	if (log->dir == -1 || segment_list(log->dir, "idx", &v, &n) != 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		char name[SEGMENT_NAME_SIZE];
		struct stat st;
		segment_name(v[i], "idx", name);
		if (fstatat(log->dir, name, &st, 0) == 0)
			bytes += (uint64_t)st.st_size;
	}
	free(v);
	return bytes;
}

/* ---- Who holds what up */

/* Bytes from a position to the end. */
static uint64_t bytes_from(const struct inspect_log *log, struct journal_pos from)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < log->n; i++)
		if (log->v[i].number > from.hi)
			bytes += log->v[i].end;
		else if (log->v[i].number == from.hi && log->v[i].end > from.lo)
			bytes += log->v[i].end - from.lo;
	return bytes;
}

/* Of the first record at or behind a position. */
static int64_t received_at(const struct inspect_log *log, struct journal_pos from)
{
	for (size_t i = 0; i < log->n; i++) {
		const struct inspect_segment *s = &log->v[i];
		uint64_t at = s->number == from.hi && from.lo > SEGMENT_HEADER_SIZE ? from.lo : SEGMENT_HEADER_SIZE;
		char name[SEGMENT_NAME_SIZE];
		struct record_head head;
		if (s->number < from.hi || !s->readable || at >= s->end)
			continue;
		inspect_name(s, name);
		int fd = openat(log->dir, name, O_RDONLY | O_CLOEXEC);
		bool there = fd != -1 && pread(fd, &head, sizeof head, (off_t)at) == (ssize_t)sizeof head &&
			     head.magic == RECORD_MAGIC;
		if (fd != -1)
			close(fd);
		return there ? head.received_ns : 0;
	}
	return 0;
}

static void add_sinks(struct account *a, const struct inspect_log *log, const struct state_survey *state)
{
	struct journal_pos first = { UINT64_MAX, 0 };
	a->sinks = xcalloc(state->n_sinks + 1, sizeof *a->sinks);
	for (size_t i = 0; i < state->n_sinks; i++) {
		const struct state_survey_sink *s = &state->sinks[i];
		struct account_sink *sink = &a->sinks[a->n_sinks++];
		*sink = (struct account_sink){ .name = xstrdup(s->name),
					       .kept = s->kept,
					       .parked = s->parked,
					       .dead = s->dead,
					       .oldest = state_survey_owed(s) };
		sink->bytes = bytes_from(log, sink->oldest);
		sink->received_ns = sink->bytes ? received_at(log, sink->oldest) : 0;
		if (s->kept && journal_pos_cmp(sink->oldest, first) < 0)
			first = sink->oldest;
	}
	for (size_t i = 0; i + 1 < log->n; i++)
		if (log->v[i].number < first.hi || (log->v[i].number == first.hi && first.lo >= log->v[i].end))
			a->finished_bytes += log->v[i].end;
}

static int by_bytes(const void *x, const void *y)
{
	const struct account_source *a = x, *b = y;
	uint64_t n = a->bytes + a->quarantine_bytes, m = b->bytes + b->quarantine_bytes;
	return n < m ? 1 : n > m ? -1 : strcmp(a->name, b->name);
}

static int by_held(const void *x, const void *y)
{
	const struct account_sink *a = x, *b = y;
	if (a->kept != b->kept)
		return a->kept ? -1 : 1;
	return a->bytes < b->bytes ? 1 : a->bytes > b->bytes ? -1 : strcmp(a->name, b->name);
}

static uint64_t file_bytes(const char *path, const char *suffix)
{
	struct stat st;
	char *name = xasprintf("%s%s", path, suffix);
	uint64_t bytes = stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
	free(name);
	return bytes;
}

int account_journal(const char *path, struct account *a, struct err *err)
{
	struct inspect_log events = { .dir = -1 }, quarantine = { .dir = -1 };
	struct state_survey state = { 0 };
	char *state_path = xasprintf("%s/state.db", path);
	*a = (struct account){ .now_ns = clock_wall_ns() };
	int result = state_survey(state_path, false, &state, err);
	if (result == 0)
		result = walk_log(a, path, "events", &events, err);
	if (result == 0)
		result = walk_log(a, path, "quarantine", &quarantine, err);
	if (result == 0) {
		a->index_bytes = index_bytes(&events);
		a->state_bytes = file_bytes(state_path, "") + file_bytes(state_path, "-wal");
		add_sinks(a, &events, &state);
		qsort(a->sources, a->n_sources, sizeof *a->sources, by_bytes);
		qsort(a->sinks, a->n_sinks, sizeof *a->sinks, by_held);
	}
	inspect_close(&events);
	inspect_close(&quarantine);
	state_survey_free(&state);
	free(state_path);
	return result;
}

void account_free(struct account *a)
{
	for (size_t i = 0; i < a->n_sources; i++)
		free(a->sources[i].name);
	for (size_t i = 0; i < a->n_sinks; i++)
		free(a->sinks[i].name);
	free(a->sources);
	free(a->sinks);
	*a = (struct account){ 0 };
}
