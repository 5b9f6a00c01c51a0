/* attempts.h - what is on record about the attempts to deliver an event, and what a person can do about one that
 * was given up. */
#ifndef CLI_ATTEMPTS_H
#define CLI_ATTEMPTS_H

#include "journal/journal.h"

#include <jansson.h>

struct attempt {
	char *sink, *result, *why;
	uint32_t number;
	int64_t at_ms, took_ms;
};
struct attempts { /* oldest first */
	struct attempt *v;
	size_t n;
};

/* Also those to fetch its details, to JOURNAL_SINK_ENRICH. Free them in any case. */
int attempts_load(struct journal *, const struct id *, struct attempts *ret, struct err *err);
void attempts_free(struct attempts *);
/* To that sink, a line for each. */
void attempts_print(const struct attempts *, const char *sink, int indent);
json_t *attempts_json(const struct attempts *, const char *sink); /* NULL: to all sinks of the user */

/* Can a delivery be given up for it? */
bool attempts_class_is_known(const char *class_);
const char *attempts_class(size_t i); /* each of them; NULL behind the last */
#define ATTEMPTS_CLASSES "event, configuration, destination, plugin or 'gave up'"
/* "mend the cause; then `patchbay replay ID --sink S`". The caller frees. */
char *attempts_advice(const char *class_, const char *id, const char *sink);

#endif
