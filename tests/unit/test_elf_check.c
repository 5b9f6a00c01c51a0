/* What is wrong with a file is found before the loader sees it: the loader believes what it reads. */
#include "plugin/elf_check.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What remains is the code that runs at load, reached by another of its addresses. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TRIES 300      /* a child costs many times as much */
#define CRASHES_MAX 12 /* a sanitizer has more of such code */
#else
#define TRIES 2000
#define CRASHES_MAX 8
#endif

static char path[] = "/tmp/patchbay-elf-XXXXXX";
static int file; /* of that path */

static struct { /* a plugin of which each test spoils one thing */
	unsigned char *bytes;
	size_t n;
	Elf64_Ehdr *header;
	Elf64_Phdr *parts;
} it;

static int setup(void **state)
{
	FILE *f = fopen(FIXTURE_DIR "/good.so", "rb");
	(void)state;

	if (!f)
		return -1;
	it.bytes = xmalloc(1 << 20);
	it.n = fread(it.bytes, 1, 1 << 20, f);
	it.header = (Elf64_Ehdr *)it.bytes;
	it.parts = (Elf64_Phdr *)(it.bytes + it.header->e_phoff);
	return fclose(f);
}

static int teardown(void **state)
{
	(void)state;
	free(it.bytes);
	return 0;
}

static void write_out(void)
{
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, it.bytes, it.n, 0), (ssize_t)it.n);
}

static void assert_refused(const char *why)
{
	struct err err = { "" };

	write_out();
	assert_int_equal(elf_check(file, &err), -1);
	if (!strstr(err.text, why))
		fail_msg("'%s' lacks '%s'", err.text, why);
}

static void assert_taken(void)
{
	struct err err = { "" };

	write_out();
	if (elf_check(file, &err) != 0)
		fail_msg("%s", err.text);
}

static Elf64_Phdr *part(uint32_t type, unsigned nth)
{
	for (unsigned i = 0; i < it.header->e_phnum; i++)
		if (it.parts[i].p_type == type && nth-- == 0)
			return &it.parts[i];
	fail_msg("no program header %x", type);
	return NULL;
}

static void *at(uint64_t address)
{
	for (unsigned i = 0; i < it.header->e_phnum; i++)
		if (it.parts[i].p_type == PT_LOAD && address >= it.parts[i].p_vaddr &&
		    address - it.parts[i].p_vaddr < it.parts[i].p_filesz)
			return it.bytes + it.parts[i].p_offset + (address - it.parts[i].p_vaddr);
	fail_msg("nothing at %llx", (unsigned long long)address);
	return NULL;
}

/* NULL: there is none. */
static Elf64_Dyn *find_dynamic(int64_t tag)
{
	Elf64_Dyn *d = (Elf64_Dyn *)(it.bytes + part(PT_DYNAMIC, 0)->p_offset);

	for (; d->d_tag != DT_NULL; d++)
		if (d->d_tag == tag)
			return d;
	return NULL;
}

static Elf64_Dyn *dynamic(int64_t tag)
{
	Elf64_Dyn *d = find_dynamic(tag);

	if (!d)
		fail_msg("no dynamic entry %lld", (long long)tag);
	return d;
}

static void *table(int64_t tag)
{
	return at(dynamic(tag)->d_un.d_ptr);
}

#define SPOIL(lvalue, value, why)                                                                                      \
	do {                                                                                                           \
		__typeof__(lvalue) *spoilt_ = &(lvalue), saved_ = *spoilt_;                                            \
		*spoilt_ = (__typeof__(lvalue))(value);                                                                \
		assert_refused(why);                                                                                   \
		*spoilt_ = saved_;                                                                                     \
	} while (0)

static void test_real_plugins_are_taken(void **state)
{
	static const char *const names[] = { "motive",     "lms",  "motivate", "standard-webhooks",
					     "csv-export", "smtp", "slack",    "http" };
	struct err err;
	(void)state;

	assert_taken();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *real = xasprintf(PLUGIN_DIR "/%s.so", names[i]);
		int fd = open(real, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		if (elf_check(fd, &err) != 0)
			fail_msg("%s: %s", real, err.text);
		close(fd);
		free(real);
	}
}

