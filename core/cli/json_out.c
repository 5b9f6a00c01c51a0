/* json_out.c - see json_out.h. */
#include "cli/json_out.h"

#include "cli/text.h"

json_t *json_out_string(patchbay_str s)
{
	json_t *value = json_stringn(s.n ? s.p : "", s.n);
	if (!value) {
		struct buf clean = { 0 };
		text_add_clean(&clean, s);
		value = json_stringn(clean.p, clean.n);
		buf_free(&clean);
	}
	return value;
}
