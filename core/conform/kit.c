/* kit.c - verdicts, and what is noted around every call into the plugin. */
#include "conform/kit.h"

#include "base/clock.h"
#include "base/mem.h"
#include "conform/guest.h"
#include "plugin/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOKS 400 /* a look at the process takes a while, and what calls change is found early */
#define SECRET_MIN 8
#define PATIENCE_S 3

noreturn static void end(struct kit *kit, enum verdict verdict, const char *fmt, va_list ap)
{
	struct shared *shared = kit->shared;

	vsnprintf(shared->sentence, sizeof(shared->sentence), fmt, ap);
	shared->verdict = verdict;
	longjmp(kit->end, 1);
}

noreturn void kit_fail(struct kit *kit, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	end(kit, VERDICT_FAIL, fmt, ap);
}

noreturn void kit_skip(struct kit *kit, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	end(kit, VERDICT_SKIP, fmt, ap);
}

void kit_info(struct kit *kit, const char *fmt, ...)
{
	size_t n = strlen(kit->shared->info);
	va_list ap;
	if (n > 0 && n + 3 < sizeof(kit->shared->info))
		n += (size_t)snprintf(kit->shared->info + n, sizeof(kit->shared->info) - n, "; ");
	va_start(ap, fmt);
	vsnprintf(kit->shared->info + n, sizeof(kit->shared->info) - n, fmt, ap);
	va_end(ap);
}

/* ---- Around calls */

