/* elf.h - what a shared object says of itself, read from the file. */
#ifndef CONFORM_ELF_H
#define CONFORM_ELF_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct elf {
	char *file; /* mapped */
	size_t size;
	char **exported, **imported; /* names, which point into the file */
	size_t n_exported, n_imported;
	bool no_sections;
};

int elf_read(const char *path, struct elf *, struct err *);
void elf_free(struct elf *);
bool elf_imports(const struct elf *, const char *name);

/* In the loaded object that `address` is part of, calls of the function `name` go to `instead` from now on. False: it
 * does not call it. */
bool elf_redirect(const void *address, const char *name, void *instead);

#endif
