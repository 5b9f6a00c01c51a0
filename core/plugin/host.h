/* host.h - finding, loading and checking plugins, and the instances made of them. */
#ifndef PLUGIN_HOST_H
#define PLUGIN_HOST_H

#include "base/call.h"
#include "base/err.h"
#include "config/config.h"

/* ---- The plugins found in a list of folders. [one thread] */

struct registry;

struct registry *registry_create(void);
void registry_destroy(struct registry *); /* plugins stay mapped: code may still be on a stack */

/* Loads every *.so of these folders, in order; the first of a name wins, later ones are noted as shadowed. */
void registry_search(struct registry *, patchbay_strs dirs);
const patchbay_plugin *registry_find(struct registry *, const char *name, struct err *err);

struct registry_entry {
	const char *path;
	const patchbay_plugin *plugin; /* the host's own copy, grown to our size; NULL: refused */
	const char *refused;           /* one sentence that names file, reason, versions; NULL: loaded */
};
size_t registry_count(const struct registry *);
const struct registry_entry *registry_at(const struct registry *, size_t i);
/* Adds a warning for each file that was refused, unless a fault that is there names the reason already. */
void registry_warn(const struct registry *, const char *config_path, struct config_faults *);

/* For config_load(). */
struct config_plugins registry_for_config(struct registry *);

/* ---- Instances. Every call below is one call of the SDK's, with its thread rules. */

struct instance; /* one source or sink of routes.yaml */

/* NULL: err says why. Borrows the options and the names of the secrets (NULL: none). */
struct instance *instance_create(const patchbay_plugin *, bool sink, const char *name, const void *options,
				 const struct config_secrets *, struct err *err);
void instance_destroy(struct instance *);
void *instance_self(const struct instance *);
/* Is it to be left alone, since its plugin crashed too often (guard/guard.h)? Then it must not be called. ret_why (may be
 * NULL) has GUARD_WHY_SIZE bytes. */
bool instance_is_parked(const struct instance *, char *ret_why);
bool instance_is_left_out(const struct instance *); /* for that reason it was not even made; another one may be */
const patchbay_host *instance_host(const struct instance *);

/* The host that instances see. For a host of somebody's own: explain and alloc need only a call, the others an
 * instance. */
extern const patchbay_host instance_host_table;

#endif
