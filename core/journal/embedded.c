/* embedded.c - the journal in a folder: events/ and quarantine/ hold segments, state.db what became of deliveries, lock
 * keeps a second daemon out. Opening, closing, and the doors to its parts. */
#include "journal/folder.h"
#include "journal/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SEGMENT_BYTES (UINT64_C(64) << 20)
#define SEGMENT_BYTES_MIN UINT64_C(4096)

/* ---- Opening */

/* Without entries it may have been begun just before a crash: then the cursors stand in the one before. */
static bool may_hold_cursors(const struct index *index)
{
	for (size_t i = 0; i < index->n; i++)
		if (index->v[i].kind == JOURNAL_CURSOR)
			return true;
	return index->n == 0 || index->v[0].offset != SEGMENT_HEADER_SIZE;
}

/* Dedupe forgets nothing by a restart: the indexes of all segments within the window go through it again, in order;
 * also of segments that are pruned already. */
static int replay(struct journal *j, struct err *err)
{
	int64_t oldest_ms = clock_wall_ns() / NS_PER_MS - atomic_load(&j->limits.dedupe_ms), last_ms;
	uint64_t end = seglog_end(j->events).hi, start = seglog_start(j->events).hi, first = end;
	int dir = seglog_dir(j->events);
	for (; first > 1; first--) { /* back to the first segment that is older than the window */
		bool indexed = index_last_ms(dir, first - 1, 0, 0, &last_ms) == 0;
		if (indexed ? last_ms && last_ms < oldest_ms : first - 1 < start)
			break;
	}
	uint64_t records = 0;
	for (uint64_t number = first; number <= end; number++) {
		struct seglog_segment s;
		struct index index = { 0 };
		bool last = number == end;
		if (seglog_find(j->events, number, &s, NULL) && s.number == number) {
			if (index_load(dir, number, s.end, !last, &index, err) != 0) {
				if (last)
					return -1;
				log_error("journal: repeats of events of one segment will not be recognised: %s",
					  err->text);
				continue;
			}
			if (!last)
				seglog_set_last_ms(j->events, number, index.last_ms);
		} else if (index_load_sidecar(dir, number, &index) != 0) {
			continue;
		}
		if (last && may_hold_cursors(&index))
			j->cursors_in = cursors_recover(j->cursors, j->events);
		for (size_t i = 0; i < index.n && index.last_ms >= oldest_ms; i++) {
			if (records++ % 1024 == 0)
				dedupe_begin(j->dedupe, 0);
			decide_again(j, number, &index.v[i]);
		}
		index_free(&index);
	}
	atomic_store(&j->stats.dedupe_keys, dedupe_count(j->dedupe));
	return 0;
}

static struct journal *new_journal(const char *path, bool writable)
{
	struct journal *j = xcalloc(1, sizeof *j);
	j->path = xstrdup(path);
	j->writable = writable;
	j->lock_fd = -1;
	j->queue.last = &j->queue.first;
	pthread_mutex_init(&j->queue.lock, NULL);
	pthread_cond_init(&j->queue.filled, NULL);
	pthread_mutex_init(&j->tail.lock, NULL);
	clock_cond_init(&j->tail.moved);
	pthread_mutex_init(&j->trouble.lock, NULL);
	pthread_mutex_init(&j->house.lock, NULL);
	clock_cond_init(&j->house.rung);
	return j;
}

/* What is pruned is pruned by the segment, so a limit must hold several. */
static uint64_t portion(uint64_t limit)
{
	uint64_t bytes = limit / 8;
	return bytes < SEGMENT_BYTES_MIN ? SEGMENT_BYTES_MIN : bytes < SEGMENT_BYTES ? bytes : SEGMENT_BYTES;
}

