/* patchbay/simulate.h - optional ability of a source: to play its provider. With it `patchbay send`,
 * the demo and the tests work for any plugin. */
#ifndef PATCHBAY_SIMULATE_H
#define PATCHBAY_SIMULATE_H

#include <patchbay/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PATCHBAY_SIMULATE "patchbay.simulate/1"

typedef struct patchbay_sample {
	uint32_t size;
	uint32_t reserved;
	const char *name;  /* "fault_code_opened" */
	const char *about; /* a few words; NULL none */
} patchbay_sample;

enum { PATCHBAY_SIGN_WRONG = 1 }; /* sign so that verify must refuse it */

typedef struct patchbay_simulate {
	uint32_t size;
	uint32_t n_samples;
	const patchbay_sample *samples; /* static; NULL where there are none */
	/* [control] The body of samples[i] as the provider would send it. serial 0: as documented; each
	 * other serial (random for `patchbay send`): another event of the same type, with ids and times of
	 * its own wherever the provider has any. Memory of the call. Not OK, explained: it cannot be made. */
	patchbay_status (*body)(const void *self, patchbay_call *, uint32_t i, uint64_t serial, patchbay_str *out);
	/* [control] Adds what the provider adds to this body: headers, or fields inside it. In: method,
	 * path, body, received_ns (now), headers. Out: any of them changed, in memory of the call. `try_` counts
	 * from 0: a provider that signs each try anew does so here. Not OK, explained: not sent. */
	patchbay_status (*sign)(const void *self, patchbay_call *, uint32_t flags, uint32_t try_, patchbay_request *);
} patchbay_simulate;

#ifdef __cplusplus
}
#endif
#endif
