/* seglog.h - a log as a sequence of segments: recovery, append, sync, rotation, pruning. One thread
 * appends; any thread asks where the log ends. A position is (segment number, offset).
 *
 * After a failed sync nothing is ever written to that file again: the pages may be gone although a
 * second sync succeeds. The next segment's header says up to where the abandoned one counts. */
#ifndef JOURNAL_SEGLOG_H
#define JOURNAL_SEGLOG_H

#include "journal/segment.h"

struct seglog;

struct seglog_segment {
	uint64_t number, salt;
	uint64_t end;     /* good up to here; of the last one: what is durable */
	int64_t last_ms;  /* newest record, by its time of receipt; 0 unknown */
};

/* writable: repairs (cuts a torn tail off, sets damaged segments aside) and may append. */
struct seglog *seglog_open(const char *path, uint64_t segment_bytes, bool writable, struct err *err);
void seglog_close(struct seglog *);
/* A reader's: sees what was appended and pruned since, without reading again what it knows; at the end only as far as
 * good records follow each other. -1: err; open it anew, the log may be another one. */
int seglog_refresh(struct seglog *, struct err *err);

/* The end up to which the log is durable (for a reader: up to which it was found to be good). [any] */
struct journal_pos seglog_end(struct seglog *);
struct journal_pos seglog_start(struct seglog *); /* [any] */
size_t seglog_count(struct seglog *); /* [any] */
bool seglog_at(struct seglog *, size_t i, struct seglog_segment *ret); /* [any] */
/* The segment of that number, or, if there is none, the first behind it. [any] */
bool seglog_find(struct seglog *, uint64_t number, struct seglog_segment *ret, bool *ret_last);
uint64_t seglog_bytes(struct seglog *); /* [any] */
int seglog_dir(const struct seglog *);
/* Makes it durable that this folder is there. */
int seglog_sync_parent(const char *folder, struct err *err);

/* ---- the appending thread */

/* Where the next bytes will stand; makes a new segment first if the current one is full, or abandoned. */
int seglog_reserve(struct seglog *, struct journal_pos *ret, uint64_t *ret_salt, struct err *err);
/* Writes at the reserved position and syncs. On failure nothing has happened, except that the file may have
 * been abandoned; the reserved position is void. */
int seglog_commit(struct seglog *, const void *p, size_t n, struct err *err);
/* Prepares the segment that comes after the last one, if there is much room on the disk. Another thread may
 * call it. */
void seglog_prepare(struct seglog *, const atomic_bool *stop);
/* Deletes the segments before `number`; the last one stays. Their indexes stay. */
void seglog_prune(struct seglog *, uint64_t number);
/* While opening: goes on in a new segment of at least that number. A position that may be on record somewhere is
 * never used for something else. */
int seglog_begin_anew(struct seglog *, uint64_t number, struct err *err);
/* Notes the time of a segment's newest record. */
void seglog_set_last_ms(struct seglog *, uint64_t number, int64_t last_ms);

#endif
