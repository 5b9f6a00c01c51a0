/* config.h - routes.yaml, checked and typed. config_load() reports every fault of the file in one go,
 * each as `routes.yaml:LINE:COL: what is wrong; what to do`. A struct config never changes after it
 * was loaded; strings and structs are its own, and live until config_free(). */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include <patchbay/plugin.h>

#include <sys/socket.h>

struct certificate;

struct config_address { /* 127.0.0.1:8080, [::]:8080, unix:/run/x.sock */
	char *text;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	bool tls;                        /* `listen` only: {address: …, tls: {certificate: …, key: …}} */
	struct certificate *certificate; /* NULL: no TLS, or loaded for looking or testing */
	int line, column;
};

#define CONFIG_NAME_SIZE 64u /* of a source or sink, with its NUL */

struct config_secret { /* how a person calls a secret: never its value */
	const char *option;
	size_t index; /* of a list */
	char *name;   /* "env FLEET_SECRET", "file /etc/patchbay/old.key", "credential x", "written in routes.yaml" */
	bool made_up; /* config_load_for_testing() */
};
struct config_secrets {
	struct config_secret *v;
	size_t n;
};

#define CONFIG_SILENCE_OFF INT64_C(0)
#define CONFIG_SILENCE_AUTO INT64_C(-1) /* by the source's own rhythm */

struct config_source {
	char *name;
	const patchbay_plugin *plugin; /* has a source side */
	void *options;                 /* plugin->source->options_size bytes, filled in */
	struct config_secrets secrets; /* their names; also of path_secret */
	patchbay_strs path_secret;     /* common option: posts must come to /in/NAME/SECRET; none = /in/NAME */
	int64_t silence_ms;            /* common option: an alarm after so long without anything genuine */
	int line, column;
};

struct config_retry {
	int64_t *delays_ms; /* retry: [1m, 1h, 6h]; NULL: exponential */
	size_t n_delays;
	int64_t initial_ms, max_ms, give_up_ms; /* retry: {initial: 1s, factor: 2, max: 1h, give_up: 72h} */
	double factor;
};

#define CONFIG_TIMEOUT_MS 30000 /* of a sink, where neither the file nor its plugin says */

struct config_sink {
	char *name;
	const patchbay_plugin *plugin; /* has a sink side */
	void *options;
	struct config_retry retry; /* common options of every sink */
	int64_t timeout_ms;
	int64_t batch_events, batch_bytes, batch_linger_ms;
	int64_t rate_count, rate_ms; /* rate: 50/s (/min, /h): so many calls of act in this time; 0 = no limit */
	int64_t concurrency;         /* instances that act at once; at most the plugin's concurrency_max */
	bool order_subject;          /* order: none|subject */
	struct config_secrets secrets;
	int line, column;
};

#define CONFIG_OWN_SOURCE "patchbay" /* whose events Patchbay makes itself; no source can be called so */

struct config_route {
	size_t *sources; /* indices; n_sources 0 = all ('*'), unless it is `own` */
	size_t n_sources;
	bool own;            /* Patchbay's own events, which no '*' means */
	patchbay_strs types; /* globs on type or kind; none = all */
	patchbay_str when;   /* jq program; "" = always. Known to compile */
	bool test;           /* also events of test calls */
	size_t *sinks;
	size_t n_sinks;
	int line, column;
};

struct config {
	char *path;
	struct config_address *listen;
	size_t n_listen;
	struct config_address *admin;   /* NULL: none */
	char *journal;                  /* folder */
	patchbay_strs plugin_dirs;      /* $PATCHBAY_PLUGIN_PATH first, then `plugins:`, or the built-in folder */
	patchbay_cidrs trusted_proxies; /* whose X-Forwarded-For is believed */
	struct {
		int64_t body_bytes;              /* limits: {body: 4M */
		int64_t connections;             /*          connections: 1024 */
		int64_t connections_per_address; /*       connections_per_address: 0 = no limit */
		int64_t request_ms;              /*          request: 10s: headers and body must be here by then } */
	} limits;
	struct {
		int64_t age_ms;           /* retention: {age: 30d: finished events are kept this long */
		int64_t size_bytes;       /*             size: 10G: beyond it finished ones go, then new ones refused */
		int64_t quarantine_bytes; /*             quarantine: 64M: oldest go first } */
	} retention;
	struct {
		int64_t grace_ms; /* alarms: {grace: 1m}: shorter trouble is no alarm */
	} alarms;
	struct log_settings log;
	struct config_source *sources;
	size_t n_sources;
	struct config_sink *sinks;
	size_t n_sinks;
	struct config_route *routes;
	size_t n_routes;
	int journal_line, journal_column; /* where `journal` stands, for what is found out about it later */
	int limits_line, limits_column;   /* and `limits`; 0: nowhere */
};

