/* load.h - one file, from its path to a checked copy of its plugin's table. */
#ifndef PLUGIN_LOAD_H
#define PLUGIN_LOAD_H

#include "plugin/table.h"

#include <sys/types.h>

struct file_id { /* the same file may be found by several ways */
	dev_t dev;
	ino_t ino;
};

/* NULL: err has a sentence that begins with the path. What was mapped stays mapped for ever, since its
 * code may be on some thread's stack. *ret_id is set whenever the file is there. */
struct table *load_plugin(const char *path, struct file_id *ret_id, struct err *err);

#endif