static void test_segments(void **state)
{
	Elf64_Phdr *first = part(PT_LOAD, 0), *second = part(PT_LOAD, 1), *last = second;
	(void)state;

	for (unsigned i = 0; i < it.header->e_phnum; i++)
		last = it.parts[i].p_type == PT_LOAD ? &it.parts[i] : last;
	SPOIL(it.header->e_phnum, 0, "its program headers");
	SPOIL(it.header->e_phnum, 65, "its program headers");
	SPOIL(it.header->e_phentsize, 55, "its program headers");
	SPOIL(it.header->e_phoff, it.n - 8, "it is truncated");
	SPOIL(first->p_filesz, it.n + 1, "it is truncated");
	SPOIL(first->p_offset, UINT64_MAX, "it is truncated");
	SPOIL(second->p_vaddr, first->p_vaddr, "its segments"); /* one over the other */
	SPOIL(second->p_memsz, UINT64_MAX, "its segments");
	SPOIL(second->p_memsz, second->p_filesz - 1, "its segments");
	SPOIL(second->p_vaddr, UINT64_MAX - 4095, "its segments");
	SPOIL(last->p_vaddr, last->p_vaddr + (UINT64_C(1) << 40), "its segments");
	SPOIL(second->p_offset, second->p_offset + 1, "not aligned to the pages of this machine");
	SPOIL(second->p_align, 3 * 4096, "not aligned");
	SPOIL(second->p_align, 16, "not aligned");
	SPOIL(last->p_flags, PF_R | PF_W | PF_X, "it has memory that is writable and executable");
	SPOIL(last->p_flags, PF_R, "it");
	SPOIL(first->p_flags, 0, "its segments");
	SPOIL(part(PT_GNU_STACK, 0)->p_flags, PF_R | PF_W | PF_X, "it wants an executable stack");
	SPOIL(part(PT_GNU_STACK, 0)->p_type, PT_NULL, "it wants an executable stack");
	SPOIL(part(PT_GNU_RELRO, 0)->p_memsz, 1 << 20, "its segments");
	SPOIL(part(PT_GNU_RELRO, 0)->p_vaddr, 0, "its segments");
	SPOIL(part(PT_NOTE, 0)->p_vaddr, UINT64_C(1) << 20, "its segments");
	SPOIL(((Elf64_Nhdr *)at(part(PT_NOTE, 0)->p_vaddr))->n_descsz, 0xffffffff, "its segments");
	SPOIL(part(PT_GNU_EH_FRAME, 0)->p_type, PT_PHDR, "its segments");
	SPOIL(part(PT_GNU_EH_FRAME, 0)->p_vaddr, UINT64_C(1) << 40, "its segments");
	assert_taken();
}

/* Around the beginning and the end of everything that the headers name. */
static void test_truncated_files(void **state)
{
	uint64_t ends[2 * 64 + 4] = { sizeof(Elf64_Ehdr), it.header->e_phoff, it.header->e_shoff, it.n - 1 };
	size_t n = 4, whole = it.n;
	(void)state;

	for (unsigned i = 0; i < it.header->e_phnum; i++) {
		ends[n++] = it.parts[i].p_offset;
		ends[n++] = it.parts[i].p_offset + it.parts[i].p_filesz;
	}
	for (size_t i = 0; i < n; i++) {
		for (it.n = ends[i] ? ends[i] - 1 : 0; it.n <= ends[i] + 1 && it.n < whole; it.n++)
			assert_refused(it.n < 16 ? "it is not a shared object" : "it is truncated");
	}
	it.n = whole;
	it.header->e_shoff = it.header->e_shnum = 0; /* as sstrip leaves it: nothing behind the segments */
	it.n = part(PT_DYNAMIC, 0)->p_offset + 16;
	assert_refused("it is truncated");
}

