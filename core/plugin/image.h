/* image.h - a plugin's file as it was at one moment: a sealed copy in memory. What is mapped from it cannot be harmed
 * by whoever overwrites or truncates the file, and a file that was replaced is a new one to the dynamic linker. */
#ifndef PLUGIN_IMAGE_H
#define PLUGIN_IMAGE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct file_id { /* the same file may be found by several ways */
	dev_t dev;
	ino_t ino;
};

struct image {
	struct file_id file;
	int fd;      /* of the copy */
	bool copied; /* false: this system lets no code be mapped from memory; fd is the file itself */
	uint64_t size;
	uint64_t hash[2]; /* of the content */
};

/* -1: err says why, without naming the file: it is not to be read, others may write to it, or it is being written to.
 * ret->file is set whenever the file is there. */
int image_take(const char *path, struct image *ret, struct err *err);
/* The same of a copy that an earlier process made. Takes over the descriptor. */
int image_take_copy(int fd, struct image *ret, struct err *err);
void image_drop(struct image *);

#endif
