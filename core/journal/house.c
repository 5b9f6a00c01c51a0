/* house.c - the housekeeper: writes the indexes of finished segments, prunes what is finished and old or too much,
 * keeps the quarantine within its cap. Nothing that is owed is ever pruned: when that leaves no room, appends are
 * refused. */
#include "journal/internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define TICK_MS 500
#define TICKS_OF_A_ROUND 2
#define POLLED_EVERY_NS (86400 * NS_PER_S)
#define RECOVERED_MARGIN_MS (INT64_C(86400) * 1000) /* clocks jump */

/* One thread at a time. */
static void index_finished(struct journal *j, struct seglog *log)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	struct seglog_segment s;
	for (size_t i = 0; i + 1 < seglog_count(log) && seglog_at(log, i, &s); i++) {
		static struct log_limit limit;
		struct index index = { 0 };
		struct err err;
		if (s.last_ms)
			continue;
		if (index_last_ms(seglog_dir(log), s.number, s.salt, s.end, &index.last_ms) != 0 &&
		    index_load(seglog_dir(log), s.number, s.end, log == j->events, &index, &err) != 0) {
			log_limited(&limit, LOG_LEVEL_ERROR, "journal: cannot index a segment: %s", err.text);
			continue;
		}
		seglog_set_last_ms(log, s.number, index.last_ms ? index.last_ms : 1);
		index_free(&index);
	}
	pthread_mutex_unlock(&lock);
}

int journal_prune(struct journal *j, const struct journal_prune_order *order, struct journal_pruned *ret,
		  struct err *err)
{
	index_finished(j, j->events); /* dedupe needs the index of what is gone */
	return prune(j, order, ret, err);
}

static void look_at_room(struct journal *j)
{
	struct journal_pos owed;
	struct seglog_segment s;
	struct statvfs fs;
	struct err err;
	uint64_t bytes = 0;
	if (state_oldest_owed(j->state, seglog_end(j->events), &owed, &err) == 0) {
		for (size_t i = 0; seglog_at(j->events, i, &s); i++)
			bytes += prune_is_settled(&s, owed) ? 0 : s.end;
		atomic_store(&j->room.owed_bytes, bytes);
	}
	if (fstatvfs(seglog_dir(j->events), &fs) != 0)
		return;
	atomic_store(&j->room.disk_free, (uint64_t)fs.f_bavail * fs.f_frsize);
	atomic_store(&j->room.disk_bytes, (uint64_t)fs.f_blocks * fs.f_frsize);
}

static void keep_within_limits(struct journal *j)
{
	const struct journal_prune_order order = { .older_than_ms =
							   clock_wall_ns() / NS_PER_MS - atomic_load(&j->limits.age_ms),
						   .down_to_bytes = (uint64_t)atomic_load(&j->limits.bytes) };
	struct journal_pruned done;
	struct err err;
	int result = prune(j, &order, &done, &err);
	static struct log_limit limit;
	if (result != 0)
		log_limited(&limit, LOG_LEVEL_ERROR, "journal: %s; nothing more is pruned", err.text);
	if (result == 0 || done.segments)
		atomic_store(&j->over_limit, done.left_bytes > order.down_to_bytes);
}

static void prune_quarantine(struct journal *j)
{
	uint64_t bytes = seglog_bytes(j->quarantine);
	struct seglog_segment s;
	uint64_t before = 0;
	for (size_t i = 0;
	     bytes > (uint64_t)atomic_load(&j->limits.quarantine_bytes) && seglog_at(j->quarantine, i, &s); i++) {
		bytes -= s.end;
		before = s.number + 1;
	}
	if (before)
		seglog_prune(j->quarantine, before);
}

