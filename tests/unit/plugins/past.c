/* past.c - a plugin from before the interface was settled. */
#include <patchbay/plugin.h>

PATCHBAY_EXPORT extern const char patchbay_plugin_v0[64];

const char patchbay_plugin_v0[64] = "whatever that was";
