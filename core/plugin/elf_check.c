/* elf_check.c - reads the headers of a shared object, believing none of them. */
#include "plugin/elf_check.h"

#include "base/mem.h"
#include "plugin/elf_image.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARTS_MAX 64
#define SPAN_MAX (UINT64_C(1) << 30) /* of all segments in memory, and of the file before the end of the last */

static const char truncated[] = "it is truncated: build or copy it again", segments[] = "its segments";

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden"))); /* our own, from the linker */

static const char *machine_name(unsigned machine)
{
	switch (machine) {
	case EM_386:
		return "i386";
	case EM_X86_64:
		return "x86-64";
	case EM_ARM:
		return "32-bit ARM";
	case EM_AARCH64:
		return "64-bit ARM";
	case EM_RISCV:
		return "RISC-V";
	case EM_PPC64:
		return "PowerPC 64";
	case EM_S390:
		return "S/390";
	default:
		return "another kind of machine";
	}
}

static bool read_at(int fd, void *p, size_t n, uint64_t offset)
{
	return offset <= INT64_MAX && pread(fd, p, n, (off_t)offset) == (ssize_t)n;
}

static bool inside(uint64_t offset, uint64_t n, uint64_t size)
{
	return offset <= size && n <= size - offset;
}

static int check_ident(const unsigned char *ident, struct err *err)
{
	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return err_set(err, "it is not a shared object (no ELF file)");
	if (ident[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS])
		return err_set(err, "it is built for a %s-bit machine, this patchbay for a %s-bit one",
			       ident[EI_CLASS] == ELFCLASS64 ? "64" : "32",
			       __ehdr_start.e_ident[EI_CLASS] == ELFCLASS64 ? "64" : "32");
	if (ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA])
		return err_set(err, "it is built for a machine of the other byte order");
	return 0;
}

static int read_header(int fd, uint64_t size, ElfW(Ehdr) * header, struct err *err)
{
	if (!read_at(fd, header->e_ident, EI_NIDENT, 0))
		return err_set(err, "it is not a shared object (no ELF file, %llu bytes)", (unsigned long long)size);
	if (check_ident(header->e_ident, err) != 0)
		return -1;
	if (!read_at(fd, header, sizeof(*header), 0))
		return err_set(err, "%s", truncated);
	if (header->e_machine != __ehdr_start.e_machine)
		return err_set(err, "it is built for %s, this patchbay for %s", machine_name(header->e_machine),
			       machine_name(__ehdr_start.e_machine));
	if (header->e_type != ET_DYN)
		return err_set(err,
			       "it is no shared object but another kind of ELF file (an object file or a program)");
	if (!inside(header->e_shoff, (uint64_t)header->e_shnum * header->e_shentsize, size))
		return err_set(err, "%s", truncated);
	if (header->e_phentsize != sizeof(ElfW(Phdr)) || header->e_phnum == 0 || header->e_phnum > PARTS_MAX)
		return elf_damaged(err, "its program headers");
	return 0;
}

/* Segments in the order of their addresses, none in a page of another, none with rights that would make the whole
 * program less safe. `end`: of the one before. */