static void test_the_dynamic_section(void **state)
{
	(void)state;
	SPOIL(part(PT_DYNAMIC, 0)->p_type, PT_NULL, "it has no dynamic section");
	SPOIL(part(PT_GNU_EH_FRAME, 0)->p_type, PT_DYNAMIC, "its dynamic section"); /* two of them */
	SPOIL(part(PT_DYNAMIC, 0)->p_vaddr, 1, "its dynamic section");
	SPOIL(part(PT_DYNAMIC, 0)->p_vaddr, part(PT_DYNAMIC, 0)->p_vaddr + 4, "its dynamic section");
	SPOIL(part(PT_DYNAMIC, 0)->p_filesz, 16, "its dynamic section"); /* without an end */
	SPOIL(part(PT_DYNAMIC, 0)->p_filesz, UINT64_MAX, "its dynamic section");
	SPOIL(part(PT_DYNAMIC, 0)->p_flags, PF_R, "its dynamic section");
	SPOIL(dynamic(DT_STRTAB)->d_un.d_ptr, UINT64_C(1) << 33, "its names");
	SPOIL(dynamic(DT_STRSZ)->d_un.d_val, 0, "its names");
	SPOIL(dynamic(DT_STRSZ)->d_un.d_val, UINT64_MAX, "its names");
	SPOIL(dynamic(DT_STRSZ)->d_un.d_val, dynamic(DT_STRSZ)->d_un.d_val - 1, "its names"); /* the last one open */
	SPOIL(dynamic(DT_NEEDED)->d_un.d_val, 1 << 20, "its names");
	SPOIL(dynamic(DT_STRTAB)->d_tag, DT_DEBUG, "its names");
	SPOIL(dynamic(DT_INIT_ARRAY)->d_un.d_ptr, 3, "where it begins and ends");
	SPOIL(dynamic(DT_INIT_ARRAYSZ)->d_un.d_val, 1 << 20, "where it begins and ends");
	SPOIL(dynamic(DT_INIT_ARRAYSZ)->d_un.d_val, 4, "where it begins and ends");
	if (find_dynamic(DT_INIT))
		SPOIL(dynamic(DT_INIT)->d_un.d_ptr, dynamic(DT_STRTAB)->d_un.d_ptr, "where it begins and ends");
	SPOIL(dynamic(DT_STRSZ)->d_tag, DT_TEXTREL, "compile it with -fPIC");
	dynamic(DT_RELACOUNT)->d_un.d_val = 0x08000000;
	SPOIL(dynamic(DT_RELACOUNT)->d_tag, DT_FLAGS_1, "it is a program, not a shared object");
}

static void test_symbols_and_their_hash_table(void **state)
{
	Elf64_Sym *symbols = table(DT_SYMTAB);
	uint32_t *hash = table(DT_GNU_HASH); /* buckets, first, words, shift; words; buckets; chains */
	uint32_t *bucket = hash + 4 + 2 * hash[2], *chains = bucket + hash[0];
	uint32_t defined = hash[1];
	(void)state;

	SPOIL(dynamic(DT_SYMTAB)->d_un.d_ptr, 0x10001, "its symbol table");
	SPOIL(dynamic(DT_SYMENT)->d_un.d_val, 25, "its symbol table");
	SPOIL(dynamic(DT_GNU_HASH)->d_tag, DT_DEBUG, "its symbol table");
	SPOIL(dynamic(DT_GNU_HASH)->d_un.d_ptr, 0x10000, "its hash table");
	SPOIL(hash[0], 0, "its hash table");
	SPOIL(hash[0], 1 << 30, "its hash table");
	SPOIL(hash[2], 0, "its hash table");
	SPOIL(hash[2], 3, "its hash table"); /* the loader stops the program at this */
	SPOIL(hash[2], 1 << 30, "its hash table");
	SPOIL(hash[3], 64, "its hash table");
	for (uint32_t i = 0; i < hash[0]; i++)
		if (bucket[i]) {
			SPOIL(bucket[i], 0x7fffffff, "its hash table");
			SPOIL(hash[1], bucket[i] + 1, "its hash table");
		}
	assert_true(chains[0] & 1); /* its only symbol */
	SPOIL(hash[0], 1u << 29, "its hash table");
	SPOIL(symbols[defined].st_name, 0xffffff, "its symbol table");
	SPOIL(symbols[defined].st_value, UINT64_C(1) << 40, "its symbol table");
	SPOIL(symbols[defined].st_size, UINT64_C(1) << 40, "its symbol table");
	SPOIL(symbols[defined].st_info, ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC), "its symbol table"); /* is called */
	SPOIL(symbols[defined].st_info, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), "its symbol table");
	assert_int_equal(symbols[1].st_shndx, SHN_UNDEF);
	SPOIL(symbols[1].st_value, 0x1000, "its symbol table");
	SPOIL(symbols[1].st_info, ELF64_ST_INFO(STB_LOCAL, STT_FUNC), "its symbol table");
	SPOIL(symbols[1].st_other, STV_HIDDEN, "its symbol table");
	memset(bucket, 0, hash[0] * sizeof(*bucket));
	assert_refused("it exports nothing");
}

