/* json.h - read-only JSON over borrowed text: checked once, without building a tree, then looked up
 * lazily. The contract (strictness, lifetimes, meaning of paths) is in <patchbay/services.h>. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/call.h"

#include <patchbay/services.h>

#define JSON_DEPTH_MAX 128

const patchbay_json *json_parse(patchbay_call *, patchbay_str text); /* NULL: explained in the call */
int32_t json_type(const patchbay_json *);
const patchbay_json *json_get(patchbay_call *, const patchbay_json *, patchbay_str name);
const patchbay_json *json_find(patchbay_call *, const patchbay_json *, const char *paths, bool nocase);
uint32_t json_count(const patchbay_json *);
const patchbay_json *json_at(patchbay_call *, const patchbay_json *, uint32_t index);
patchbay_str json_raw(const patchbay_json *);
patchbay_str json_text(patchbay_call *, const patchbay_json *);

extern const patchbay_json_service json_service;

#endif
