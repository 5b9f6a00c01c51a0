/* instance.c - a source or sink of routes.yaml, made from a plugin, and the host that it sees. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "guard/guard.h"
#include "plugin/host.h"
#include "plugin/services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL_MEMORY ((size_t)1 << 20) /* of one check or create */
#define CONTROL_MS 10000
#define CONTROL_LIMIT_MS (2 * CONTROL_MS)
#define NO_DEADLINE_MS INT64_C(86400000) /* a day: safe to calculate with */
#define LOG_BYTES_MAX 2048
#define LOG_LINES_MAX 20 /* of one instance in 10 s; not those for debugging */

struct instance {
	patchbay_host host; /* the first member: what a plugin hands back is the instance */
	const patchbay_plugin *plugin;
	bool sink;
	char *name;
	const struct config_secrets *secrets; /* or NULL */
	char *left_out;                       /* why it was not even made; NULL: it was */
	void *self;
	struct log_about about;
	struct log_limit said;
};

static enum guard_side side_of(const struct instance *instance)
{
	return instance->sink ? GUARD_SINK : GUARD_SOURCE;
}

static struct guard_note note_of(const struct instance *instance, enum guard_call call)
{
	return (struct guard_note){ .call = call,
				    .side = side_of(instance),
				    .plugin = instance->plugin->name,
				    .instance = instance->name,
				    .limit_ms = CONTROL_LIMIT_MS };
}

static const void *host_service(const patchbay_host *host, const char *id)
{
	(void)host;
	return id ? service_find(id) : NULL;
}

static void host_log(const patchbay_host *host, int32_t level, patchbay_str message)
{
	struct instance *instance = (struct instance *)(uintptr_t)host; /* which is const for the plugin only */
	struct log_about about = instance->about;
	enum log_level known = LOG_LEVEL_INFO;
	struct id event;
	char text[LOG_BYTES_MAX];

	if (level <= PATCHBAY_LOG_ERROR)
		known = LOG_LEVEL_ERROR;
	else if (level == PATCHBAY_LOG_WARNING)
		known = LOG_LEVEL_WARNING;
	else if (level >= PATCHBAY_LOG_DEBUG)
		known = LOG_LEVEL_DEBUG;
	if (!log_wants(known, &about))
		return;
	if (message.n > LOG_BYTES_MAX)
		message.n = LOG_BYTES_MAX;
	for (size_t i = 0; i < message.n; i++) /* 0 would end it; this is shown as no character either */
		text[i] = message.p[i] ? message.p[i] : '\xff';
	if (guard_event_at_hand(&event))
		about.event = &event;
	/* Who gets those for debugging has asked for all of them. */
	log_about_limited(known == LOG_LEVEL_DEBUG ? NULL : &instance->said, known, &about, "%s %s (%s): %.*s",
			  instance->sink ? "sink" : "source", instance->name, instance->plugin->name, (int)message.n,
			  text);
}

static void host_explain(patchbay_call *call, patchbay_str sentence)
{
	if (sentence.n > LOG_BYTES_MAX)
		sentence.n = LOG_BYTES_MAX;
	sentence.n = sentence.n ? strnlen(sentence.p, sentence.n) : 0; /* people read it as a C string */
	patchbay_str copy = arena_copy(&call->arena, sentence);
	if (copy.p)
		call->why = copy;
	else
		call_explain(call, "this call used up its memory, its explanation included");
}

static void *host_alloc(patchbay_call *call, size_t n)
{
	return arena_alloc(&call->arena, n);
}

static int64_t host_now_ns(const patchbay_host *host)
{
	(void)host;
	return clock_wall_ns();
}

static int64_t host_left_ms(const patchbay_call *call)
{
	if (!call->deadline_ns)
		return NO_DEADLINE_MS;
	int64_t left_ns = call->deadline_ns - clock_steady_ns();
	return left_ns > 0 ? (left_ns + NS_PER_MS - 1) / NS_PER_MS : 0;
}

static patchbay_str host_secret_name(const patchbay_host *host, const char *option, size_t index)
{
	const struct config_secrets *secrets = ((const struct instance *)host)->secrets;

	for (size_t i = 0; secrets && i < secrets->n; i++)
		if (secrets->v[i].index == index && strcmp(secrets->v[i].option, option) == 0)
			return str_c(secrets->v[i].name);
	return STR("");
}

const patchbay_host instance_host_table = {
	.size = sizeof(patchbay_host),
	.abi_minor = PATCHBAY_ABI_MINOR,
	.service = host_service,
	.log = host_log,
	.explain = host_explain,
	.alloc = host_alloc,
	.now_ns = host_now_ns,
	.left_ms = host_left_ms,
	.secret_name = host_secret_name,
};

static const char *status_text(patchbay_status status)
{
	switch (status) {
	case PATCHBAY_ECONFIG:
		return "its options are wrong";
	case PATCHBAY_ENOMEM:
		return "it ran out of memory";
	case PATCHBAY_ELIMIT:
		return "something that it needs is missing or busy";
	default:
		return NULL;
	}
}