static void test_versions(void **state)
{
	Elf64_Verneed *need = table(DT_VERNEED);
	Elf64_Vernaux *aux = (Elf64_Vernaux *)((char *)need + need->vn_aux);
	uint16_t *of_symbols = table(DT_VERSYM);
	(void)state;

	SPOIL(dynamic(DT_VERNEED)->d_tag, DT_DEBUG, "its versions");
	SPOIL(dynamic(DT_VERSYM)->d_tag, DT_DEBUG, "its versions");
	SPOIL(dynamic(DT_VERNEED)->d_un.d_ptr, 2, "its versions");
	SPOIL(dynamic(DT_VERSYM)->d_un.d_ptr, 1, "its versions");
	SPOIL(need->vn_version, 2, "its versions");
	SPOIL(need->vn_file, 0, "its versions"); /* no library that it needs: the loader stops the program at this */
	SPOIL(need->vn_aux, 0x7ffffff, "its versions");
	SPOIL(need->vn_next, 0x7ffffff0, "its versions");
	SPOIL(aux->vna_name, 0x7fffffff, "its versions");
	SPOIL(aux->vna_next, 0x7ffffff0, "its versions");
	SPOIL(of_symbols[1], 0x7fff, "its versions");
	assert_taken();
}

static void test_relocations(void **state)
{
	Elf64_Rela *all = table(DT_RELA), *by_name = all + dynamic(DT_RELACOUNT)->d_un.d_val;
	uint64_t text = part(PT_LOAD, 1)->p_vaddr, init = dynamic(DT_INIT_ARRAY)->d_un.d_ptr;
	(void)state;

	SPOIL(dynamic(DT_RELA)->d_un.d_ptr, 12, "its relocations");
	SPOIL(dynamic(DT_RELASZ)->d_un.d_val, 23, "its relocations");
	SPOIL(dynamic(DT_RELASZ)->d_un.d_val, UINT64_MAX / 24 * 24, "its relocations");
	SPOIL(dynamic(DT_RELAENT)->d_un.d_val, 16, "its relocations");
	SPOIL(dynamic(DT_RELA)->d_tag, DT_REL, "its relocations");
	SPOIL(all[0].r_offset, UINT64_C(1) << 40, "its relocations");
	SPOIL(all[0].r_offset, text, "its relocations"); /* its code */
	SPOIL(all[2].r_offset, part(PT_DYNAMIC, 0)->p_vaddr + 8, "its relocations");
	SPOIL(all[2].r_offset, init, "its relocations"); /* what is called at load, a second time */
	SPOIL(all[2].r_addend, INT64_C(1) << 40, "its relocations");
	SPOIL(all[2].r_addend, -1, "its relocations");
	SPOIL(by_name[0].r_info, ELF64_R_INFO(9999, (uint32_t)by_name[0].r_info), "its relocations");
	for (Elf64_Rela *r = all; r < by_name; r++)
		if (r->r_offset == init) {
			SPOIL(r->r_addend, dynamic(DT_STRTAB)->d_un.d_ptr, "its relocations"); /* no code */
			SPOIL(r->r_offset, init + 4, "its relocations");
		}
#if defined(__x86_64__) || defined(__aarch64__)
	SPOIL(dynamic(DT_RELACOUNT)->d_un.d_val, UINT64_MAX, "its relocations");
	SPOIL(dynamic(DT_RELACOUNT)->d_un.d_val, by_name - all + 1, "its relocations"); /* stops the program, too */
	SPOIL(all[0].r_info, 1023, "it has a relocation of a kind (1023) that no shared object should need");
	SPOIL(by_name[0].r_info, (uint32_t)by_name[0].r_info, "its relocations"); /* by the name of nothing */
#endif
	if (find_dynamic(DT_JMPREL)) {
		SPOIL(dynamic(DT_PLTREL)->d_un.d_val, DT_REL, "its relocations");
		SPOIL(dynamic(DT_PLTRELSZ)->d_un.d_val, 1 << 24, "its relocations");
		SPOIL(dynamic(DT_JMPREL)->d_un.d_ptr, 0, "relocation");
		SPOIL(dynamic(DT_PLTGOT)->d_un.d_ptr, 0, "its relocations");
	}
	assert_taken();
}