static int open_parts(struct journal *j, enum state_use use, struct err *err)
{
	uint64_t quarantine_segment = portion((uint64_t)j->options.quarantine_bytes);
	uint64_t events_segment =
		j->options.segment_bytes ? j->options.segment_bytes : portion((uint64_t)j->options.retention_bytes);
	char *name = xasprintf("%s/events", j->path);
	j->events = seglog_open(name, events_segment, j->writable, err);
	free(name);
	if (!j->events)
		return -1;
	name = xasprintf("%s/quarantine", j->path);
	j->quarantine = seglog_open(name, quarantine_segment, j->writable, err);
	free(name);
	if (!j->quarantine)
		return -1;
	name = xasprintf("%s/state.db", j->path);
	j->state = state_open(name, use, err);
	free(name);
	return j->state ? 0 : -1;
}

/* Events that a sink is behind of are on the disk, unless that did not keep its word, or an older copy was put back.
 * Then their positions stay what they were. */
static int respect_positions(struct journal *j, struct err *err)
{
	struct journal_pos newest, end = seglog_end(j->events);
	if (state_polled_cut(j->state, end, err) != 0) /* it comes again, and has to be kept */
		return -1;
	if (state_newest(j->state, &newest, err) != 0)
		return -1;
	if (journal_pos_cmp(newest, end) <= 0)
		return 0;
	log_error("journal: sinks have seen events up to %" PRIx64 ":%" PRIx64 ", but the events end at %" PRIx64
		  ":%" PRIx64 ": the disk lost some, or an older copy was put back",
		  newest.hi, newest.lo, end.hi, end.lo);
	return seglog_begin_anew(j->events, newest.hi + 1, err);
}

void journal_limit(struct journal *j, const struct journal_options *options)
{
	atomic_store(&j->limits.age_ms, options->retention_age_ms);
	atomic_store(&j->limits.bytes, options->retention_bytes);
	atomic_store(&j->limits.quarantine_bytes, options->quarantine_bytes);
	if (options->dedupe_window_ms > atomic_load(&j->limits.dedupe_ms))
		atomic_store(&j->limits.dedupe_ms, options->dedupe_window_ms);
}

struct journal *journal_open(const struct journal_options *options, struct err *err)
{
	struct journal *j = new_journal(options->path, true);
	j->options = *options;
	journal_limit(j, options);
	if (mkdir(j->path, 0750) == -1 && errno != EEXIST) {
		err_set(err, "cannot create the journal's folder %s: %s", j->path, strerror(errno));
		goto fail;
	}
	if ((j->lock_fd = folder_lock(j->path, err)) == -1 || folder_known(j->path, err) != 0 ||
	    seglog_sync_parent(j->path, err) != 0 || open_parts(j, STATE_OWN, err) != 0 ||
	    respect_positions(j, err) != 0)
		goto fail;
	j->dedupe = dedupe_create();
	j->unanswered = unanswered_create();
	j->heads = heads_create(j->events);
	j->cursors = cursors_create();
	j->cursors_in = UINT64_MAX;
	if (replay(j, err) != 0 || import_finish(j, err) != 0)
		goto fail;
	j->state_seen = state_changed(j->state); /* before anybody can look at the journal as it is now */
	j->committer_runs = pthread_create(&j->committer, NULL, committer_main, j) == 0;
	j->housekeeper_runs = pthread_create(&j->housekeeper, NULL, housekeeper_main, j) == 0;
	if (!j->committer_runs || !j->housekeeper_runs) {
		err_set(err, "cannot start the journal's threads");
		goto fail;
	}
	pthread_setname_np(j->committer, "journal");
	pthread_setname_np(j->housekeeper, "housekeeper");
	return j;
fail:
	journal_close(j);
	return NULL;
}

static struct journal *open_beside(const char *path, enum state_use use, struct err *err)
{
	struct journal *j = new_journal(path, false);
	if (open_parts(j, use, err) != 0) {
		journal_close(j);
		return NULL;
	}
	return j;
}

struct journal *journal_open_reader(const char *path, struct err *err)
{
	return open_beside(path, STATE_READ, err);
}

