/* conform.h - does a plugin's binary keep the contract of <patchbay/plugin.h>? Each test runs in a process of its own,
 * so that whatever the plugin does to it is found, and harms nothing else. README.md says how it is made. */
#ifndef CONFORM_CONFORM_H
#define CONFORM_CONFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conform_order {
	const char *path;       /* the plugin's file */
	const char *only;       /* glob of the tests' names; NULL: all */
	const char *const *set; /* "option=value", "source.option=value", "sink.option=value"; the value in YAML */
	size_t n_set;
	uint64_t seed; /* of everything random */
	bool json;
	bool in_process; /* without forking, for a debugger */
};

/* Prints a report to stdout. 0: all passed; 1: something failed, or could not be tried for want of an option; 2: the
 * order is wrong, which is said on stderr. */
int conform_check(const struct conform_order *);

/* Prints the tests, and what each proves. */
void conform_list(bool json);

#endif