/* Indexes outlive their segments for as long as dedupe needs them. */
static void prune_indexes(struct journal *j)
{
	int64_t oldest_ms = clock_wall_ns() / NS_PER_MS - atomic_load(&j->limits.dedupe_ms);
	uint64_t start = seglog_start(j->events).hi;
	int dir = seglog_dir(j->events);
	uint64_t *v;
	size_t n;
	if (segment_list(dir, "idx", &v, &n) != 0)
		return;
	for (size_t i = 0; i < n && v[i] < start; i++) {
		char name[SEGMENT_NAME_SIZE];
		int64_t last_ms = 0;
		segment_name(v[i], "idx", name);
		if (index_last_ms(dir, v[i], 0, 0, &last_ms) == 0 ? last_ms < oldest_ms : errno == 0)
			unlinkat(dir, name, 0);
	}
	free(v);
}

static int64_t begun_ms(struct seglog *log)
{
	struct seglog_segment s;
	struct segment_header h;
	int fd = seglog_at(log, 0, &s) ? segment_open(seglog_dir(log), s.number, O_RDONLY, &h, NULL) : -1;
	if (fd == -1)
		return 0;
	close(fd);
	return h.created_ns / NS_PER_MS;
}

/* Which requests were admitted after all is of interest as long as they may be there: not when everything that is kept
 * was begun after that. */
static void prune_recovered(struct journal *j)
{
	int64_t events_ms = begun_ms(j->events), quarantine_ms = begun_ms(j->quarantine);
	int64_t before_ms = (events_ms < quarantine_ms ? events_ms : quarantine_ms) - RECOVERED_MARGIN_MS;
	static struct log_limit limit;
	struct err err;
	if (before_ms > 0 && state_prune_recovered(j->state, before_ms, &err) != 0)
		log_limited(&limit, LOG_LEVEL_ERROR, "journal: %s", err.text);
}

/* An operator's command has replayed deliveries, say: whoever waits should look again. */
static void notice_operations(struct journal *j)
{
	uint64_t now = state_changed(j->state);
	if (now == 0 || now == j->state_seen)
		return;
	j->state_seen = now;
	atomic_fetch_add(&j->operations, 1);
	journal_wake(j);
}

/* Not at once: when nothing was polled for a hundred days, because nothing ran, all of it may still be there. */
static void prune_polled(struct journal *j, int64_t *last_ns)
{
	struct err err;
	if (clock_steady_ns() - *last_ns < POLLED_EVERY_NS)
		return;
	*last_ns = clock_steady_ns();
	if (state_prune_polled(j->state, clock_wall_ns() / NS_PER_MS, &err) != 0)
		log_error("journal: %s", err.text);
}

struct last { /* when, and where the logs began, when what hangs on that was last pruned */
	uint64_t events, quarantine;
	int64_t polled_ns; /* steady clock */
};

static void keep_house(struct journal *j, struct last *last)
{
	seglog_prepare(j->events, &j->house.stop);
	index_finished(j, j->events);
	look_at_room(j);
	keep_within_limits(j);
	prune_quarantine(j);
	uint64_t events = seglog_start(j->events).hi, quarantine = seglog_start(j->quarantine).hi;
	if (last->events != events)
		prune_indexes(j);
	if (last->events != events || last->quarantine != quarantine)
		prune_recovered(j);
	prune_polled(j, &last->polled_ns);
	last->events = events;
	last->quarantine = quarantine;
}

void *housekeeper_main(void *journal)
{
	struct journal *j = journal;
	struct last last = { .polled_ns = clock_steady_ns() };
	pthread_mutex_lock(&j->house.lock);
	for (unsigned tick = 0; !j->house.stop; tick++) {
		pthread_mutex_unlock(&j->house.lock);
		notice_operations(j);
		if (tick % TICKS_OF_A_ROUND == 0)
			keep_house(j, &last);
		pthread_mutex_lock(&j->house.lock);
		const struct timespec until = clock_deadline(TICK_MS * NS_PER_MS);
		if (!j->house.stop)
			pthread_cond_timedwait(&j->house.rung, &j->house.lock, &until);
	}
	pthread_mutex_unlock(&j->house.lock);
	return NULL;
}
