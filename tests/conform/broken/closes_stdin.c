/* closes_stdin.c - closes a descriptor that it never opened.
 * Caught by: process.state. */
#define DESTROY broken_destroy
#define DELIVER deliver_to_file
#include "sink.h"

struct more {
	struct sound sound;
	int fd;
};

static void DESTROY(void *self)
{
	static const struct more never = { .fd = 0 };

	if (self)
		close(never.fd);
	sound_destroy(self);
}

FILE_SINK("closes-stdin");
