/* jq.c - libjq: compiling with everything switched off that is not the event, and evaluating. */
#include "expr/jq.h"

#include "base/mem.h"
#include "base/str.h"
#include "expr/envelope.h"
#include "expr/known.h"
#include "expr/off.h"

#include <jq.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* libjq's state of a program serves one evaluation at a time, while the lanes of a sink share the program. */
struct jq_program {
	char *text;
	pthread_mutex_t lock; /* guards what follows */
	jq_state **idle;      /* compiled, and in nobody's hands; made as needed */
	size_t n_idle, room;
};

/* ---- Compiling */

/* What off.h cannot see is switched off here: `{} as $ENV | ` must stand right before the program. On
 * one line, so that libjq's line numbers are the program's. */
static const char prelude[] =
	"def _off(name): error(\"`\" + name + \"` is switched off: an expression sees the event and nothing else\"); "
	"def env: _off(\"env\"); def input: _off(\"input\"); def inputs: _off(\"inputs\"); def debug: _off(\"debug\"); "
	"def stderr: _off(\"stderr\"); def input_filename: _off(\"input_filename\"); "
	"def input_line_number: _off(\"input_line_number\"); def get_search_list: _off(\"get_search_list\"); "
	"def get_prog_origin: _off(\"get_prog_origin\"); def get_jq_origin: _off(\"get_jq_origin\"); "
	"def modulemeta: _off(\"modulemeta\"); def halt: _off(\"halt\"); def halt_error: _off(\"halt_error\"); "
	"def halt_error(f): _off(\"halt_error\"); {} as $ENV | ";

/* "jq: error: syntax error, unexpected $end (Unix shell quoting issues?) at <top-level>, line 1:\n..." */
static void tidy_message(const char *message, struct err *err)
{
	static const char *const noise[] = {
		"jq: error: ",      "error: ", " (Unix shell quoting issues?)", " at <top-level>, line 1:",
		" at <top-level>,", NULL
	};
	size_t n = strcspn(message, "\n");
	char *line = xstrndup(message, n);
	for (size_t i = 0; noise[i]; i++) {
		char *at = strstr(line, noise[i]);
		if (at)
			memmove(at, at + strlen(noise[i]), strlen(at + strlen(noise[i])) + 1);
	}
	n = strlen(line);
	if (n && line[n - 1] == ':')
		line[n - 1] = 0;
	char *end = strstr(line, "$end");
	if (end)
		err_set(err, "%.*sthe end of the expression%s", (int)(end - line), line, end + 4);
	else
		err_set(err, "%s", line);
	free(line);
}

static void on_compile_error(void *ctx, jv message)
{
	struct err *err = ctx;
	if (err->text[0] == 0 && jv_get_kind(message) == JV_KIND_STRING)
		tidy_message(jv_string_value(message), err);
	jv_free(message);
}

/* What programs raise is asked for with jq_next(); nothing is left to be printed. */
static void ignore_message(void *ctx, jv message)
{
	(void)ctx;
	jv_free(message);
}

/* libjq adds ~/.jq to every program, and has no switch for it: what an expression means would depend on
 * who starts us. The process has no other use for a home. */
static void hide_home(void)
{
	setenv("HOME", "/dev/null", 1);
}

static jq_state *compile(const char *text, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, hide_home);
	jq_state *jq = jq_init();
	if (!jq) {
		err_set(err, "libjq could not start: out of memory");
		return NULL;
	}
	struct err found = { "" };
	char *whole = xasprintf("%s%s", prelude, text);
	jq_set_error_cb(jq, on_compile_error, &found);
	if (!jq_compile(jq, whole)) {
		err_set(err, "%s", found.text[0] ? found.text : "libjq refused it without saying why");
		jq_teardown(&jq);
	} else {
		jq_set_error_cb(jq, ignore_message, NULL);
	}
	free(whole);
	return jq;
}