/* Where plugins come from: the plugin layer implements it, config only asks. */
struct config_plugins {
	void *ctx;
	/* Looks into these folders; what could not be loaded is remembered for find()'s sentence. */
	void (*search)(void *ctx, patchbay_strs dirs);
	/* NULL: err says why (unknown, with a did-you-mean; refused, with the file and the reason). */
	const patchbay_plugin *(*find)(void *ctx, const char *name, struct err *err);
	/* The plugin's own check() of its options. Non-zero: err says why. Zero with err->text set: a warning. */
	int (*check)(void *ctx, const patchbay_plugin *, bool sink, const void *options, struct err *err);
};

struct config_fault {
	int line, column; /* from 1; 0 = the file as a whole */
	bool warning;
	char *text;          /* "routes.yaml:12:5: unknown sink 'audti'; did you mean 'audit'?" */
	const char *message; /* the end of text: without the place, and without "warning: " */
};
struct config_faults { /* in the order of the file */
	struct config_fault *v;
	size_t n;
};

/* NULL when there is at least one fault that is not a warning. Faults in any case; free them. */
struct config *config_load(const char *path, const struct config_plugins *, struct config_faults *);
/* The same of a copy of the file, which is at text_path: all else is as if it was where it belongs. */
struct config *config_load_copy(const char *path, const char *text_path, const struct config_plugins *,
				struct config_faults *);
/* The same for somebody who only looks, with neither the daemon's environment nor its rights: no secret is read
 * (each is empty), no program of a plugin's option is compiled (each is NULL), and no plugin is asked for its opinion.
 * Nothing can be run with it. */
struct config *config_load_for_looking(const char *path, const struct config_plugins *, struct config_faults *);
/* For trying out what it does with events, in a place that may not have its secrets: one that cannot be read is made
 * up, and what a plugin then objects to is only a warning. */
struct config *config_load_for_testing(const char *path, const struct config_plugins *, struct config_faults *);
void config_free(struct config *); /* wipes secrets; NULL is fine */
void config_faults_free(struct config_faults *);

/* NULL: there is none of this name. */
const struct config_source *config_find_source(const struct config *, const char *name);
/* Does any route take Patchbay's own events? */
bool config_routes_own(const struct config *);

/* Of two configurations: do both give the plugin the same, secrets and common options included? Then what runs with the
 * one need not be replaced for the other. */
bool config_source_same(const struct config_source *, const struct config_source *);
bool config_sink_same(const struct config_sink *, const struct config_sink *);

/* Only the folder of the journal, whatever else is wrong with the file. The caller frees. NULL: err. */
char *config_journal_folder(const char *path, struct err *err);

/* Only how to log, whatever else is wrong with the file, or with that. Free it. */
void config_log(const char *path, struct log_settings *ret);
void config_log_free(struct log_settings *);

/* Only where plugins are: $PATCHBAY_PLUGIN_PATH, then `plugins:` of the file, or the built-in folder.
 * path NULL: no file. -1: the file is not to be read; *ret is then as without it. Free in any case. */
int config_plugin_dirs(const char *path, patchbay_strs *ret, struct err *err);
void config_plugin_dirs_free(patchbay_strs *);

/* The host's options in the manner of a plugin's table: the keys at the top of the file, of every source, of every
 * sink, and of a route. A key that is not there is refused; `patchbay plugins` and `patchbay schema` are made from
 * them. */
extern const patchbay_option config_file_options[], config_source_options[], config_sink_options[];
extern const patchbay_option config_route_options[];
extern const size_t config_n_file_options, config_n_source_options, config_n_sink_options, config_n_route_options;
/* The first so many of the sources' are as old as the plugin interface. Where a plugin has an option with the name of a
 * later one, that is what the key means. */
extern const size_t config_n_source_options_1_0;

#endif
