/* unplayed_counter.c - numbers its events, and plays nothing of its provider.
 * Caught by: parse.pure, parse.threads. */
#define PARSE broken_parse
#define EXTENSION broken_extension
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	static unsigned long counter;
	const struct sound *s = self;
	patchbay_event event = { .size = sizeof(event), .type = PATCHBAY_S("thing"), .data = r->body };

	if (!s->json->parse(call, r->body))
		return PATCHBAY_EMALFORMED;
	event.key = patchbay_fmt(s->host, call, "%lu", __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED));
	return emitter->emit(emitter->ctx, &event);
}

static const void *EXTENSION(const char *id)
{
	(void)id;
	return NULL;
}

SOURCE_PLUGIN("unplayed-counter");
