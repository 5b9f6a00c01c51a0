/* leaks_instance.c - destroy() forgets to free the instance.
 * Caught by: life.cycles. */
#define DESTROY broken_destroy
#include "source.h"

static void DESTROY(void *self)
{
	struct sound *s = self;

	if (s)
		patchbay_keys_fini(&s->keys);
}

SOURCE_PLUGIN("leaks-instance");