struct journal *journal_open_operator(const char *path, struct err *err)
{
	return open_beside(path, STATE_OPERATE, err);
}

int journal_refresh(struct journal *j, struct err *err)
{
	return seglog_refresh(j->events, err) != 0 || seglog_refresh(j->quarantine, err) != 0 ? -1 : 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->committer_runs) {
		pthread_mutex_lock(&j->queue.lock);
		j->queue.stop = true;
		pthread_cond_signal(&j->queue.filled);
		pthread_mutex_unlock(&j->queue.lock);
		pthread_join(j->committer, NULL);
	}
	if (j->housekeeper_runs) {
		pthread_mutex_lock(&j->house.lock);
		j->house.stop = true;
		pthread_cond_signal(&j->house.rung);
		pthread_mutex_unlock(&j->house.lock);
		pthread_join(j->housekeeper, NULL);
	}
	heads_destroy(j->heads);
	cursors_destroy(j->cursors);
	unanswered_destroy(j->unanswered);
	dedupe_destroy(j->dedupe);
	state_close(j->state);
	seglog_close(j->quarantine);
	seglog_close(j->events);
	folder_unlock(j->lock_fd);
	pthread_mutex_destroy(&j->queue.lock);
	pthread_cond_destroy(&j->queue.filled);
	pthread_mutex_destroy(&j->tail.lock);
	pthread_cond_destroy(&j->tail.moved);
	pthread_mutex_destroy(&j->trouble.lock);
	pthread_mutex_destroy(&j->house.lock);
	pthread_cond_destroy(&j->house.rung);
	free(j->path);
	free(j);
}

bool journal_trouble(struct journal *j, struct err *why)
{
	if (!atomic_load(&j->trouble.is))
		return false;
	if (why) {
		pthread_mutex_lock(&j->trouble.lock);
		*why = j->trouble.why;
		pthread_mutex_unlock(&j->trouble.lock);
	}
	return true;
}

/* ---- Waiting */

int journal_pos_cmp(struct journal_pos a, struct journal_pos b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return a.lo == b.lo ? 0 : a.lo < b.lo ? -1 : 1;
}

struct journal_pos journal_end(struct journal *j)
{
	return seglog_end(j->events);
}

struct journal_pos journal_start(struct journal *j)
{
	return seglog_start(j->events);
}

void journal_wait(struct journal *j, struct journal_pos pos, int64_t timeout_ms)
{
	const struct timespec until = clock_deadline(timeout_ms * NS_PER_MS);
	pthread_mutex_lock(&j->tail.lock);
	uint64_t wakes = j->tail.wakes;
	j->tail.waiting++;
	int rc = 0;
	while (rc == 0 && wakes == j->tail.wakes && journal_pos_cmp(seglog_end(j->events), pos) <= 0)
		rc = pthread_cond_timedwait(&j->tail.moved, &j->tail.lock, &until);
	j->tail.waiting--;
	pthread_mutex_unlock(&j->tail.lock);
}

void journal_wake(struct journal *j)
{
	pthread_mutex_lock(&j->tail.lock);
	j->tail.wakes++;
	pthread_cond_broadcast(&j->tail.moved);
	pthread_mutex_unlock(&j->tail.lock);
}

void journal_stats(struct journal *j, struct journal_stats *ret)
{
	*ret = (struct journal_stats){
		.appended = j->stats.appended,
		.duplicates = j->stats.duplicates,
		.malformed = j->stats.malformed,
		.refused = j->stats.refused,
		.replayed = j->stats.replayed,
		.unavailable = j->stats.unavailable,
		.commits = j->stats.commits,
		.dedupe_keys = j->stats.dedupe_keys,
		.bytes = seglog_bytes(j->events),
		.quarantine_bytes = seglog_bytes(j->quarantine),
		.owed_bytes = j->room.owed_bytes,
		.limit_bytes = (uint64_t)j->limits.bytes,
		.disk_free = j->room.disk_free,
		.disk_bytes = j->room.disk_bytes,
	};
}
