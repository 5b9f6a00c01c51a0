/* elf_relocations.c - what the loader will write into a shared object, and where: everything in its own writable
 * memory, and every address that is written one of its own. */
#include "plugin/elf_image.h"

#include "base/mem.h"

#include <elf.h>
#include <stdlib.h>

static const char what[] = "its relocations";

/* What the loader of this machine knows, as far as a shared object can want it. */
enum kind { UNKNOWN, NOTHING, RELATIVE, BY_NAME, BY_CODE, THREAD };

static enum kind kind_of(uint32_t type)
{
#if defined(__x86_64__)
	switch (type) {
	case R_X86_64_NONE:
		return NOTHING;
	case R_X86_64_RELATIVE:
		return RELATIVE;
	case R_X86_64_64:
	case R_X86_64_GLOB_DAT:
	case R_X86_64_JUMP_SLOT:
	case R_X86_64_SIZE64:
		return BY_NAME;
	case R_X86_64_IRELATIVE:
		return BY_CODE;
	case R_X86_64_DTPMOD64:
	case R_X86_64_DTPOFF64:
	case R_X86_64_TPOFF64:
	case R_X86_64_TLSDESC:
		return THREAD;
	default:
		return UNKNOWN;
	}
#elif defined(__aarch64__)
	switch (type) {
	case R_AARCH64_NONE:
		return NOTHING;
	case R_AARCH64_RELATIVE:
		return RELATIVE;
	case R_AARCH64_ABS64:
	case R_AARCH64_GLOB_DAT:
	case R_AARCH64_JUMP_SLOT:
		return BY_NAME;
	case R_AARCH64_IRELATIVE:
		return BY_CODE;
	case R_AARCH64_TLS_DTPMOD:
	case R_AARCH64_TLS_DTPREL:
	case R_AARCH64_TLS_TPREL:
	case R_AARCH64_TLSDESC:
		return THREAD;
	default:
		return UNKNOWN;
	}
#else /* of others only the places are checked */
	return type ? THREAD : NOTHING;
#endif
}

static bool touches(uint64_t place, uint64_t start, uint64_t n)
{
	return place < start + n && place + sizeof(ElfW(Addr)) > start;
}

/* Is it called when the file is loaded, or unloaded? */
static bool is_function(const struct elf_dynamic *d, uint64_t place)
{
	return touches(place, d->value[ELF_INIT_ARRAY], d->value[ELF_INIT_ARRAYSZ]) ||
	       touches(place, d->value[ELF_FINI_ARRAY], d->value[ELF_FINI_ARRAYSZ]);
}

/* Where something was found to be written, so that nothing is written twice: the later value could be one that was
 * meant for another place. */
struct places {
	uint64_t *v;
	size_t n, room;
	uint64_t functions; /* of those that are called at load and unload */
};

static void add_place(struct places *p, const struct elf_dynamic *d, uint64_t place)
{
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 256;
		p->v = xrealloc(p->v, p->room * sizeof(*p->v));
	}
	p->v[p->n++] = place;
	p->functions += is_function(d, place);
}

