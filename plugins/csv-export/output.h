/* output.h - the file that rows go to, and the rule that makes them exactly one each: what the last durable
 * checkpoint does not cover is cut off, and where rows go next is durable before any is written there. */
#ifndef CSV_EXPORT_OUTPUT_H
#define CSV_EXPORT_OUTPUT_H

#include "place.h"
#include "row.h"

struct output {
	const patchbay_host *host;
	struct rows header;   /* what a file begins with; may be nothing */
	bool has_header_row;  /* then files of ours can be told from others' */
	bool part;            /* `handover: closed` */
	uint64_t columns;
	const char *pattern;  /* the option `path` */
	struct place at;
	bool changed;         /* `at` is not what the durable checkpoint says */
	int fd;               /* of the open or claimed file, locked; -1 */
	patchbay_status status; /* of the last failure: RETRY, EBADSINK; ELIMIT from output_resume() */
	char why[1024];
};

enum output_ready { OUTPUT_FAILED = -1, OUTPUT_READY = 0, OUTPUT_CHANGED = 1 };

bool output_resume(struct output *, patchbay_str checkpoint);
/* Makes out->at a place for rows under this base. OUTPUT_CHANGED: its checkpoint must be durable first. */
enum output_ready output_prepare(struct output *, const char *base);
/* After OUTPUT_READY. All of the rows are on disk, or none of them. */
bool output_append(struct output *, const struct rows *);
/* No more rows for this file: hands it over. out->at is none then. */
bool output_finish(struct output *);
void output_close(struct output *); /* what was claimed or open can be resumed */

/* ---- Between output.c and claim.c */

/* Sets status by errno and the sentence "WHAT PATH: reason; what to do". Always false. */
bool output_failed(struct output *, const char *what, const char *path);
void output_log(struct output *, int32_t level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Finds a name for a file of this base: a new one, or a file of ours that is there. */
bool claim_place(struct output *, const char *base);

#endif
