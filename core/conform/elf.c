/* elf.c - symbols of a shared object. elf_check() has found its headers to be inside the file; all else is
 * not believed. */
#include "conform/elf.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A part of the file; NULL: it is not all there. */
static void *part(const struct elf *elf, uint64_t offset, uint64_t n)
{
	return offset <= elf->size && n <= elf->size - offset ? elf->file + offset : NULL;
}

static char *name_at(const struct elf *elf, const ElfW(Shdr) * strings, uint32_t at)
{
	char *text = part(elf, strings->sh_offset, strings->sh_size);

	return text && at < strings->sh_size && memchr(text + at, 0, strings->sh_size - at) ? text + at : NULL;
}

static void add(char ***names, size_t *n, char *name)
{
	*names = xrealloc(*names, (*n + 1) * sizeof(**names));
	(*names)[(*n)++] = name;
}

static void read_symbols(struct elf *elf, const ElfW(Shdr) * symbols, const ElfW(Shdr) * strings)
{
	const char *table = part(elf, symbols->sh_offset, symbols->sh_size);

	for (size_t i = 1; table && i < symbols->sh_size / sizeof(ElfW(Sym)); i++) {
		ElfW(Sym) s;
		memcpy(&s, table + i * sizeof(s), sizeof(s));
		unsigned bind = ELF64_ST_BIND(s.st_info), visibility = ELF64_ST_VISIBILITY(s.st_other);
		char *name = name_at(elf, strings, s.st_name);
		if (!name || !*name || bind == STB_LOCAL)
			continue;
		if (s.st_shndx == SHN_UNDEF)
			add(&elf->imported, &elf->n_imported, name);
		else if (visibility == STV_DEFAULT || visibility == STV_PROTECTED)
			add(&elf->exported, &elf->n_exported, name);
	}
}

static void read_sections(struct elf *elf, const ElfW(Ehdr) * header)
{
	const char *table = part(elf, header->e_shoff, (uint64_t)header->e_shnum * sizeof(ElfW(Shdr)));

	elf->no_sections = true;
	for (size_t i = 0; table && header->e_shentsize == sizeof(ElfW(Shdr)) && i < header->e_shnum; i++) {
		ElfW(Shdr) symbols, strings;
		memcpy(&symbols, table + i * sizeof(symbols), sizeof(symbols));
		if (symbols.sh_type != SHT_DYNSYM || symbols.sh_link >= header->e_shnum)
			continue;
		memcpy(&strings, table + symbols.sh_link * sizeof(strings), sizeof(strings));
		read_symbols(elf, &symbols, &strings);
		elf->no_sections = false;
	}
}

int elf_read(const char *path, struct elf *elf, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ElfW(Ehdr) header;

	*elf = (struct elf){ 0 };
	if (fd < 0 || fstat(fd, &st) != 0 || (size_t)st.st_size < sizeof(header)) {
		err_set(err, "%s cannot be read: %s", path, fd < 0 ? strerror(errno) : "it is too short");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	elf->size = (size_t)st.st_size;
	elf->file = mmap(NULL, elf->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (elf->file == MAP_FAILED)
		return err_set(err, "%s cannot be read: %s", path, strerror(errno));
	memcpy(&header, elf->file, sizeof(header));
	read_sections(elf, &header);
	return 0;
}

void elf_free(struct elf *elf)
{
	free(elf->exported);
	free(elf->imported);
	munmap(elf->file, elf->size);
}

bool elf_imports(const struct elf *elf, const char *name)
{
	for (size_t i = 0; i < elf->n_imported; i++)
		if (strcmp(elf->imported[i], name) == 0)
			return true;
	return false;
}

/* ---- In memory */

struct tables {
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Rela) * calls, *others;
	size_t calls_size, others_size;
};

static bool redirect_in(const struct tables *t, uintptr_t base, const ElfW(Rela) * v, size_t size, const char *name,
			void *instead)
{
	long page = sysconf(_SC_PAGESIZE);
	bool found = false;

	for (size_t i = 0; v && i < size / sizeof(*v); i++) {
		const ElfW(Sym) *symbol = &t->symbols[ELF64_R_SYM(v[i].r_info)];
		uintptr_t slot = base + v[i].r_offset, start = slot & ~((uintptr_t)page - 1);
		if (ELF64_R_SYM(v[i].r_info) == 0 || strcmp(t->strings + symbol->st_name, name) != 0)
			continue;
		if (mprotect((void *)start, (size_t)page * 2, PROT_READ | PROT_WRITE) != 0 &&
		    mprotect((void *)start, (size_t)page, PROT_READ | PROT_WRITE) != 0)
			continue;
		memcpy((void *)slot, &instead, sizeof(instead));
		found = true;
	}
	return found;
}

bool elf_redirect(const void *address, const char *name, void *instead)
{
	struct tables t = { 0 };
	struct link_map *map = NULL;
	Dl_info info;

	if (!dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
		return false;
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		switch (d->d_tag) {
		case DT_SYMTAB:
			t.symbols = (const void *)d->d_un.d_ptr;
			break;
		case DT_STRTAB:
			t.strings = (const void *)d->d_un.d_ptr;
			break;
		case DT_JMPREL:
			t.calls = (const void *)d->d_un.d_ptr;
			break;
		case DT_PLTRELSZ:
			t.calls_size = d->d_un.d_val;
			break;
		case DT_RELA:
			t.others = (const void *)d->d_un.d_ptr;
			break;
		case DT_RELASZ:
			t.others_size = d->d_un.d_val;
			break;
		default:
			break;
		}
	}
	if (!t.symbols || !t.strings)
		return false;
	bool found = redirect_in(&t, map->l_addr, t.calls, t.calls_size, name, instead);
	return redirect_in(&t, map->l_addr, t.others, t.others_size, name, instead) || found;
}