/* What a control call ended with: the plugin's own sentence, or else what its status means. */
static int refused(const patchbay_call *call, patchbay_status status, struct err *err)
{
	if (call->why.n)
		return err_set(err, "%.*s", STR_ARG(call->why));
	if (status_text(status))
		return err_set(err, "%s (the plugin does not say more)", status_text(status));
	return err_set(err, "the plugin answered with status %d and no explanation", (int)status);
}

struct instance *instance_create(const patchbay_plugin *plugin, bool sink, const char *name, const void *options,
				 const struct config_secrets *secrets, struct err *err)
{
	struct instance *instance = xcalloc(1, sizeof(*instance));
	struct patchbay_call call;
	struct err why;

	char *own = xstrdup(name);
	*instance = (struct instance){
		.host = instance_host_table,
		.plugin = plugin,
		.sink = sink,
		.name = own,
		.secrets = secrets,
		.about = { .source = sink ? NULL : own, .sink = sink ? own : NULL, .plugin = plugin->name },
		.said = { .most = LOG_LINES_MAX },
	};
	instance->host.instance = str_c(instance->name);
	char parked[GUARD_WHY_SIZE];
	if (guard_left_out(side_of(instance), name, parked) || guard_left_out(GUARD_PLUGIN, plugin->name, parked)) {
		instance->left_out = xstrdup(parked);
		log_about(LOG_LEVEL_ERROR, &instance->about, "%s %s: %s", sink ? "sink" : "source", name, parked);
		return instance;
	}
	call_init(&call, CONTROL_MEMORY);
	call_begin(&call, CONTROL_MS);
	const struct guard_note note = note_of(instance, GUARD_CREATE);
	guard_enter(&note);
	patchbay_status status = sink ? plugin->sink->create(&instance->host, &call, options, &instance->self)
				      : plugin->source->create(&instance->host, &call, options, &instance->self);
	guard_leave();
	if (status != PATCHBAY_OK) {
		refused(&call, status, &why);
		err_set(err, "%s '%s' (plugin %s) cannot start: %s", sink ? "sink" : "source", name, plugin->name,
			why.text);
		instance_destroy(instance);
		instance = NULL;
	}
	call_fini(&call);
	return instance;
}

void instance_destroy(struct instance *instance)
{
	if (!instance)
		return;
	if (instance->self) {
		const struct guard_note note = note_of(instance, GUARD_DESTROY);
		guard_enter(&note);
		if (instance->sink)
			instance->plugin->sink->destroy(instance->self);
		else
			instance->plugin->source->destroy(instance->self);
		guard_leave();
	}
	free(instance->left_out);
	free(instance->name);
	free(instance);
}

void *instance_self(const struct instance *instance)
{
	return instance->self;
}

bool instance_is_parked(const struct instance *instance, char *ret_why)
{
	if (!instance->left_out)
		return guard_parked(side_of(instance), instance->name, ret_why) ||
		       guard_parked(GUARD_PLUGIN, instance->plugin->name, ret_why);
	if (ret_why)
		snprintf(ret_why, GUARD_WHY_SIZE, "%s", instance->left_out);
	return true;
}

bool instance_is_left_out(const struct instance *instance)
{
	return instance->left_out != NULL;
}

const patchbay_host *instance_host(const struct instance *instance)
{
	return &instance->host;
}

/* ---- What config_load() asks */

static void config_search(void *ctx, patchbay_strs dirs)
{
	registry_search(ctx, dirs);
}

static const patchbay_plugin *config_find(void *ctx, const char *name, struct err *err)
{
	return registry_find(ctx, name, err);
}

static int config_check(void *ctx, const patchbay_plugin *plugin, bool sink, const void *options, struct err *err)
{
	patchbay_status (*check)(const patchbay_host *, patchbay_call *, const void *) =
		sink ? plugin->sink->check : plugin->source->check;
	char name[] = "to be checked";
	struct instance instance = { .host = instance_host_table,
				     .plugin = plugin,
				     .sink = sink,
				     .name = name,
				     .about = { .plugin = plugin->name } };
	struct patchbay_call call;
	int r = 0;
	(void)ctx;

	err->text[0] = '\0';
	if (!check)
		return 0;
	call_init(&call, CONTROL_MEMORY);
	call_begin(&call, CONTROL_MS);
	const struct guard_note note = note_of(&instance, GUARD_CHECK);
	guard_enter(&note);
	patchbay_status status = check(&instance.host, &call, options);
	guard_leave();
	if (status != PATCHBAY_OK)
		r = refused(&call, status, err);
	else if (call.why.n)
		err_set(err, "%.*s", STR_ARG(call.why));
	call_fini(&call);
	return r;
}

struct config_plugins registry_for_config(struct registry *registry)
{
	return (struct config_plugins){ registry, config_search, config_find, config_check };
}
