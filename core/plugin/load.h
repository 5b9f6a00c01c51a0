/* load.h - one file, from its path to a checked copy of its plugin's table. */
#ifndef PLUGIN_LOAD_H
#define PLUGIN_LOAD_H

#include "guard/guard.h"
#include "plugin/image.h"
#include "plugin/table.h"

/* NULL: err has a sentence that begins with the path. What was mapped stays mapped for ever, since its code may be on
 * some thread's stack; so does its table. The same content is mapped once, wherever it is found and how often: the same
 * table then, so that two tables are of the same build exactly if they are the same. *ret_id is set whenever the file
 * is there. [any thread] */
const struct table *load_plugin(const char *path, struct file_id *ret_id, struct err *err);

/* Plugins that were loaded now outlive this process, should it crash (guard/guard.h): load_kept(true) makes the next
 * one take them, by their paths, instead of what is there meanwhile. [one thread] */
void load_keep(void);
void load_kept(bool);

/* From now on the files themselves are mapped, by their names, so that debuggers and sanitizers find their symbols. For
 * processes that do not outlive the file. [one thread] */
void load_in_place(void);

/* How many builds are mapped. [any thread] */
size_t load_count(void);

/* Whose code or data is at this address? False: no plugin's. The path is the file's when it was loaded; the offset is
 * what `addr2line -e PATH` takes. Async-signal-safe. */
bool load_find_address(uintptr_t pc, struct guard_code *ret);

#endif
