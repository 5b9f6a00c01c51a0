/* table.h - from a plugin's own table, of whatever minor version, to one of ours: checked, and grown or
 * cut to the size of the structs that this host knows. */
#ifndef PLUGIN_TABLE_H
#define PLUGIN_TABLE_H

#include "base/err.h"

#include <patchbay/plugin.h>

#define TABLE_NAME_MAX 32

struct table {
	patchbay_plugin plugin; /* its source and sink point to those below, or nowhere */
	patchbay_source source;
	patchbay_provider provider;
	patchbay_sink sink;
	patchbay_option *source_options, *sink_options;
};

bool table_name_ok(const char *); /* can this name a plugin? */

/* `available`: bytes that may be read at theirs. NULL: err says what is wrong, without naming the file.
 * The copy refers to strings and functions of the plugin; arrays of structs are copied, one behind the
 * other. source->provider is never NULL, nor are version, license and summary. */
struct table *table_create(const patchbay_plugin *theirs, size_t available, struct err *err);
void table_destroy(struct table *); /* NULL is fine */

#endif
