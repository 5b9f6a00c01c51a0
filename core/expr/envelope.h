/* envelope.h - an event as expressions see it. */
#ifndef EXPR_ENVELOPE_H
#define EXPR_ENVELOPE_H

#include "base/call.h"
#include "base/str.h"

#include <patchbay/services.h>

/* One field other than data: its text (decoded, valid UTF-8), for true and false their names. Returns the
 * PATCHBAY_JSON_* type, 0 if there is no such field. Lives until the call is over. */
int32_t envelope_field(patchbay_call *, const patchbay_delivery *, patchbay_str name, patchbay_str *ret);
bool envelope_is_data(patchbay_str name);

/* The provider's JSON, NULL if it is none. Explains nothing. */
const patchbay_json *envelope_data(patchbay_call *, const patchbay_delivery *);

/* All of it as one JSON object, data as it came (but white space is not promised). */
void envelope_json(patchbay_call *, const patchbay_delivery *, struct buf *ret);

#endif
