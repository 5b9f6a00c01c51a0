/* ability.c - see ability.h. */
#include "plugin/ability.h"

#include <string.h>

bool ability_get(const void *(*extension)(const char *id), const char *id, size_t at_least, void *ret, size_t ret_size)
{
	const void *theirs = extension ? extension(id) : NULL;
	uint32_t size = 0;
	memset(ret, 0, ret_size);
	if (theirs)
		memcpy(&size, theirs, sizeof size);
	if (!theirs || size < at_least)
		return false;
	memcpy(ret, theirs, size < ret_size ? size : ret_size);
	memcpy(ret, &(uint32_t){ (uint32_t)ret_size }, sizeof size);
	return true;
}
