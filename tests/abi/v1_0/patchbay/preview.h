/* patchbay/preview.h - optional ability of a sink: to say what it would send. With it `patchbay test` compares
 * what a configuration makes of an event, with nothing sent and nothing written. */
#ifndef PATCHBAY_PREVIEW_H
#define PATCHBAY_PREVIEW_H

#include <patchbay/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PATCHBAY_PREVIEW "patchbay.preview/1"

typedef struct patchbay_preview {
	uint32_t size;
	uint32_t reserved;
	/* [delivery] What act would do with these events: *out is a JSON object whose members are named as the sink's
	 * options are (a message's "text"; a mail's "to", "subject", "text"). No I/O. EBADEVENT, ECONFIG: act
	 * would refuse the event, explained. */
	patchbay_status (*preview)(void *self, patchbay_call *, const patchbay_delivery *const *, size_t n,
				   patchbay_str *out);
} patchbay_preview;

#ifdef __cplusplus
}
#endif
#endif
