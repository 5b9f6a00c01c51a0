/* simulate.h - a source's ability to play its provider, read with care for its version. */
#ifndef PLUGIN_SIMULATE_H
#define PLUGIN_SIMULATE_H

#include <patchbay/simulate.h>

/* False: the plugin has no such ability (or no source). */
bool simulate_get(const patchbay_plugin *, patchbay_simulate *ret);
patchbay_sample simulate_sample(const patchbay_simulate *, uint32_t i);

#endif