static int by_address(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* All functions that are called have been written, and no place lies in another. */
static bool places_ok(struct places *p, const struct elf_dynamic *d)
{
	if (p->n)
		qsort(p->v, p->n, sizeof(*p->v), by_address);
	for (size_t i = 1; i < p->n; i++)
		if (p->v[i] - p->v[i - 1] < sizeof(ElfW(Addr)))
			return false;
	return p->functions == (d->value[ELF_INIT_ARRAYSZ] + d->value[ELF_FINI_ARRAYSZ]) / sizeof(ElfW(Addr));
}

/* Its own writable memory, but not the dynamic section, which the loader is reading. */
static bool is_writable(const struct elf_dynamic *d, uint64_t place)
{
	return elf_has(d->image, place, sizeof(ElfW(Addr)), PF_R | PF_W) &&
	       !touches(place, d->at, (d->n + 1) * sizeof(ElfW(Dyn))) &&
	       (!is_function(d, place) || place % sizeof(ElfW(Addr)) == 0);
}

static int check_one(const struct elf_dynamic *d, const ElfW(Rela) * r, enum kind kind, struct err *err)
{
	uint64_t symbol = ELF64_R_SYM(r->r_info), target = (uint64_t)r->r_addend;

	if (kind == UNKNOWN)
		return err_set(err,
			       "it has a relocation of a kind (%u) that no shared object should need; compile it with "
			       "-fPIC and link it with -shared",
			       (unsigned)ELF64_R_TYPE(r->r_info));
	if (kind == NOTHING)
		return 0;
	if (!is_writable(d, r->r_offset) || symbol >= d->n_symbols)
		return elf_damaged(err, what);
	if (kind == BY_NAME && symbol == 0)
		return elf_damaged(err, what);
	if (kind == RELATIVE && !elf_has(d->image, target, 0, is_function(d, r->r_offset) ? PF_R | PF_X : PF_R))
		return elf_damaged(err, what);
	if (kind == BY_CODE && !elf_has(d->image, target, 1, PF_R | PF_X))
		return elf_damaged(err, what);
	return 0;
}

static int check_table(const struct elf_dynamic *d, enum elf_tag at, enum elf_tag size, struct places *places,
		       struct err *err)
{
	uint64_t n = d->value[size] / sizeof(ElfW(Rela)), first = at == ELF_RELA ? d->value[ELF_RELACOUNT] : 0;

	if (!d->there[at] || d->value[size] == 0)
		return 0;
	const ElfW(Rela) *all = elf_at(d->image, d->value[at], d->value[size], _Alignof(ElfW(Rela)));
	if (!all || d->value[size] % sizeof(*all) || first > n)
		return elf_damaged(err, what);
	for (uint64_t i = 0; i < n; i++) {
		enum kind kind = kind_of((uint32_t)ELF64_R_TYPE(all[i].r_info));
		if (check_one(d, &all[i], kind, err) != 0)
			return -1;
#if defined(__x86_64__) || defined(__aarch64__)
		if (i < first && kind != RELATIVE) /* the loader would stop the whole program */
			return elf_damaged(err, what);
#endif
		if (kind != NOTHING)
			add_place(places, d, all[i].r_offset);
	}
	return 0;
}

/* The packed form: an address, then bit maps of the words behind it. The values are in the file itself. */
static int check_packed(const struct elf_dynamic *d, struct places *places, struct err *err)
{
	uint64_t size = d->value[ELF_RELRSZ], where = 0;

	if (!d->there[ELF_RELR] || size == 0)
		return 0;
	const ElfW(Addr) *all = elf_at(d->image, d->value[ELF_RELR], size, sizeof(ElfW(Addr)));
	if (!all || size % sizeof(*all) || d->value[ELF_RELRENT] != sizeof(*all))
		return elf_damaged(err, what);
	for (uint64_t i = 0; i < size / sizeof(*all); i++) {
		bool is_map = all[i] & 1;
		unsigned n = is_map ? 8 * sizeof(*all) - 1 : 1;
		where = is_map ? where : all[i];
		for (unsigned k = 0; k < n; k++, where += sizeof(*all)) {
			if (is_map && !(all[i] >> (k + 1) & 1))
				continue;
			const ElfW(Addr) *value = elf_at(d->image, where, sizeof(*value), sizeof(*value));
			if (!value || !is_writable(d, where) ||
			    !elf_has(d->image, *value, 0, is_function(d, where) ? PF_R | PF_X : PF_R))
				return elf_damaged(err, what);
			add_place(places, d, where);
		}
	}
	return 0;
}

static bool tables_ok(const struct elf_dynamic *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->entries[i].d_tag == DT_REL)
			return false; /* the other form, which 64-bit machines do not use */
	if (d->there[ELF_RELA] != d->there[ELF_RELASZ] || d->there[ELF_JMPREL] != d->there[ELF_PLTRELSZ] ||
	    d->there[ELF_RELR] != d->there[ELF_RELRSZ])
		return false;
	if (d->there[ELF_RELA] && d->value[ELF_RELAENT] != sizeof(ElfW(Rela)))
		return false;
	if (d->there[ELF_JMPREL] && d->value[ELF_PLTREL] != DT_RELA)
		return false;
	return !d->there[ELF_PLTGOT] || elf_has(d->image, d->value[ELF_PLTGOT], 3 * sizeof(ElfW(Addr)), PF_R | PF_W);
}

int elf_relocations_check(const struct elf_dynamic *d, struct err *err)
{
	struct places places = { 0 };
	uint64_t behind = d->value[ELF_JMPREL] - d->value[ELF_RELA];
	bool jumps_are_in_rela = d->there[ELF_JMPREL] && d->there[ELF_RELA] && behind < d->value[ELF_RELASZ];
	int r = -1;

	if (!tables_ok(d)) {
		elf_damaged(err, what);
		goto out;
	}
	if (check_table(d, ELF_RELA, ELF_RELASZ, &places, err) != 0 ||
	    (!jumps_are_in_rela && check_table(d, ELF_JMPREL, ELF_PLTRELSZ, &places, err) != 0) ||
	    check_packed(d, &places, err) != 0)
		goto out;
	r = places_ok(&places, d) ? 0 : elf_damaged(err, what);
out:
	free(places.v);
	return r;
}
