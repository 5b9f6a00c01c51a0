/* unanswered.h - the few events of PATCHBAY_DEDUPE_UNANSWERED whose answer has not reached the provider, as
 * far as we know. Bounded: when full, the oldest is forgotten, and counts as answered (so that what
 * looks like its retry is delivered rather than lost). Used by one thread. */
#ifndef JOURNAL_UNANSWERED_H
#define JOURNAL_UNANSWERED_H

#include "base/id.h"

#include <stdbool.h>

struct unanswered;

struct unanswered *unanswered_create(void);
void unanswered_destroy(struct unanswered *);

/* received_ns: when the post came that got no answer yet; with `failed`, it is known that it will not. */
void unanswered_put(struct unanswered *, const struct id *, int64_t received_ns, bool failed);
void unanswered_remove(struct unanswered *, const struct id *);
/* True when a post of the same bytes, received at now_ns, is the provider's retry of this event: its answer
 * failed, or is later than late_ms, no longer ago than horizon_s. */
bool unanswered_is_retry(const struct unanswered *, const struct id *, int64_t now_ns, uint32_t late_ms,
			 uint32_t horizon_s);

#endif
