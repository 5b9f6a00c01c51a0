/* loader.h - what the parts of the configuration loader share. */
#ifndef CONFIG_LOADER_H
#define CONFIG_LOADER_H

#include "config/fault.h"
#include "config/yaml.h"

struct loader {
	struct faults faults;
	char *dir; /* of the configuration file, absolute: relative paths start here */
	const struct config_plugins *plugins;
	struct config *config;
	const char *text_path;          /* where the file's text is; NULL: where it says */
	bool looking;                   /* config_load_for_looking() */
	bool testing;                   /* config_load_for_testing() */
	const char *plugin;             /* whose options are being read, for messages; NULL: the host's own */
	struct config_secrets *secrets; /* where the names of its secrets go; NULL: nowhere */
	size_t made_up;                 /* secrets that could not be read, for testing */
};

/* "'fleet' must be a mapping ..., not a list", at the node. Silent for NODE_BAD. Returns -1. */
int loader_wrong_kind(struct loader *, const struct node *, const char *what, const char *wanted);
char *loader_path(const struct loader *, patchbay_str path); /* made absolute; the caller frees */

/* Each reads its part of the file into loader->config. `node` may be NULL: the key is missing. */
void load_addresses(struct loader *, const struct node *root); /* addresses.c: listen, admin */
void load_certificate(struct loader *, const struct node *tls, struct config_address *); /* of one of `listen` */
/* log.c. Without plugins in the loader their names are not checked. */
void load_log(struct loader *, const struct node *, struct log_settings *ret);
void load_sources(struct loader *, const struct node *); /* instances.c */
void load_sinks(struct loader *, const struct node *);
/* delivery.c: the options that every sink has, with what its plugin says where the file does not. */
void load_delivery(struct loader *, const struct node *, struct config_sink *);
void load_routes(struct loader *, const struct node *root); /* routes.c */

void source_free(struct config_source *); /* what they hold, not themselves */
void sink_free(struct config_sink *);
void route_free(struct config_route *);

/* What stands below `listen`, if that is a mapping, below its `tls`, and below `log`. */
#define CONFIG_N_LISTEN_OPTIONS 2
#define CONFIG_N_TLS_OPTIONS 2
#define CONFIG_N_LOG_OPTIONS 3
extern const patchbay_option config_listen_options[CONFIG_N_LISTEN_OPTIONS];
extern const patchbay_option config_tls_options[CONFIG_N_TLS_OPTIONS];
extern const patchbay_option config_log_options[CONFIG_N_LOG_OPTIONS];

#endif
