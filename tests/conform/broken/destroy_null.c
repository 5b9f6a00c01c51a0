/* destroy_null.c - destroy() takes NULL for an instance.
 * Caught by: life.destroy_null. */
#define DESTROY broken_destroy
#include "source.h"

static void DESTROY(void *self)
{
	struct sound *s = self;

	patchbay_keys_fini(&s->keys);
	free(s);
}

SOURCE_PLUGIN("destroy-null");