void kit_what(struct kit *kit, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(kit->what, sizeof(kit->what), fmt, ap);
	va_end(ap);
	for (char *p = kit->what; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
}

void kit_enter(struct kit *kit, const char *function)
{
	if (kit->muted)
		return;
	if (kit->looks < LOOKS)
		process_look(&kit->before);
	snprintf(kit->shared->calling, sizeof(kit->shared->calling), "%s%s%s", function, kit->what[0] ? ", " : "",
		 kit->what);
}

static void look_at_output(struct kit *kit, const char *function)
{
	struct stat st;

	if (kit->shared->printed[0] || kit->order->in_process)
		return;
	fflush(stdout);
	if (fstat(STDOUT_FILENO, &st) == 0 && st.st_size > 0)
		snprintf(kit->shared->printed, sizeof(kit->shared->printed), "%s", function);
}

void kit_leave(struct kit *kit, const char *function)
{
	if (kit->muted)
		return;
	look_at_output(kit, function);
	if (!kit->shared->state[0] && kit->looks++ < LOOKS) {
		struct buf text = { 0 };
		const char *change = process_change(&kit->before, &text);
		if (change)
			snprintf(kit->shared->state, sizeof(kit->shared->state), "%s changed %s", function, change);
		buf_free(&text);
	}
	kit->shared->calling[0] = '\0';
}

static bool holds(patchbay_str text, patchbay_str secret)
{
	return secret.n >= SECRET_MIN && text.n >= secret.n && memmem(text.p, text.n, secret.p, secret.n);
}

void kit_look_for_secrets(struct kit *kit, enum side side, const char *function, patchbay_str text)
{
	uint32_t n, size;
	const patchbay_option *table = kit_table_of(kit->plugin, side, &n, &size);
	const struct config *config = kit->config[side][0];

	if (!config || text.n < SECRET_MIN || kit->shared->secret[0])
		return;
	const char *options = side == SIDE_SOURCE ? config->sources[0].options : config->sinks[0].options;
	for (uint32_t i = 0; i < n; i++) {
		if (!(table[i].flags & PATCHBAY_F_SECRET))
			continue;
		patchbay_strs list = { NULL, 0 };
		patchbay_str one;
		memcpy(&one, options + table[i].offset, sizeof(one));
		if (table[i].type == PATCHBAY_T_STRS)
			memcpy(&list, options + table[i].offset, sizeof(list));
		else
			list = (patchbay_strs){ &one, 1 };
		for (size_t k = 0; k < list.n; k++)
			if (holds(text, list.v[k]))
				snprintf(kit->shared->secret, sizeof(kit->shared->secret),
					 "%s says the value of '%s', where people read it%s%s", function, table[i].name,
					 kit->what[0] ? ": " : "", kit->what);
	}
}

void kit_forbid(struct kit *kit, unsigned what)
{
	if (kit->order->in_process)
		kit_skip(kit, "system calls are watched in a process of its own only; leave --in-process out");
	if (!process_forbid(what, EXIT_FORBIDDEN, kit->shared->sentence, sizeof(kit->shared->sentence)))
		kit_skip(kit, "system calls cannot be watched here (no seccomp)");
}

/* ---- Small things */

int64_t kit_now_ns(const struct kit *kit)
{
	return kit->clock_ns + clock_steady_ns() - kit->began_ns;
}

bool kit_hurries(const struct kit *kit)
{
	return clock_steady_ns() - kit->began_ns > PATIENCE_S * NS_PER_S * (KIT_SANITIZED ? 6 : 1);
}

uint64_t kit_random(struct kit *kit) /* xorshift64* */
{
	kit->random ^= kit->random >> 12;
	kit->random ^= kit->random << 25;
	kit->random ^= kit->random >> 27;
	return kit->random * UINT64_C(0x2545f4914f6cdd1d);
}

uint64_t kit_below(struct kit *kit, uint64_t n)
{
	return kit_random(kit) % n;
}

patchbay_str kit_copy(struct kit *kit, patchbay_str s)
{
	return arena_copy(&kit->memory, s);
}

void *kit_alloc(struct kit *kit, size_t n)
{
	return arena_alloc(&kit->memory, n);
}

patchbay_str kit_format(struct kit *kit, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	patchbay_str copy = kit_copy(kit, (patchbay_str){ text, (size_t)n });
	free(text);
	return copy;
}

patchbay_str kit_show(struct kit *kit, patchbay_str s)
{
	size_t n = s.n < 200 ? s.n : 200;
	char *copy = kit_alloc(kit, n + 4);

	for (size_t i = 0; i < n; i++)
		copy[i] = (unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] >= 0x7f ? '?' : s.p[i];
	if (n < s.n)
		memcpy(copy + n, "...", 3);
	return (patchbay_str){ copy, n < s.n ? n + 3 : n };
}

const char *kit_side_name(enum side side)
{
	return side == SIDE_SOURCE ? "source" : "sink";
}

const patchbay_option *kit_table_of(const patchbay_plugin *plugin, enum side side, uint32_t *ret_n, uint32_t *ret_size)
{
	*ret_n = *ret_size = 0;
	if (side == SIDE_SOURCE ? !plugin->source : !plugin->sink)
		return NULL;
	*ret_n = side == SIDE_SOURCE ? plugin->source->n_options : plugin->sink->n_options;
	*ret_size = side == SIDE_SOURCE ? plugin->source->options_size : plugin->sink->options_size;
	return side == SIDE_SOURCE ? plugin->source->options : plugin->sink->options;
}

const char *kit_status_name(patchbay_status status)
{
	static const char *const positive[] = { "OK", "REPLY", "RETRY", "AGAIN", "DOWN", "UNTOUCHED" };
	static const char *const negative[] = { "",        "EDENIED", "EMALFORMED", "EBADEVENT",   "EBADSINK",
						"ECONFIG", "ENOMEM",  "ELIMIT",     "EUNSUPPORTED" };

	if (status >= 0 && status <= PATCHBAY_UNTOUCHED)
		return positive[status];
	if (status < 0 && status >= PATCHBAY_EUNSUPPORTED)
		return negative[-status];
	return "a status that does not exist";
}

/* ---- The plugin */

void kit_load(struct kit *kit)
{
	struct file_id id;
	struct err err;

	if (kit->table)
		return;
	kit_enter(kit, "loading");
	load_in_place();
	kit->table = load_plugin(kit->order->path, &id, &err);
	kit_leave(kit, "loading");
	if (!kit->table)
		kit_fail(kit, "%s", err.text);
	kit->plugin = &kit->table->plugin;
}

static void search_nowhere(void *ctx, patchbay_strs dirs)
{
	(void)ctx, (void)dirs;
}

static const patchbay_plugin *find_only(void *ctx, const char *name, struct err *err)
{
	struct kit *kit = ctx;
	(void)name, (void)err;
	return kit->plugin;
}

static int check_options(void *ctx, const patchbay_plugin *plugin, bool sink, const void *options, struct err *err)
{
	struct kit *kit = ctx;
	patchbay_str said;
	(void)plugin;

	patchbay_status status = guest_check(kit, sink ? SIDE_SINK : SIDE_SOURCE, options, &said);
	err->text[0] = '\0';
	if (status != PATCHBAY_OK)
		return err_set(err, "%.*s", STR_ARG(said.n ? said : STR("its check() refuses, and does not say why")));
	return 0;
}

struct config_plugins kit_plugins(struct kit *kit)
{
	return (struct config_plugins){ kit, search_nowhere, find_only, check_options };
}

const void *kit_options(struct kit *kit, enum side side, int variant, const struct config_secrets **ret_secrets)
{
	struct config **config = &kit->config[side][variant];

	if (!*config) {
		const struct config_plugins plugins = kit_plugins(kit);
		struct config_faults faults = { 0 };
		char *path = xasprintf("%s/%s-%d.yaml", kit->folder, kit_side_name(side), variant);
		*config = config_load(path, &plugins, &faults);
		free(path);
		for (size_t i = 0; !*config && i < faults.n; i++)
			if (!faults.v[i].warning)
				kit_fail(kit, "the options that it took at first it refuses now: %s",
					 faults.v[i].message);
		config_faults_free(&faults);
		if (!*config)
			kit_fail(kit, "its options cannot be read once more");
	}
	*ret_secrets = side == SIDE_SOURCE ? &(*config)->sources[0].secrets : &(*config)->sinks[0].secrets;
	return side == SIDE_SOURCE ? (*config)->sources[0].options : (*config)->sinks[0].options;
}
