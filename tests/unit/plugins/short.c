/* short.c - exports the right name for something that is no table. */
#include <stdint.h>

__attribute__((visibility("default"))) extern const uint64_t patchbay_plugin_v1;

const uint64_t patchbay_plugin_v1 = 8;
