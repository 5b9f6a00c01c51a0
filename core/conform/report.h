/* report.h - what became of the tests, for people or as JSON. */
#ifndef CONFORM_REPORT_H
#define CONFORM_REPORT_H

#include "conform/runner.h"

struct report {
	const struct conform_order *order;
	size_t passed, failed, skipped;
	char last[SENTENCE_SIZE]; /* what was said of the test before, "" if it passed */
	size_t alike;             /* skipped for the same reason as the one before, and not printed yet */
};

void report_begin(struct report *, const struct conform_order *);
void report_add(struct report *, const struct result *);
void report_end(struct report *, const struct shared *);

#endif
