/* io.h - whole writes. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>

/* Goes on after interruptions and partial writes. -1: errno says why; some of it may have been written. [any thread] */
int io_write_all(int fd, const void *p, size_t n) __attribute__((warn_unused_result));

#endif
