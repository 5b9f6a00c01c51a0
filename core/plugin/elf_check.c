/* elf_check.c - reads the headers of a shared object, believing none of them. */
#include "plugin/elf_check.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

int elf_check(int fd, struct err *err)
{
	static const char truncated[] = "it is truncated: build or copy it again";
	ElfW(Ehdr) header;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_set(err, "it cannot be read: %s", strerror(errno));
	if (!read_at(fd, header.e_ident, EI_NIDENT, 0))
		return err_set(err, "it is not a shared object (no ELF file, %lld bytes)", (long long)st.st_size);
	if (check_ident(header.e_ident, err) != 0)
		return -1;
	if (!read_at(fd, &header, sizeof(header), 0))
		return err_set(err, "%s", truncated);
	if (header.e_machine != __ehdr_start.e_machine)
		return err_set(err, "it is built for %s, this patchbay for %s", machine_name(header.e_machine),
			       machine_name(__ehdr_start.e_machine));
	if (header.e_type != ET_DYN)
		return err_set(err,
			       "it is no shared object but another kind of ELF file (an object file or a program)");

	uint64_t size = (uint64_t)st.st_size;
	if (!inside(header.e_shoff, (uint64_t)header.e_shnum * header.e_shentsize, size))
		return err_set(err, "%s", truncated);
	if (header.e_phentsize != sizeof(ElfW(Phdr)))
		return err_set(err, "its program headers are damaged");
	for (unsigned i = 0; i < header.e_phnum; i++) {
		ElfW(Phdr) part;
		uint64_t at = (uint64_t)i * sizeof(part);
		if (header.e_phoff > size || !read_at(fd, &part, sizeof(part), header.e_phoff + at))
			return err_set(err, "%s", truncated);
		if (part.p_type == PT_LOAD && !inside(part.p_offset, part.p_filesz, size))
			return err_set(err, "%s", truncated);
	}
	return 0;
}
