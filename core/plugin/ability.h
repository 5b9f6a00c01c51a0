/* ability.h - what a source or a sink can do besides, by the ids of the SDK's headers (PATCHBAY_SIMULATE,
 * PATCHBAY_IDLE), read with care for its version. */
#ifndef PLUGIN_ABILITY_H
#define PLUGIN_ABILITY_H

#include "base/sized.h"

#include <patchbay/plugin.h>

/* Fills in *ret, a struct of ret_size bytes that begins with its size, from the plugin's table of that id: what the
 * plugin has of it, zero behind that. False, and *ret all zero: it has none, or one shorter than at_least, what the
 * first version of that table has. `extension`: the side's slot, or NULL. */
bool ability_get(const void *(*extension)(const char *id), const char *id, size_t at_least, void *ret, size_t ret_size);

/* The same where `last` is the last member of the first version, a function without which there is no ability. */
#define ABILITY_GET(side, id, ret, last)                                                                               \
	(ability_get((side)->extension, (id), SIZED_END(__typeof__(*(ret)), last), (ret), sizeof(*(ret))) &&           \
	 (ret)->last)

#endif
