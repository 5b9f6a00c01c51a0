/* future.c - a plugin of the next major version; nothing is known of what its table looks like. */
#include <patchbay/plugin.h>

PATCHBAY_EXPORT extern const char patchbay_plugin_v2[64];

const char patchbay_plugin_v2[64] = "whatever that will be";
