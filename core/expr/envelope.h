/* envelope.h - an event as expressions see it. */
#ifndef EXPR_ENVELOPE_H
#define EXPR_ENVELOPE_H

#include "base/call.h"
#include "base/str.h"

#include <patchbay/services.h>

/* One field that is no JSON of its own: its text (decoded, valid UTF-8), for true and false their names. Returns the
 * PATCHBAY_JSON_* type, 0 if there is no such field. Lives until the call is over. */
int32_t envelope_field(patchbay_call *, const patchbay_delivery *, patchbay_str name, patchbay_str *ret);

/* data (the provider's JSON) and details (what the source fetched about it): NULL if there is none.
 * Explains nothing. */
bool envelope_is_json(patchbay_str name);
const patchbay_json *envelope_json_field(patchbay_call *, const patchbay_delivery *, patchbay_str name);

/* All of it as one JSON object, data as it came (but white space is not promised). */
void envelope_json(patchbay_call *, const patchbay_delivery *, struct buf *ret);

#endif
