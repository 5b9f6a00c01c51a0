/* inspect.h - what really stands in a log, segment by segment, damaged ones included: for whoever checks, mends or
 * copies a journal. Reads only; nothing is believed that a checksum does not prove. */
#ifndef JOURNAL_INSPECT_H
#define JOURNAL_INSPECT_H

#include "journal/segment.h"

struct inspect_range {
	uint64_t from, to;
};

struct inspect_segment {
	uint64_t number;
	bool aside;                      /* its file is NUMBER.bad: an earlier start could not use it */
	enum segment_header_state state; /* of the header on the disk */
	bool readable;                   /* header is right, be it as found or as worked out; else nothing follows */
	int why;                         /* errno, if the file could not be opened or read at all; 0 */
	struct segment_header header;
	uint64_t size;             /* of the file */
	bool has_successor;        /* which says where this one ends */
	uint64_t end;              /* good up to here, by its successor, or by its last good record */
	uint64_t good_end;         /* of the last good record */
	struct inspect_range *bad; /* before end: what is no record */
	size_t n_bad;
	uint64_t tail; /* bytes behind the end, up to the last that is not zero: a torn write */
	uint64_t records;
	int64_t last_ns; /* when the last good record was received; 0 */
};

struct inspect_log {
	char *path;
	int dir;
	struct inspect_segment *v; /* ascending */
	size_t n;
};

/* Lists the segments, reads their headers, and works out those that are damaged as far as that can be. part: "events"
 * or "quarantine"; one that is not there has none. Close it in any case. */
int inspect_open(struct inspect_log *, const char *journal, const char *part, struct err *err);
void inspect_close(struct inspect_log *);

/* Reads all records of one, calling back for each good one (NULL is fine). With `live`, what stands behind the last
 * good record of the last segment may be a write that is under way, and is no damage. 1: done, 0: the segment has been
 * pruned meanwhile, -1: err. */
int inspect_read(struct inspect_log *, size_t i, bool live, segment_each each, void *ctx, struct err *err);

/* Is there a good record at this position, of that id? Only of segments that are readable. */
bool inspect_has(const struct inspect_log *, struct journal_pos, const struct id *);

/* Is its index whole, and does it say what the segment does? Of one that has been read. */
bool inspect_index_is_sound(const struct inspect_log *, const struct inspect_segment *);

/* Is the index of a segment that was pruned damaged? It was all that dedupe had of it. */
bool inspect_index_is_lost(const struct inspect_log *, uint64_t number);

/* Does another one come after it? */
bool inspect_finished(const struct inspect_log *, const struct inspect_segment *);

/* The name of its file. */
void inspect_name(const struct inspect_segment *, char out[SEGMENT_NAME_SIZE]);

#endif
