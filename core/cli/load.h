/* load.h - the configuration and its plugins, for the commands that need them. */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "config/config.h"
#include "plugin/host.h"

#define CLI_CONFIG_PATH "/etc/patchbay/routes.yaml" /* without -c */

/* NULL: there is an error, and every fault was printed to stderr. Warnings alone are for `check` and `serve`. Free the
 * configuration before the registry: its options are described by the plugins. */
struct config *cli_load_config(const char *path, struct registry **ret_registry);
/* The same, with the faults handed back instead of printed. */
struct config *cli_load_faults(const char *path, struct registry **ret_registry, struct config_faults *ret_faults);
/* For trying it out where its secrets may be missing. */
struct config *cli_load_for_testing(const char *path, struct registry **ret_registry, struct config_faults *ret_faults);
/* For a command that neither receives nor sends: without secrets. The first error, if any, is handed back. */
struct config *cli_load_for_looking(const char *path, struct registry **ret_registry, struct err *err);

#endif