static void put_back(struct jq_program *program, jq_state *jq)
{
	pthread_mutex_lock(&program->lock);
	if (program->n_idle == program->room) {
		program->room = program->room ? 2 * program->room : 1;
		program->idle = xrealloc(program->idle, program->room * sizeof(jq_state *));
	}
	program->idle[program->n_idle++] = jq;
	pthread_mutex_unlock(&program->lock);
}

static jq_state *take(struct jq_program *program, struct err *err)
{
	pthread_mutex_lock(&program->lock);
	jq_state *jq = program->n_idle ? program->idle[--program->n_idle] : NULL;
	pthread_mutex_unlock(&program->lock);
	return jq ? jq : compile(program->text, err);
}

struct jq_program *jq_program_create(patchbay_str text, struct err *err)
{
	struct jq_program *program = NULL;
	if (off_check(text, err) != 0)
		return NULL;
	char *copy = xstrndup(text.p, text.n);
	bool known = known_has(text);
	jq_state *jq = known ? NULL : compile(copy, err);
	if (known || jq) {
		known_add(text);
		program = xcalloc(1, sizeof(*program));
		program->text = copy;
		pthread_mutex_init(&program->lock, NULL);
		if (jq)
			put_back(program, jq);
		copy = NULL;
	}
	free(copy);
	return program;
}

void jq_program_destroy(struct jq_program *program)
{
	if (!program)
		return;
	for (size_t i = 0; i < program->n_idle; i++)
		jq_teardown(&program->idle[i]);
	free(program->idle);
	pthread_mutex_destroy(&program->lock);
	free(program->text);
	free(program);
}

/* ---- Checking many: libjq needs 15 ms for one program, and little more for a hundred of them. */

#define PACK_MAX 100

static int check_one(patchbay_str text, struct err *err)
{
	char *copy = xstrndup(text.p, text.n);
	jq_state *jq = compile(copy, err);
	free(copy);
	if (!jq)
		return -1;
	jq_teardown(&jq);
	known_add(text);
	return 0;
}

/* off_check() made sure that no text closes a bracket that it did not open, so that each is a term. */
static bool pack_compiles(const patchbay_str *const *texts, size_t n)
{
	struct buf pack = { 0 };
	struct err err;
	for (size_t i = 0; i < n; i++) {
		buf_add_str(&pack, i ? STR(",(") : STR("("));
		buf_add_str(&pack, *texts[i]);
		buf_add_str(&pack, STR("\n)"));
	}
	jq_state *jq = compile(buf_cstr(&pack), &err);
	buf_free(&pack);
	if (!jq)
		return false;
	jq_teardown(&jq);
	return true;
}

int jq_check(const patchbay_str *texts, size_t n, struct err *errs)
{
	const patchbay_str *pack[PACK_MAX];
	int r = 0;
	for (size_t i = 0; i < n;) {
		size_t packed = 0;
		for (; i < n && packed < PACK_MAX; i++) {
			errs[i].text[0] = 0;
			if (off_check(texts[i], &errs[i]) != 0)
				r = -1;
			else if (!known_has(texts[i]))
				pack[packed++] = &texts[i];
		}
		if (packed > 1 && pack_compiles(pack, packed)) {
			for (size_t k = 0; k < packed; k++)
				known_add(*pack[k]);
			continue;
		}
		for (size_t k = 0; k < packed; k++)
			if (check_one(*pack[k], &errs[pack[k] - texts]) != 0)
				r = -1;
	}
	return r;
}

/* ---- Evaluating */

/* The event as libjq's value, made once per event and call. Refcounts are not atomic: a program must
 * not keep a reference when it was evaluated. */
struct cache {
	patchbay_delivery of;
	jv envelope;
};

static void cache_free(void *p)
{
	struct cache *cache = p;
	jv_free(cache->envelope);
	free(cache);
}

