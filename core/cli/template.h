/* template.h - the files that `patchbay plugin new` makes a plugin of. They are those of sdk/template/, put into the
 * program when it is built. */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include <patchbay/plugin.h>

struct template_file {
	const char *side; /* "source", "sink", or "both" */
	const char *path; /* in the new folder: "NAME.c", "dot_gitignore" */
	patchbay_str text;
};

extern const struct template_file template_files[];
extern const size_t template_n_files;

#endif
