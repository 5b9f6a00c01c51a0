/* deed.h - a sink, events for it, and what it does with them. */
#ifndef CONFORM_DEED_H
#define CONFORM_DEED_H

#include "conform/guest.h"

#include <patchbay/checkpoint.h>
#include <patchbay/idle.h>
#include <patchbay/preview.h>

#define DEED_EVENTS 120

struct deed {
	struct kit *kit;
	struct guest guest;
	bool has_checkpoint, has_idle, has_preview;
	patchbay_checkpoint checkpoint;
	patchbay_idle idle;
	patchbay_preview preview;
	patchbay_str kept; /* the checkpoint that it handed back last, in the kit's memory */
	patchbay_delivery events[DEED_EVENTS];
	const patchbay_delivery *batch[DEED_EVENTS];
	patchbay_result results[DEED_EVENTS + 1]; /* the last is nobody's */
	uint64_t serial;                          /* of the next event */
};

/* An instance, resumed if it can be. Skips when it does not resume. */
void deed_open(struct deed *, struct kit *);
void deed_close(struct deed *);
/* New events, n of them, and one call of act() for them; AGAIN is obeyed. Their results are judged: statuses, reasons.
 * Returns how many are OK. */
size_t deed_act(struct deed *, size_t n);
void deed_fill(struct deed *, size_t n);        /* the events alone */
size_t deed_act_again(struct deed *, size_t n); /* for the events that are there */
patchbay_status deed_resume(struct deed *, patchbay_str checkpoint);
/* Was this result left as it came? */
bool deed_forgot(const struct deed *, size_t i);

/* The first good answer with which an event is done, and done by HTTP; NULL: none, or it does not use HTTP. */
const struct http_answer_fake *deed_find_good(struct deed *, bool *ret_uses_http);

/* Answers of an HTTP server that should make a sink content, and such that must not. */
extern const struct http_answer_fake deed_good[], deed_bad[];
extern const size_t deed_n_good, deed_n_bad;

#endif
