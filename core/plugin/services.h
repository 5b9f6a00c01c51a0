/* services.h - what the host offers to plugins, by id. */
#ifndef PLUGIN_SERVICES_H
#define PLUGIN_SERVICES_H

#include <patchbay/services.h>

const void *service_find(const char *id); /* NULL: unknown. Thread-safe. */

extern const patchbay_crypto_service crypto_service; /* crypto.c */
extern const patchbay_ed25519_service ed25519_service; /* ed25519.c */
extern const patchbay_time_service time_service;

#endif
