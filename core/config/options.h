/* options.h - one mapping of routes.yaml, checked against a table of options and written into a struct. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "config/loader.h"

/* An entry of one of the host's own tables. */
#define OPTION_OF(kind, struct_, field, name_, ...)                                                                    \
	{                                                                                                              \
		.size = sizeof(patchbay_option), .type = (kind), .offset = offsetof(struct_, field), .name = (name_),  \
		__VA_ARGS__                                                                                            \
	}
/* One whose key is known, but which the caller reads: options_fill() and options_free() pass it over. Its type is what
 * comes nearest, for people and editors to read; cli/schema.c knows better of those that are like no plugin's. */
#define OPTION_BY_HAND(kind, name_, ...)                                                                               \
	{                                                                                                              \
		.size = sizeof(patchbay_option), .type = (kind), .offset = OPTION_NO_FIELD, .name = (name_),           \
		__VA_ARGS__                                                                                            \
	}
#define OPTION_NO_FIELD UINT32_MAX

struct option_table {
	const patchbay_option *v; /* the plugin layer has checked it, and made it of our size */
	size_t n;
	const patchbay_option *common; /* of the same mapping, and read by the caller: what every source or sink has */
	size_t n_common;
	const char *const *others; /* NULL-terminated: more keys that the caller reads */
	const char *who;           /* "sink 'audit'", for messages */
	int line, column;          /* the place of what is missing */
};

/* Fills in what the mapping says and the defaults of what it does not say; without a default, `out` keeps
 * what it had. map NULL or null: everything is missing. -1: a fault was reported. */
int options_fill(struct loader *, const struct option_table *, const struct node *map, void *out);

/* The value of one option. -1: a fault was reported; what was allocated until then is freed by options_free. */
int option_read(struct loader *, const patchbay_option *, const struct node *, void *field);

/* Frees what the fields point to, and wipes secrets. */
void options_free(const patchbay_option *, size_t n, void *out);
void option_free(const patchbay_option *, void *field);

#endif
