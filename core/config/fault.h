/* fault.h - collects what is wrong with a configuration file, each with its place. */
#ifndef CONFIG_FAULT_H
#define CONFIG_FAULT_H

#include "config/config.h"

struct faults {
	const char *path; /* as given by the user; stands before every message */
	struct config_faults *list;
	size_t errors; /* how many of them are not warnings */
};

/* Line and column from 1; line 0: the file as a whole. Control characters become '?'. */
void fault_error(struct faults *, int line, int column, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void fault_warning(struct faults *, int line, int column, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Into the order of the file; what was found first stays first where places are equal. */
void faults_sort(struct config_faults *);

/* How much of a text from the file a message shows: for "%.*s". */
int fault_shown(patchbay_str);
#define SHOWN(s) fault_shown(s), (s).p

/* "; did you mean 'x'?" when one of the candidates is near, `otherwise` (or "") if not. The caller frees. */
char *fault_hint(patchbay_str, const char *const *candidates, size_t n, const char *otherwise);

#endif
