/* call.c - the memory, the deadline and the sentence of one call into a plugin. */
#include "base/call.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

#define SENTENCE_MAX 1024

void call_init(struct patchbay_call *call, size_t memory_limit)
{
	*call = (struct patchbay_call){ .arena.limit = memory_limit, .why = STR("") };
}

static void forget(struct patchbay_call *call)
{
	if (call->cache_free)
		call->cache_free(call->cache);
	call->cache = NULL;
	call->cache_free = NULL;
	call->json = NULL;
	call->why = STR("");
}

void call_begin(struct patchbay_call *call, int64_t timeout_ms)
{
	forget(call);
	arena_reset(&call->arena);
	call->deadline_ns = 0;
	if (timeout_ms > 0 && (__builtin_mul_overflow(timeout_ms, NS_PER_MS, &call->deadline_ns) ||
			       __builtin_add_overflow(call->deadline_ns, clock_steady_ns(), &call->deadline_ns)))
		call->deadline_ns = 0;
}

void call_fini(struct patchbay_call *call)
{
	forget(call);
	arena_fini(&call->arena);
}

void call_explain(struct patchbay_call *call, const char *fmt, ...)
{
	char text[SENTENCE_MAX];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if ((size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	call->why = arena_copy(&call->arena, (patchbay_str){ text, (size_t)n });
	if (!call->why.p)
		call->why = STR("this call used up the memory that one call may have, its explanation included");
}