/* In a process of its own: does it come to an end by itself, whatever it finds? */
static bool survives_loading(void)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err;
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO); /* the loader has its say there */
		for (int signal_number = 1; signal_number < 32;
		     signal_number++) /* cmocka's handlers are not meant for it */
			signal(signal_number, SIG_DFL);
		alarm(20);
		if (elf_check(file, &err) == 0) {
			void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
			if (handle)
				dlsym(handle, "patchbay_plugin_v1");
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Somewhere in what the loader reads (everything before the code, and the dynamic section) a byte is wrong. */
static void test_any_wrong_byte_in_what_the_loader_reads(void **state)
{
	Elf64_Phdr *first = part(PT_LOAD, 0), *d = part(PT_DYNAMIC, 0);
	uint64_t tables = first->p_flags & PF_X ? dynamic(DT_INIT)->d_un.d_ptr : first->p_filesz, random = 20261129;
	unsigned crashes = 0;
	(void)state;

	for (unsigned i = 0; i < TRIES; i++) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		uint64_t where = (random >> 33) % (tables + d->p_filesz);
		unsigned char *byte = it.bytes + (where < tables ? where : d->p_offset + (where - tables));
		unsigned char saved = *byte, bit = (unsigned char)(1 << (random >> 29 & 7));
		*byte = random >> 28 & 1 ? (unsigned char)(random >> 20) : *byte ^ bit;
		/* A new file, since the old one's pages may be in use. */
		write_out();
		if (!survives_loading()) {
			crashes++;
			print_message("byte %#llx: %02x instead of %02x ends the program\n",
				      (unsigned long long)(byte - it.bytes), *byte, saved);
		}
		*byte = saved;
	}
	print_message("%u of %d wrong bytes end the program\n", crashes, TRIES);
	assert_true(crashes <= CRASHES_MAX);
}

static int open_file(void **state)
{
	(void)state;
	file = mkstemp(path);
	return file >= 0 ? 0 : -1;
}

static int remove_file(void **state)
{
	(void)state;
	close(file);
	return unlink(path);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_real_plugins_are_taken),
		TEST(test_segments),
		TEST(test_truncated_files),
		TEST(test_the_dynamic_section),
		TEST(test_symbols_and_their_hash_table),
		TEST(test_versions),
		TEST(test_relocations),
		TEST(test_any_wrong_byte_in_what_the_loader_reads),
	};
	return cmocka_run_group_tests(tests, open_file, remove_file);
}