static int check_load(const ElfW(Phdr) * part, uint64_t first, uint64_t end, struct err *err)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), align = part->p_align;

	if (part->p_memsz > SPAN_MAX || part->p_vaddr > INT64_MAX - SPAN_MAX || part->p_filesz > part->p_memsz ||
	    part->p_vaddr + part->p_memsz - first > SPAN_MAX || part->p_vaddr / page * page < end)
		return elf_damaged(err, segments);
	if (align < page || align > SPAN_MAX || (align & (align - 1)) != 0 ||
	    ((part->p_vaddr - part->p_offset) & (align - 1)) != 0)
		return err_set(err,
			       "its segments are not aligned to the pages of this machine (%llu bytes); build it again",
			       (unsigned long long)page);
	if ((part->p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
		return err_set(err, "it has memory that is writable and executable; link it without -z rwx or -N");
	if (!(part->p_flags & PF_R) || (part->p_memsz > part->p_filesz && !(part->p_flags & PF_W)))
		return elf_damaged(err, segments);
	return 0;
}

static int check_loads(const struct elf_image *image, uint64_t size, uint64_t *ret_end, struct err *err)
{
	const ElfW(Phdr) *before = NULL;
	uint64_t first = 0;

	*ret_end = 0;
	for (unsigned i = 0; i < image->n_parts; i++) {
		const ElfW(Phdr) *part = &image->parts[i];
		if (part->p_type != PT_LOAD)
			continue;
		if (!inside(part->p_offset, part->p_filesz, size))
			return err_set(err, "%s", truncated);
		first = before ? first : part->p_vaddr;
		if (before && part->p_offset < before->p_offset)
			return elf_damaged(err, segments);
		if (check_load(part, first, before ? before->p_vaddr + before->p_memsz : 0, err) != 0)
			return -1;
		if (part->p_offset + part->p_filesz > *ret_end)
			*ret_end = part->p_offset + part->p_filesz;
		before = part;
	}
	return before && *ret_end <= SPAN_MAX ? 0 : elf_damaged(err, segments);
}

/* The loader looks for what the machine must be able to do in here. */
static bool notes_ok(const struct elf_image *image, const ElfW(Phdr) * part)
{
	size_t align = part->p_align == 8 ? 8 : 4;
	const unsigned char *p = elf_at(image, part->p_vaddr, part->p_filesz, align);
	uint64_t at = 0, n = part->p_filesz;

	if (!p || part->p_filesz != part->p_memsz)
		return false;
	while (n - at >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;
		memcpy(&note, p + at, sizeof(note));
		uint64_t name_end = (at + sizeof(note) + note.n_namesz + align - 1) / align * align;
		uint64_t end = name_end + note.n_descsz, next = (end + align - 1) / align * align;
		if (end > n)
			return false;
		at = next < n ? next : n;
	}
	return true;
}

/* These pages are made read-only, whosever they are. The end may lie behind the segment's, but in its last page. */
static bool relro_ok(const struct elf_image *image, const ElfW(Phdr) * relro)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	for (unsigned i = 0; i < image->n_parts; i++) {
		const ElfW(Phdr) *load = &image->parts[i];
		if (load->p_type == PT_LOAD && load->p_flags & PF_W && relro->p_vaddr >= load->p_vaddr &&
		    relro->p_memsz <= SPAN_MAX && relro->p_vaddr - load->p_vaddr <= load->p_memsz &&
		    (relro->p_vaddr + relro->p_memsz) / page <= (load->p_vaddr + load->p_memsz + page - 1) / page)
			return true;
	}
	return false;
}

static bool part_ok(const struct elf_image *image, const ElfW(Ehdr) * header, const ElfW(Phdr) * part)
{
	const void *there = elf_at(image, part->p_vaddr, part->p_filesz, 1);

	switch (part->p_type) {
	case PT_PHDR:
		return there == image->bytes + header->e_phoff && part->p_memsz == image->n_parts * sizeof(*part) &&
		       part->p_filesz == part->p_memsz;
	case PT_NOTE:
	case PT_GNU_PROPERTY:
		return notes_ok(image, part);
	case PT_TLS:
		return there && part->p_filesz <= part->p_memsz && part->p_memsz <= SPAN_MAX &&
		       part->p_align <= SPAN_MAX && (part->p_align & (part->p_align - 1)) == 0;
	case PT_GNU_RELRO:
		return relro_ok(image, part);
	case PT_GNU_EH_FRAME:
		return there != NULL;
	default:
		return true;
	}
}

static int check_parts(const struct elf_image *image, const ElfW(Ehdr) * header, struct err *err)
{
	bool stack = false;

	for (unsigned i = 0; i < image->n_parts; i++) {
		const ElfW(Phdr) *part = &image->parts[i];
		if (!part_ok(image, header, part))
			return elf_damaged(err, segments);
		stack = stack || (part->p_type == PT_GNU_STACK && !(part->p_flags & PF_X));
	}
	if (!stack) /* also where nothing is said about it */
		return err_set(err, "it wants an executable stack, for the whole program; link it with -z noexecstack");
	return 0;
}

static int check_image(const struct elf_image *image, const ElfW(Ehdr) * header, struct err *err)
{
	struct elf_dynamic dynamic;

	if (check_parts(image, header, err) != 0 || elf_dynamic_read(image, &dynamic, err) != 0 ||
	    elf_symbols_check(&dynamic, err) != 0 || elf_versions_check(&dynamic, err) != 0)
		return -1;
	return elf_relocations_check(&dynamic, err);
}

int elf_check(int fd, struct err *err)
{
	ElfW(Phdr) parts[PARTS_MAX];
	ElfW(Ehdr) header;
	struct elf_image image = { .parts = parts };
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_set(err, "it cannot be read: %s", strerror(errno));
	if (read_header(fd, (uint64_t)st.st_size, &header, err) != 0)
		return -1;
	image.n_parts = header.e_phnum;
	if (!read_at(fd, parts, image.n_parts * sizeof(parts[0]), header.e_phoff))
		return err_set(err, "%s", truncated);
	if (check_loads(&image, (uint64_t)st.st_size, &image.n, err) != 0)
		return -1;
	unsigned char *bytes = xmalloc(image.n);
	image.bytes = bytes;
	int r = read_at(fd, bytes, image.n, 0) ? check_image(&image, &header, err) : err_set(err, "%s", truncated);
	free(bytes);
	return r;
}
