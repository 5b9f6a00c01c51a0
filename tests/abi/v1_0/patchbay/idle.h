/* patchbay/idle.h - optional ability of a sink: to be called now and then while there is nothing to act on, to close a
 * file whose day is over, or a connection. */
#ifndef PATCHBAY_IDLE_H
#define PATCHBAY_IDLE_H

#include <patchbay/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PATCHBAY_IDLE "patchbay.idle/1"

typedef struct patchbay_idle {
	uint32_t size;
	uint32_t every_ms; /* about this long after the last call, whichever it was; 0 never */
	/* [delivery] *checkpoint as in act. Not OK, explained: logged. */
	patchbay_status (*idle)(void *self, patchbay_call *, patchbay_str *checkpoint);
} patchbay_idle;

#ifdef __cplusplus
}
#endif
#endif
