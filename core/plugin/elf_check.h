/* elf_check.h - is this file something that dlopen() can take? Asked first, because dlopen()'s own
 * sentences are hard to understand, and because mapping a truncated file ends in SIGBUS. */
#ifndef PLUGIN_ELF_CHECK_H
#define PLUGIN_ELF_CHECK_H

#include "base/err.h"

/* A complete ELF shared object for this machine? The sentence does not name the file. */
int elf_check(int fd, struct err *err);

#endif
