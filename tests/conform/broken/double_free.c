/* double_free.c - instances share a buffer that each of them frees.
 * Caught by: life.cycles.
 * It may fail as well: life.create, life.neighbours, life.bare_host, source.other_secret, source.no_secret,
 * parse.pure. */
#define CREATE broken_create
#define DESTROY broken_destroy
#include "source.h"

static char *shared;

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	if (!shared)
		shared = calloc(1, 64);
	return sound_create(host, call, options, self);
}

static void DESTROY(void *self)
{
	if (self && shared)
		shared[0]++;
	if (self) {
		free(shared);
		sound_destroy(self);
	}
}

SOURCE_PLUGIN("double-free");
