/* append.c - the doors for who appends: a queue of tickets for the committer. */
#include "journal/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

#define QUEUE_BYTES (UINT64_C(64) << 20)

void journal_encode(struct buf *b, const struct journal_record *r)
{
	record_encode(b, r);
}

bool journal_append(struct journal *j, struct journal_ticket *list)
{
	size_t bytes = 0;
	struct journal_ticket *last = list;
	for (struct journal_ticket *t = list; t; last = t, t = t->next)
		bytes += t->records.n;
	pthread_mutex_lock(&j->queue.lock);
	bool taken = !j->queue.stop && (j->queue.bytes == 0 || j->queue.bytes + bytes <= QUEUE_BYTES);
	bool wake = false;
	if (taken) {
		*j->queue.last = list;
		j->queue.last = &last->next;
		j->queue.bytes += bytes;
		wake = j->queue.idle;
		j->queue.idle = false;
	}
	pthread_mutex_unlock(&j->queue.lock);
	if (wake)
		pthread_cond_signal(&j->queue.filled);
	return taken;
}

/* ---- Waiting for the decision */

struct waiter { /* on the stack of who waits: nothing of the journal is touched once it is woken */
	pthread_mutex_t lock;
	pthread_cond_t decided;
	bool is_decided; /* lock */
};

void waiter_wake(void *waiter)
{
	struct waiter *w = waiter;
	pthread_mutex_lock(&w->lock);
	w->is_decided = true;
	pthread_cond_signal(&w->decided);
	pthread_mutex_unlock(&w->lock);
}

static int append_and_wait(struct journal *j, struct journal_ticket *t, struct err *err)
{
	struct waiter w = { .lock = PTHREAD_MUTEX_INITIALIZER, .decided = PTHREAD_COND_INITIALIZER };
	struct err why;
	t->next = NULL;
	t->waiter = &w;
	bool taken = journal_append(j, t);
	if (taken) {
		pthread_mutex_lock(&w.lock);
		while (!w.is_decided)
			pthread_cond_wait(&w.decided, &w.lock);
		pthread_mutex_unlock(&w.lock);
	}
	pthread_cond_destroy(&w.decided);
	pthread_mutex_destroy(&w.lock);
	t->waiter = NULL;
	if (!taken)
		return err_set(err, "the journal takes nothing: it is being closed, or too much waits for the disk");
	if (t->outcome == JOURNAL_REPLAYED)
		return err_set(err, "the one-time token came before; it is in the quarantine as a replay");
	if (t->outcome == JOURNAL_UNAVAILABLE)
		return err_set(err, "the journal takes nothing: %s",
			       journal_trouble(j, &why) ? why.text : "it was in trouble a moment ago");
	return 0;
}

static size_t count_records(const struct buf *records)
{
	size_t n = 0;
	for (size_t at = 0; at < records->n; n++)
		at += ((const struct record_head *)(const void *)(records->p + at))->size;
	return n;
}

static int append_polled(struct journal *j, struct journal_ticket *t, struct err *err)
{
	static struct log_limit limit;
	struct err why;
	bool *known = xcalloc(count_records(&t->records) + 1, sizeof *known);
	int result = state_polled_ask(j->state, &t->records, known, err);
	if (result == 0) {
		t->known = known;
		result = append_and_wait(j, t, err);
		t->known = NULL;
	}
	if (result == 0 &&
	    state_polled_note(j->state, &t->records, seglog_end(j->events), clock_wall_ns() / NS_PER_MS, &why) != 0)
		log_limited(&limit, LOG_LEVEL_WARNING,
			    "journal: %s; what is not polled again within a day may then come twice", why.text);
	free(known);
	return result;
}

int journal_append_wait(struct journal *j, struct journal_ticket *t, struct err *err)
{
	return t->quiet ? append_polled(j, t, err) : append_and_wait(j, t, err);
}

/* ---- How far sources are polled */

void journal_encode_cursor(struct journal_ticket *t, const char *source, patchbay_str cursor)
{
	struct journal_record r = {
		.kind = JOURNAL_CURSOR, .received_ns = clock_wall_ns(), .source = str_c(source), .data = cursor
	};
	record_encode(&t->records, &r);
	t->n++;
}

void journal_source_cursor(struct journal *j, const char *source, struct buf *ret)
{
	ret->n = 0;
	if (j->cursors)
		cursors_get(j->cursors, source, ret);
}

/* ---- Answers */

bool journal_answering(struct journal *j, struct journal_ticket *t)
{
	t->next = NULL;
	return journal_append(j, t);
}

void journal_answer_failed(struct journal *j, const struct journal_ticket *t)
{
	struct journal_ticket *own = xcalloc(1, sizeof *own);
	own->internal = true;
	buf_add(&own->records, t->records.p, t->records.n);
	for (size_t at = 0; at < own->records.n;) {
		struct record_head *head = (void *)(own->records.p + at);
		head->flags |= JOURNAL_FLAG_ANSWER_FAILED;
		at += head->size;
	}
	if (!journal_append(j, own)) {
		static struct log_limit limit;
		log_limited(&limit, LOG_LEVEL_WARNING,
			    "journal: cannot note that an answer did not reach its provider; its retry will be "
			    "delivered again");
		buf_free(&own->records);
		free(own);
	}
}
