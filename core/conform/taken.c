/* taken.c - every field of an event is read where it is emitted, so that one that leads nowhere crashes there. */
#include "conform/taken.h"

#include "base/call.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 10000
#define NAME_MAX_BYTES 255
#define STACK_BYTES 16384
#define TIME_MIN_NS (INT64_C(631152000) * 1000000000)  /* the year 1990 */
#define TIME_MAX_NS (INT64_C(7258118400) * 1000000000) /* the year 2200 */
#define FLAGS (PATCHBAY_EVENT_TEST | PATCHBAY_EVENT_ENRICH | PATCHBAY_EVENT_TYPE_GUESSED)

void taken_init(struct taken *taken, const patchbay_request *request)
{
	*taken = (struct taken){ .request = request };
}

void taken_fini(struct taken *taken)
{
	arena_fini(&taken->memory);
	free(taken->v);
	*taken = (struct taken){ .request = NULL };
}

static bool is_utf8(patchbay_str s)
{
	for (size_t i = 0, n; i < s.n; i += n)
		if ((n = utf8_sequence((const unsigned char *)s.p + i, s.n - i)) == 0)
			return false;
	return true;
}

static bool is_json(patchbay_str text)
{
	patchbay_call call;

	call_init(&call, 0);
	bool is = json_parse(&call, text) != NULL;
	call_fini(&call);
	return is;
}

static bool is_part(patchbay_str whole, patchbay_str part)
{
	return whole.n >= part.n && memmem(whole.p, whole.n, part.p, part.n);
}

static bool has_controls(patchbay_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

static const char *unfit_names(const patchbay_event *e)
{
	if (e->type.n == 0 || e->type.n > NAME_MAX_BYTES)
		return "its type is empty, or longer than 255 bytes";
	return e->kind.n > NAME_MAX_BYTES ? "its kind is longer than 255 bytes" : NULL;
}

/* NULL: it is well formed. */
static const char *wrong_with(const patchbay_event *e, patchbay_str body, bool plausible)
{
	if (!is_utf8(e->type) || !is_utf8(e->kind) || !is_utf8(e->subject))
		return "its type, kind or subject is not UTF-8";
	if (plausible && (has_controls(e->type) || has_controls(e->kind)))
		return "its type or kind has a control character in it (a line feed, a NUL), so no route can name it";
	if (e->dedupe > PATCHBAY_DEDUPE_NONE)
		return "its `dedupe` is none of PATCHBAY_DEDUPE_*";
	if (e->flags & ~(uint32_t)FLAGS)
		return "it has flags that are none of PATCHBAY_EVENT_*";
	if (e->reserved)
		return "its `reserved` is not zero; begin with an event that is zero all over";
	if (plausible && e->time_ns && (e->time_ns < TIME_MIN_NS || e->time_ns > TIME_MAX_NS))
		return "its time is before 1990 or after 2200; time_ns counts nanoseconds since 1970, 0 is unknown";
	if (e->data.n == 0)
		return "it has no data; data is the provider's JSON";
	if (!(e->flags & PATCHBAY_EVENT_TEST) && !is_json(e->data))
		return "its data is not JSON; what the provider sent and is not understood is EMALFORMED";
	if (!is_part(body, e->data) && is_json(body))
		return "its data is no part of the body; it must be the provider's JSON, byte for byte";
	return NULL;
}

__attribute__((noinline)) void taken_scribble(void)
{
	char stack[STACK_BYTES];

	memset(stack, 0xa5, sizeof(stack));
	__asm__ volatile("" : : "r"(stack) : "memory"); /* it must not be left out */
}

static patchbay_str keep(struct taken *taken, patchbay_str s)
{
	return arena_copy(&taken->memory, s);
}

static patchbay_status emit(void *ctx, const patchbay_event *given)
{
	struct taken *taken = ctx;
	patchbay_event event = { 0 };

	taken_scribble();
	if (taken->yields)
		sched_yield();
	if ((taken->refuse_from && taken->n + 1 >= taken->refuse_from) || taken->n >= EVENTS_MAX) {
		taken->refused = true;
		return PATCHBAY_ENOMEM;
	}
	if (given->size < sizeof(event)) {
		snprintf(taken->fault, sizeof(taken->fault),
			 "event %zu says that it is %u bytes long; set .size = sizeof(patchbay_event)", taken->n + 1,
			 given->size);
		taken->refused = true;
		return PATCHBAY_ENOMEM;
	}
	memcpy(&event, given, sizeof(event));
	const char *unfit = unfit_names(&event); /* as the host does: it is refused */
	if (unfit) {
		snprintf(taken->fault, sizeof(taken->fault), "event %zu: %s", taken->n + 1, unfit);
		taken->refused = true;
		return PATCHBAY_ENOMEM;
	}
	taken->v = xrealloc(taken->v, (taken->n + 1) * sizeof(*taken->v));
	struct taken_event *kept = &taken->v[taken->n++];
	*kept = (struct taken_event){ .dedupe = event.dedupe,
				      .flags = event.flags,
				      .type = keep(taken, event.type),
				      .kind = keep(taken, event.kind),
				      .subject = keep(taken, event.subject),
				      .key = keep(taken, event.key),
				      .token = keep(taken, event.token),
				      .data = keep(taken, event.data),
				      .time_ns = event.time_ns };
	const char *wrong = taken->fault[0] ? NULL : wrong_with(&event, taken->request->body, taken->plausible);
	if (wrong)
		snprintf(taken->fault, sizeof(taken->fault), "event %zu (type '%.*s'): %s", taken->n,
			 (int)(event.type.n < 60 ? event.type.n : 60), event.type.n ? event.type.p : "", wrong);
	return PATCHBAY_OK;
}

patchbay_emitter taken_emitter(struct taken *taken)
{
	return (patchbay_emitter){ taken, emit };
}

static bool differ(const char *field, size_t i, patchbay_str a, patchbay_str b, char *why, size_t size)
{
	if (str_eq(a, b))
		return false;
	snprintf(why, size, "the %s of event %zu is '%.*s' once and '%.*s' then", field, i + 1,
		 (int)(a.n < 80 ? a.n : 80), a.n ? a.p : "", (int)(b.n < 80 ? b.n : 80), b.n ? b.p : "");
	return true;
}

bool taken_same(const struct taken *a, const struct taken *b, char *why, size_t size)
{
	if (a->n != b->n) {
		snprintf(why, size, "%zu events come once and %zu then", a->n, b->n);
		return false;
	}
	for (size_t i = 0; i < a->n; i++) {
		const struct taken_event *x = &a->v[i], *y = &b->v[i];
		if (differ("key", i, x->key, y->key, why, size) || differ("type", i, x->type, y->type, why, size) ||
		    differ("kind", i, x->kind, y->kind, why, size) ||
		    differ("subject", i, x->subject, y->subject, why, size) ||
		    differ("token", i, x->token, y->token, why, size) || differ("data", i, x->data, y->data, why, size))
			return false;
		if (x->dedupe != y->dedupe || x->flags != y->flags || x->time_ns != y->time_ns) {
			snprintf(why, size,
				 "dedupe, flags or time of event %zu are %u, %u, %lld once and %u, %u, %lld then",
				 i + 1, x->dedupe, x->flags, (long long)x->time_ns, y->dedupe, y->flags,
				 (long long)y->time_ns);
			return false;
		}
	}
	return true;
}
