/* ability.c - see ability.h. */
#include "plugin/ability.h"

#include <string.h>

bool ability_get(const void *(*extension)(const char *id), const char *id, size_t at_least, void *ret, size_t ret_size)
{
	const void *theirs = extension ? extension(id) : NULL;
	memset(ret, 0, ret_size);
	if (!theirs || !sized_has(theirs, at_least))
		return false;
	sized_read(ret, ret_size, theirs);
	return true;
}
