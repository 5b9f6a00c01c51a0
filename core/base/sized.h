/* sized.h - structs that cross between the host and a plugin begin with their size, since either side may have a longer
 * one. Here they are read and written as far as both have them. */
#ifndef BASE_SIZED_H
#define BASE_SIZED_H

#include <stdbool.h>
#include <stddef.h>

/* Where a member ends: with the last one that version 1.0 has, what `at_least` is to be. */
#define SIZED_END(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

/* Is `theirs` that long? Not if it says that it is longer than any such struct will ever be: nobody set its size then.
 */
bool sized_has(const void *theirs, size_t at_least);
/* Fills in all of `ours`: what they have of it, zero behind that, and our size. */
void sized_read(void *ours, size_t ours_size, const void *theirs);
/* Fills in all of `theirs`, which keeps its size: what we have of it, zero behind that. */
void sized_write(void *theirs, const void *ours, size_t ours_size);

#endif
