/* elf_image.h - a shared object as it would lie in memory, for the checks before it is mapped. Only for elf_*.c. */
#ifndef PLUGIN_ELF_IMAGE_H
#define PLUGIN_ELF_IMAGE_H

#include "base/err.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

struct elf_image {
	const unsigned char *bytes; /* of the file, up to the end of its last segment */
	uint64_t n;
	const ElfW(Phdr) * parts;
	unsigned n_parts;
};

/* What the file has for these addresses, all in one segment, or NULL: it has nothing there, or that is not aligned. */
const void *elf_at(const struct elf_image *, uint64_t address, uint64_t n, size_t align);
/* Are these addresses all in one segment that has at least these rights (PF_R, PF_W, PF_X)? */
bool elf_has(const struct elf_image *, uint64_t address, uint64_t n, uint32_t rights);

/* Always -1. `what`: "its symbol table". */
int elf_damaged(struct err *, const char *what);

/* ---- The dynamic section: where everything else is */

/* By names of our own, since the file's numbers are far apart. */
enum elf_tag {
	ELF_STRTAB,
	ELF_STRSZ,
	ELF_SYMTAB,
	ELF_SYMENT,
	ELF_HASH,
	ELF_GNU_HASH,
	ELF_RELA,
	ELF_RELASZ,
	ELF_RELAENT,
	ELF_RELACOUNT,
	ELF_RELR,
	ELF_RELRSZ,
	ELF_RELRENT,
	ELF_JMPREL,
	ELF_PLTRELSZ,
	ELF_PLTREL,
	ELF_PLTGOT,
	ELF_INIT,
	ELF_FINI,
	ELF_INIT_ARRAY,
	ELF_INIT_ARRAYSZ,
	ELF_FINI_ARRAY,
	ELF_FINI_ARRAYSZ,
	ELF_VERSYM,
	ELF_VERNEED,
	ELF_VERNEEDNUM,
	ELF_VERDEF,
	ELF_VERDEFNUM,
	ELF_TEXTREL,
	ELF_FLAGS,
	ELF_FLAGS_1,
	ELF_N_TAGS
};

struct elf_dynamic {
	const struct elf_image *image;
	const ElfW(Dyn) * entries; /* up to DT_NULL */
	size_t n;
	uint64_t at; /* their address */
	bool there[ELF_N_TAGS];
	uint64_t value[ELF_N_TAGS];
	const char *strings; /* NUL at the end of all */
	const ElfW(Sym) * symbols;
	uint64_t n_symbols;
};

/* Each is asked after those above it. 0, or -1: err says what is wrong. */
int elf_dynamic_read(const struct elf_image *, struct elf_dynamic *ret, struct err *);
int elf_symbols_check(struct elf_dynamic *, struct err *); /* finds them, too */
int elf_versions_check(const struct elf_dynamic *, struct err *);
int elf_relocations_check(const struct elf_dynamic *, struct err *);

#endif
