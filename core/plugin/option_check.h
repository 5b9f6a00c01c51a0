/* option_check.h - a plugin's options table: checked, and copied into an array of our own structs. */
#ifndef PLUGIN_OPTION_CHECK_H
#define PLUGIN_OPTION_CHECK_H

#include "base/err.h"

#include <patchbay/plugin.h>

/* side: "source" or "sink". *ret: for options_copy_free(), nested tables with it; NULL when there are no options. */
int options_copy(const char *side, const patchbay_option *theirs, uint32_t n, uint32_t options_size,
		 patchbay_option **ret, struct err *err);
void options_copy_free(patchbay_option *ours, uint32_t n); /* NULL is fine */

#endif
