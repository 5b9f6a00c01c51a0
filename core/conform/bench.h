/* bench.h - a source on the bench: instances, the requests that its plugin can play, and what they are answered. */
#ifndef CONFORM_BENCH_H
#define CONFORM_BENCH_H

#include "conform/guest.h"
#include "conform/taken.h"
#include "plugin/simulate.h"

struct bench {
	struct kit *kit;
	struct guest a;
	patchbay_simulate play;
	bool can_play;
	/* From where genuine requests come. by_address: elsewhere the same request is refused. */
	patchbay_str client;
	uint8_t addr[16];
	bool by_address;
	bool capitals; /* sign() has written the name of a header with capitals */
};

#define BENCH_NO_PLAY                                                                                                  \
	"the plugin cannot play its provider, so there is nothing genuine to try; give it " PATCHBAY_SIMULATE          \
	" (<patchbay/simulate.h>)"

bool bench_plays(struct kit *); /* has the plugin samples? */
/* An instance, and the address that its samples must come from. Skips when there is nothing to play, or when what is
 * played is refused (see source.genuine), unless anything will do. */
void bench_open(struct bench *, struct kit *, bool anything);
void bench_close(struct bench *);

/* A request as the provider would send it, in the kit's memory. OK, or what body() or sign() answered. *ret_plain: the
 * same before it was signed, or NULL. */
patchbay_status bench_sample(struct bench *, struct guest *, uint32_t i, uint64_t serial, uint32_t flags,
			     patchbay_request *ret, patchbay_request *ret_plain);
/* Of the genuine samples the one with the longest, or shortest, body. There is one when bench_open() returned. */
bool bench_pick(struct bench *, bool largest, patchbay_request *ret, patchbay_request *ret_plain);
/* The same request with another body, signed anew if the plugin can. */
patchbay_request bench_with_body(struct bench *, const patchbay_request *plain, patchbay_str body);
/* Signs it, as it is. */
patchbay_status bench_sign(struct bench *, struct guest *, patchbay_request *);
patchbay_request bench_plain(struct bench *, patchbay_str body); /* POST, JSON, unsigned */

patchbay_status bench_verify(struct guest *, const patchbay_request *);
/* After verify, in the same call. */
patchbay_status bench_parse(struct guest *, const patchbay_request *, struct taken *);
/* Both; fails unless both say OK. */
void bench_take(struct guest *, const patchbay_request *, struct taken *);

/* ---- Changing a request: everything in the kit's memory. */

/* A header in place of another; of this value. */
patchbay_request wire_with_header(struct kit *, const patchbay_request *, uint32_t i, patchbay_str value);
patchbay_request wire_without_header(struct kit *, const patchbay_request *, uint32_t i);
patchbay_request wire_add_header(struct kit *, const patchbay_request *, uint32_t before, patchbay_str key,
				 patchbay_str value);
patchbay_request wire_copy(struct kit *, const patchbay_request *);

#endif
