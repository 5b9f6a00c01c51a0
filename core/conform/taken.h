/* taken.h - the events that a plugin emits, judged and kept for comparison. */
#ifndef CONFORM_TAKEN_H
#define CONFORM_TAKEN_H

#include "base/arena.h"
#include "base/str.h"

#include <patchbay/plugin.h>

struct taken_event {
	uint32_t dedupe, flags;
	patchbay_str type, kind, subject, key, token, data;
	int64_t time_ns;
};

struct taken {
	const patchbay_request *request; /* whose events these are */
	struct taken_event *v;
	size_t n, refuse_from; /* from this event on, ENOMEM; 0: none */
	bool refused;          /* it was answered ENOMEM */
	bool plausible;        /* their times must be */
	bool yields;           /* lets other threads run before an event is looked at */
	char fault[400];       /* what is wrong with one of them; "" nothing */
	struct arena memory;
};

void taken_init(struct taken *, const patchbay_request *);
void taken_fini(struct taken *);
patchbay_emitter taken_emitter(struct taken *);
/* Are these the same events? False: `why` says which differs, and in what. */
bool taken_same(const struct taken *, const struct taken *, char *why, size_t size);
/* Writes over the stack below its caller: what a function that has returned left there is gone. */
void taken_scribble(void);

#endif
