/* seglog_internal.h - what opening a log and appending to it share. */
#ifndef JOURNAL_SEGLOG_INTERNAL_H
#define JOURNAL_SEGLOG_INTERNAL_H

#include "base/log.h"
#include "journal/seglog.h"

#include <pthread.h>

struct seglog {
	char *path;
	int dir;
	bool writable;
	uint64_t segment_bytes;
	pthread_mutex_t lock;
	struct seglog_segment *v;  /* lock; ascending */
	size_t n, room;            /* lock */
	uint64_t highest;          /* number that was found while opening, of segments set aside, too */
	_Atomic uint64_t prepared; /* number of the segment that is prepared */
	uint64_t tried;            /* the preparing thread's: number of the last one that it tried to prepare */
	/* the appending thread's */
	int fd;          /* of the last segment; -1 when abandoned */
	uint64_t filled; /* size of its file: zeros behind the end, if it was prepared */
	struct log_limit uncut;
	bool cut_needed; /* bytes of a failed write may stand behind the end */
};

/* The caller holds the lock, or is alone. */
void seglog_add(struct seglog *, uint64_t number, uint64_t salt, uint64_t end);
/* 0: cannot be found out. */
uint64_t seglog_file_size(int fd);

#endif
