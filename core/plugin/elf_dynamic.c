/* elf_dynamic.c - the dynamic section of a shared object: which tables it names, and whether they are there. */
#include "plugin/elf_image.h"

#include <elf.h>
#include <string.h>

int elf_damaged(struct err *err, const char *what)
{
	return err_set(err, "it is damaged (%s): build or copy it again", what);
}

const void *elf_at(const struct elf_image *image, uint64_t address, uint64_t n, size_t align)
{
	for (unsigned i = 0; i < image->n_parts; i++) {
		const ElfW(Phdr) *part = &image->parts[i];
		if (part->p_type != PT_LOAD || address < part->p_vaddr)
			continue;
		uint64_t at = address - part->p_vaddr;
		if (at <= part->p_filesz && n <= part->p_filesz - at && address % align == 0)
			return image->bytes + part->p_offset + at;
	}
	return NULL;
}

bool elf_has(const struct elf_image *image, uint64_t address, uint64_t n, uint32_t rights)
{
	for (unsigned i = 0; i < image->n_parts; i++) {
		const ElfW(Phdr) *part = &image->parts[i];
		if (part->p_type != PT_LOAD || address < part->p_vaddr || (part->p_flags & rights) != rights)
			continue;
		uint64_t at = address - part->p_vaddr;
		if (at <= part->p_memsz && n <= part->p_memsz - at)
			return true;
	}
	return false;
}

static const struct {
	int64_t tag;
	enum elf_tag ours;
} tags[] = {
	{ DT_STRTAB, ELF_STRTAB },
	{ DT_STRSZ, ELF_STRSZ },
	{ DT_SYMTAB, ELF_SYMTAB },
	{ DT_SYMENT, ELF_SYMENT },
	{ DT_HASH, ELF_HASH },
	{ DT_GNU_HASH, ELF_GNU_HASH },
	{ DT_RELA, ELF_RELA },
	{ DT_RELASZ, ELF_RELASZ },
	{ DT_RELAENT, ELF_RELAENT },
	{ DT_RELACOUNT, ELF_RELACOUNT },
	{ 36, ELF_RELR }, /* DT_RELR and its like, which older headers do not have */
	{ 35, ELF_RELRSZ },
	{ 37, ELF_RELRENT },
	{ DT_JMPREL, ELF_JMPREL },
	{ DT_PLTRELSZ, ELF_PLTRELSZ },
	{ DT_PLTREL, ELF_PLTREL },
	{ DT_PLTGOT, ELF_PLTGOT },
	{ DT_INIT, ELF_INIT },
	{ DT_FINI, ELF_FINI },
	{ DT_INIT_ARRAY, ELF_INIT_ARRAY },
	{ DT_INIT_ARRAYSZ, ELF_INIT_ARRAYSZ },
	{ DT_FINI_ARRAY, ELF_FINI_ARRAY },
	{ DT_FINI_ARRAYSZ, ELF_FINI_ARRAYSZ },
	{ DT_VERSYM, ELF_VERSYM },
	{ DT_VERNEED, ELF_VERNEED },
	{ DT_VERNEEDNUM, ELF_VERNEEDNUM },
	{ DT_VERDEF, ELF_VERDEF },
	{ DT_VERDEFNUM, ELF_VERDEFNUM },
	{ DT_TEXTREL, ELF_TEXTREL },
	{ DT_FLAGS, ELF_FLAGS },
	{ DT_FLAGS_1, ELF_FLAGS_1 },
};

static int find_entries(const struct elf_image *image, struct elf_dynamic *d, struct err *err)
{
	static const char what[] = "its dynamic section";
	const ElfW(Phdr) *part = NULL;

	for (unsigned i = 0; i < image->n_parts; i++) {
		if (image->parts[i].p_type != PT_DYNAMIC)
			continue;
		if (part)
			return elf_damaged(err, what);
		part = &image->parts[i];
	}
	if (!part)
		return err_set(err,
			       "it has no dynamic section, so nothing can be looked up in it; link it with -shared");
	d->at = part->p_vaddr;
	d->entries = elf_at(image, part->p_vaddr, part->p_filesz, _Alignof(ElfW(Dyn)));
	/* The loader writes into it. */
	if (!d->entries || !(part->p_flags & PF_W) || !elf_has(image, part->p_vaddr, part->p_memsz, PF_R | PF_W))
		return elf_damaged(err, what);
	for (uint64_t max = part->p_filesz / sizeof(ElfW(Dyn)); d->n < max; d->n++)
		if (d->entries[d->n].d_tag == DT_NULL)
			return 0;
	return elf_damaged(err, what);
}

static int check_strings(struct elf_dynamic *d, struct err *err)
{
	static const int64_t names[] = { DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH, DT_AUXILIARY, DT_FILTER };
	uint64_t size = d->value[ELF_STRSZ];

	d->strings = size > 0 ? elf_at(d->image, d->value[ELF_STRTAB], size, 1) : NULL;
	if (!d->there[ELF_STRTAB] || !d->strings || d->strings[size - 1] != '\0')
		return elf_damaged(err, "its names");
	for (size_t i = 0; i < d->n; i++)
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (d->entries[i].d_tag == names[k] && d->entries[i].d_un.d_val >= size)
				return elf_damaged(err, "its names");
	return 0;
}

static int check_code(const struct elf_dynamic *d, struct err *err)
{
	static const enum elf_tag functions[] = { ELF_INIT, ELF_FINI };
	static const enum elf_tag arrays[][2] = { { ELF_INIT_ARRAY, ELF_INIT_ARRAYSZ },
						  { ELF_FINI_ARRAY, ELF_FINI_ARRAYSZ } };

	for (size_t i = 0; i < 2; i++) {
		enum elf_tag at = arrays[i][0], size = arrays[i][1];
		if (d->there[functions[i]] && !elf_has(d->image, d->value[functions[i]], 1, PF_R | PF_X))
			return elf_damaged(err, "where it begins and ends");
		if (d->there[at] != d->there[size] || d->value[size] % sizeof(void *) ||
		    (d->value[size] && !elf_at(d->image, d->value[at], d->value[size], sizeof(void *))))
			return elf_damaged(err, "where it begins and ends");
	}
	return 0;
}

int elf_dynamic_read(const struct elf_image *image, struct elf_dynamic *ret, struct err *err)
{
	*ret = (struct elf_dynamic){ .image = image };
	if (find_entries(image, ret, err) != 0)
		return -1;
	for (size_t i = 0; i < ret->n; i++) {
		for (size_t k = 0; k < sizeof(tags) / sizeof(tags[0]); k++) {
			if (ret->entries[i].d_tag != tags[k].tag)
				continue;
			ret->there[tags[k].ours] = true;
			ret->value[tags[k].ours] = ret->entries[i].d_un.d_val;
		}
	}
	if (ret->value[ELF_FLAGS_1] & 0x08000000) /* DF_1_PIE */
		return err_set(err, "it is a program, not a shared object; link it with -shared");
	if (ret->there[ELF_TEXTREL] || ret->value[ELF_FLAGS] & DF_TEXTREL)
		return err_set(err,
			       "its code would have to be changed to be loaded (DT_TEXTREL); compile it with -fPIC");
	return check_strings(ret, err) != 0 || check_code(ret, err) != 0 ? -1 : 0;
}
