/* sized.c - see sized.h. */
#include "base/sized.h"

#include <stdint.h>
#include <string.h>

#define SIZED_MAX 4096u

static uint32_t size_of(const void *p)
{
	uint32_t size;
	memcpy(&size, p, sizeof(size));
	return size;
}

bool sized_has(const void *theirs, size_t at_least)
{
	uint32_t size = size_of(theirs);
	return size >= at_least && size <= SIZED_MAX;
}

void sized_read(void *ours, size_t ours_size, const void *theirs)
{
	uint32_t size = size_of(theirs), our_size = (uint32_t)ours_size;
	memset(ours, 0, ours_size);
	memcpy(ours, theirs, size < ours_size ? size : ours_size);
	memcpy(ours, &our_size, sizeof(our_size));
}

void sized_write(void *theirs, const void *ours, size_t ours_size)
{
	uint32_t size = size_of(theirs);
	memcpy(theirs, ours, size < ours_size ? size : ours_size);
	if (size > ours_size)
		memset((char *)theirs + ours_size, 0, size - ours_size);
	memcpy(theirs, &size, sizeof(size));
}