static bool same_event(const patchbay_delivery *a, const patchbay_delivery *b)
{
	return a->id.p == b->id.p && a->data.p == b->data.p && a->data.n == b->data.n && a->attempt == b->attempt &&
	       a->time_ns == b->time_ns && a->received_ns == b->received_ns && a->test == b->test &&
	       a->dedupe == b->dedupe && a->time_source == b->time_source && a->source.p == b->source.p &&
	       a->type.p == b->type.p && a->kind.p == b->kind.p && a->subject.p == b->subject.p &&
	       a->plugin.p == b->plugin.p && a->details.p == b->details.p && a->details_error.p == b->details_error.p;
}

static bool envelope(patchbay_call *call, const patchbay_delivery *d, jv *ret)
{
	struct cache *cache = call->cache;
	if (cache && same_event(&cache->of, d)) {
		*ret = jv_copy(cache->envelope);
		return true;
	}
	struct buf json = { 0 };
	envelope_json(call, d, &json);
	jv value = json.n < INT_MAX ? jv_parse_sized(json.p, (int)json.n) : jv_invalid();
	buf_free(&json);
	if (!jv_is_valid(value)) {
		jv_free(value);
		call_explain(call, "libjq cannot read this event");
		return false;
	}
	if (!cache) {
		cache = xcalloc(1, sizeof(*cache));
		call->cache = cache;
		call->cache_free = cache_free;
	} else {
		jv_free(cache->envelope);
	}
	cache->of = *d;
	cache->envelope = value;
	*ret = jv_copy(value);
	return true;
}

static void explain(patchbay_call *call, jv message)
{
	if (jv_get_kind(message) != JV_KIND_STRING)
		message = jv_dump_string(message, 0);
	call_explain(call, "%s", jv_string_value(message));
	jv_free(message);
}

static int32_t type_of(jv value)
{
	switch (jv_get_kind(value)) {
	case JV_KIND_FALSE:
		return PATCHBAY_JSON_FALSE;
	case JV_KIND_TRUE:
		return PATCHBAY_JSON_TRUE;
	case JV_KIND_NUMBER:
		return PATCHBAY_JSON_NUMBER;
	case JV_KIND_STRING:
		return PATCHBAY_JSON_STRING;
	case JV_KIND_ARRAY:
		return PATCHBAY_JSON_ARRAY;
	case JV_KIND_OBJECT:
		return PATCHBAY_JSON_OBJECT;
	default:
		return PATCHBAY_JSON_NULL;
	}
}

/* Takes over the value. */
static bool show(patchbay_call *call, jv value, patchbay_value *out)
{
	out->type = type_of(value);
	out->text = STR("");
	if (out->type != PATCHBAY_JSON_NULL) {
		jv text = out->type == PATCHBAY_JSON_STRING ? jv_copy(value) : jv_dump_string(jv_copy(value), 0);
		patchbay_str s = { jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text)) };
		out->text = arena_copy(&call->arena, s);
		jv_free(text);
	}
	jv_free(value);
	if (!out->text.p)
		call_explain(call, "the value is larger than this call's memory");
	return out->text.p != NULL;
}

bool jq_program_eval(patchbay_call *call, struct jq_program *program, const patchbay_delivery *d, patchbay_value *out)
{
	struct err err;
	jv input;
	if (!envelope(call, d, &input))
		return false;
	jq_state *jq = take(program, &err);
	if (!jq) {
		jv_free(input);
		call_explain(call, "%s", err.text);
		return false;
	}
	jq_start(jq, input, 0);
	jv value = jq_next(jq);
	bool ok = true;
	if (jv_is_valid(value)) {
		ok = show(call, value, out);
	} else if (jv_invalid_has_msg(jv_copy(value))) {
		explain(call, jv_invalid_get_msg(value));
		ok = false;
	} else {
		jv_free(value);
		out->type = 0;
		out->text = STR("");
	}
	jq_start(jq, jv_null(), 0); /* lets go of the event */
	put_back(program, jq);
	return ok;
}
