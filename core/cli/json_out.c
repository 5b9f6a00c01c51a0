/* json_out.c - see json_out.h. */
#include "cli/json_out.h"

#include "base/clock.h"
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

json_t *json_out_time(int64_t wall_ns)
{
	char iso[CLOCK_ISO_SIZE];
	if (!wall_ns)
		return json_null();
	clock_format_iso(wall_ns, iso);
	return json_string(iso);
}
