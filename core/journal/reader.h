/* reader.h - what reading records one by one, and looking them up, share. */
#ifndef JOURNAL_READER_H
#define JOURNAL_READER_H

#include "journal/internal.h"

struct tape { /* an open segment, and a window of it in memory */
	struct seglog *log;
	uint64_t number, salt;
	int fd; /* -1: none */
	char *p;
	size_t room, n;
	uint64_t offset;              /* of p[0] */
	bool unreadable;              /* the last read failed: the disk, not what stands there */
	struct {                      /* what tape_index() found last */
		uint64_t number, end; /* 0: nothing */
		struct index entries;
		size_t room;
	} index;
};

struct journal_reader {
	struct journal *j;
	struct tape events, refused;
	struct { /* where the records of one segment stand, for going backward */
		struct seglog *log;
		uint64_t number, end;
		uint64_t *v;
		size_t n, room;
	} offsets;
};

int tape_open(struct tape *, uint64_t number, struct err *err);
/* As journal_read(). */
int tape_read(struct tape *, struct journal_pos *pos, struct journal_record *ret, struct journal_pos *ret_at,
	      struct err *err);

#endif
