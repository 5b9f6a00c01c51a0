/* kit.h - what every test has: its verdict, its randomness, the plugin, and what the process looked like before. */
#ifndef CONFORM_KIT_H
#define CONFORM_KIT_H

#include "base/call.h"
#include "base/str.h"
#include "conform/conform.h"
#include "conform/process.h"
#include "config/config.h"
#include "plugin/table.h"

#include <setjmp.h>
#include <stdnoreturn.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KIT_SANITIZED 1
#else
#define KIT_SANITIZED 0
#endif

enum verdict { VERDICT_NONE, VERDICT_PASS, VERDICT_FAIL, VERDICT_SKIP };
enum side { SIDE_SOURCE, SIDE_SINK };

#define SENTENCE_SIZE 1536
#define EXIT_FORBIDDEN 3 /* of a process that made a forbidden system call; its name is in the sentence */

/* What a test's process tells its parent, however it ends: in memory that both have. */
struct shared {
	enum verdict verdict; /* NONE: it has not come to its end */
	char sentence[SENTENCE_SIZE];
	char info[512];    /* figures, of a test that passed too */
	char calling[320]; /* what is being called just now: "verify(), the body cut to 12 bytes"; "" nothing */
	char state[512];   /* what a call changed of the process; "" nothing */
	char printed[320]; /* the call that printed something */
	char secret[512];  /* where a secret was seen */
	/* Found out by the first tests, for the others. */
	bool loads, has[2], needs_set[2], ready[2];
};

struct kit {
	const struct conform_order *order;
	const char *folder; /* for whatever the test writes; gone afterwards */
	struct shared *shared;
	jmp_buf end;
	uint64_t random;
	const struct table *table; /* NULL: not loaded */
	const patchbay_plugin *plugin;
	struct config *config[2][2]; /* by side and variant, once loaded */
	struct arena memory;         /* the test's own, until its end */
	char what[200];              /* under which circumstances calls are made: "the body cut to 12 bytes" */
	struct process_state before; /* the call at hand */
	bool muted;                  /* calls are not announced: what is measured must not be disturbed */
	unsigned looks;              /* how often the process was looked at */
	bool judges_events;          /* an event that is not well formed fails the test */
	bool judges_reply; /* so do bytes written outside of *reply or results, and reasons that are no text */
	int64_t clock_ns;  /* the host's clock: this, and what has passed since the test began */
	int64_t began_ns;  /* steady clock */
	int64_t left_ms;   /* of every call; -1: as it is */
	bool no_services;  /* the host offers nothing */
};

/* ---- How a test ends: by returning, passed; or by one of these. Not for other threads. */

noreturn void kit_fail(struct kit *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
noreturn void kit_skip(struct kit *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kit_info(struct kit *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- Around every call into the plugin: what is called, under which circumstances. */

void kit_what(struct kit *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kit_enter(struct kit *, const char *function);
void kit_leave(struct kit *, const char *function); /* notes what the call did to the process */
/* Notes it where a secret of the instance stands in a text that people will read. */
void kit_look_for_secrets(struct kit *, enum side, const char *function, patchbay_str text);

/* From now on such system calls of this thread end the test. Skips where that cannot be had. */
void kit_forbid(struct kit *, unsigned what);

/* Has it taken so long already that not all need be tried? The plugin is slow then, which budget.time says. */
bool kit_hurries(const struct kit *);

int64_t kit_now_ns(const struct kit *); /* the host's clock */

uint64_t kit_random(struct kit *);
uint64_t kit_below(struct kit *, uint64_t n); /* 0..n-1 */

patchbay_str kit_copy(struct kit *, patchbay_str);
void *kit_alloc(struct kit *, size_t n);
patchbay_str kit_format(struct kit *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Printable, and not too long, for a sentence. */
patchbay_str kit_show(struct kit *, patchbay_str);

/* ---- The plugin. Fails, or skips what depends on it. */

void kit_load(struct kit *);
/* The options of an instance, made by guess.h and read by the configuration's loader. variant 1: other secrets. */
const void *kit_options(struct kit *, enum side, int variant, const struct config_secrets **ret_secrets);
struct config_plugins kit_plugins(struct kit *);

const patchbay_option *kit_table_of(const patchbay_plugin *, enum side, uint32_t *ret_n, uint32_t *ret_size);
const char *kit_side_name(enum side);
const char *kit_status_name(patchbay_status);

/* ---- The table of tests */

enum needs {
	NEEDS_FILE,   /* nothing but the file */
	NEEDS_PLUGIN, /* it is loaded */
	NEEDS_SOURCE, /* it has that side, and an instance can be made */
	NEEDS_SINK,
	NEEDS_ANY, /* an instance of either side can be made */
	GATHERED,  /* judged from what the others' processes told */
};

struct conform_test {
	const char *name;
	const char *proves;
	enum needs needs;
	void (*run)(struct kit *);
	int limit_s; /* 0 = as usual */
};

extern const struct conform_test conform_tests[];
extern const size_t conform_n_tests;

#endif
