/* json_out.h - texts that may be anything, and times, as JSON. */
#ifndef CLI_JSON_OUT_H
#define CLI_JSON_OUT_H

#include "base/str.h"

#include <jansson.h>

/* A string; what is not UTF-8 comes out clean, see text.h. */
json_t *json_out_string(patchbay_str);
/* ISO 8601 with as many digits as expressions see, null for 0. */
json_t *json_out_time(int64_t wall_ns);

#endif
