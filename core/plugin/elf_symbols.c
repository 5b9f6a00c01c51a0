/* elf_symbols.c - the symbols of a shared object, the hash tables in which the loader looks for them, and their
 * versions. The loader walks all of these without a limit. */
#include "plugin/elf_image.h"

#include <elf.h>
#include <string.h>

static const char symbol_table[] = "its symbol table", hash_table[] = "its hash table", versions[] = "its versions";

/* How many symbols there are is not written anywhere but here: one more than the last that can be found. */
static int count_by_gnu_hash(struct elf_dynamic *d, struct err *err)
{
	uint64_t at = d->value[ELF_GNU_HASH];
	const uint32_t *head = elf_at(d->image, at, 4 * sizeof(uint32_t), sizeof(uint64_t));

	if (!head)
		return elf_damaged(err, hash_table);
	uint64_t n_buckets = head[0], first = head[1], n_words = head[2], shift = head[3], last = 0;
	if (n_buckets == 0 || n_words == 0 || (n_words & (n_words - 1)) != 0 || shift >= 8 * sizeof(ElfW(Addr)))
		return elf_damaged(err, hash_table);
	at += 4 * sizeof(uint32_t) + n_words * sizeof(ElfW(Addr));
	const uint32_t *buckets = elf_at(d->image, at, n_buckets * sizeof(uint32_t), sizeof(uint32_t));
	if (!buckets)
		return elf_damaged(err, hash_table);
	for (uint64_t i = 0; i < n_buckets; i++) {
		if (buckets[i] && buckets[i] < first)
			return elf_damaged(err, hash_table);
		last = buckets[i] > last ? buckets[i] : last;
	}
	if (last == 0)
		return d->there[ELF_HASH] ? 0 : err_set(err, "it is not a patchbay plugin: it exports nothing");
	/* Chains lie one behind the other; each ends where the lowest bit is set, the last one's as the last. */
	at += n_buckets * sizeof(uint32_t);
	for (;; last++) {
		const uint32_t *link =
			elf_at(d->image, at + (last - first) * sizeof(*link), sizeof(*link), sizeof(*link));
		if (!link)
			return elf_damaged(err, hash_table);
		if (*link & 1)
			break;
	}
	d->n_symbols = last + 1;
	return 0;
}

static int count_by_hash(struct elf_dynamic *d, struct err *err)
{
	uint64_t at = d->value[ELF_HASH];
	const uint32_t *head = elf_at(d->image, at, 2 * sizeof(*head), sizeof(*head));
	const uint32_t *all = NULL;

	if (head && head[0] > 0)
		all = elf_at(d->image, at, (2 + (uint64_t)head[0] + head[1]) * sizeof(*head), sizeof(*head));
	if (!all)
		return elf_damaged(err, hash_table);
	uint64_t n_buckets = all[0], n = all[1], steps = 0;
	for (uint64_t i = 0; i < n_buckets + n; i++)
		if (all[2 + i] >= n && all[2 + i] != 0)
			return elf_damaged(err, hash_table);
	for (uint64_t i = 0; i < n_buckets; i++) /* no symbol is in two chains, nor twice in one */
		for (uint32_t k = all[2 + i]; k != 0; k = all[2 + n_buckets + k])
			if (++steps > n)
				return elf_damaged(err, hash_table);
	if (d->there[ELF_GNU_HASH] && n < d->n_symbols)
		return elf_damaged(err, hash_table);
	d->n_symbols = n;
	return 0;
}

static bool symbol_ok(const struct elf_dynamic *d, const ElfW(Sym) * s)
{
	unsigned type = ELF64_ST_TYPE(s->st_info);

	if (s->st_name >= d->value[ELF_STRSZ])
		return false;
	if (s == d->symbols)
		return s->st_shndx == SHN_UNDEF && s->st_value == 0;
	if (s->st_shndx == SHN_UNDEF) /* else it would be taken for one that is defined here */
		return s->st_value == 0 && ELF64_ST_BIND(s->st_info) != STB_LOCAL &&
		       ELF64_ST_VISIBILITY(s->st_other) == STV_DEFAULT;
	if (s->st_shndx == SHN_ABS || type == STT_TLS)
		return true;
	if (type == STT_FUNC || type == STT_GNU_IFUNC)
		return elf_has(d->image, s->st_value, s->st_size, PF_R | PF_X);
	return s->st_size == 0 || elf_has(d->image, s->st_value, s->st_size, PF_R);
}

int elf_symbols_check(struct elf_dynamic *d, struct err *err)
{
	if (!d->there[ELF_SYMTAB] || (!d->there[ELF_GNU_HASH] && !d->there[ELF_HASH]) ||
	    d->value[ELF_SYMENT] != sizeof(ElfW(Sym)))
		return elf_damaged(err, symbol_table);
	if (d->there[ELF_GNU_HASH] && count_by_gnu_hash(d, err) != 0)
		return -1;
	if (d->there[ELF_HASH] && count_by_hash(d, err) != 0)
		return -1;
	d->symbols = elf_at(d->image, d->value[ELF_SYMTAB], d->n_symbols * sizeof(ElfW(Sym)), _Alignof(ElfW(Sym)));
	if (!d->symbols)
		return elf_damaged(err, symbol_table);
	for (uint64_t i = 0; i < d->n_symbols; i++)
		if (!symbol_ok(d, &d->symbols[i]))
			return elf_damaged(err, symbol_table);
	return 0;
}

/* ---- Versions */

/* The loader stops the whole program when a version is wanted of a library that the file does not ask for. */
static bool is_needed(const struct elf_dynamic *d, uint64_t name)
{
	for (size_t i = 0; name < d->value[ELF_STRSZ] && i < d->n; i++)
		if (d->entries[i].d_tag == DT_NEEDED &&
		    strcmp(d->strings + d->entries[i].d_un.d_val, d->strings + name) == 0)
			return true;
	return false;
}

static int wanted_versions(const struct elf_dynamic *d, uint64_t *highest, struct err *err)
{
	uint64_t at = d->value[ELF_VERNEED];

	for (const ElfW(Verneed) * need; d->there[ELF_VERNEED]; at += need->vn_next) {
		need = elf_at(d->image, at, sizeof(*need), sizeof(uint32_t));
		if (!need || need->vn_version != 1 || !is_needed(d, need->vn_file))
			return elf_damaged(err, versions);
		uint64_t aux_at = at + need->vn_aux;
		for (const ElfW(Vernaux) * aux;; aux_at += aux->vna_next) {
			aux = elf_at(d->image, aux_at, sizeof(*aux), sizeof(uint32_t));
			if (!aux || aux->vna_name >= d->value[ELF_STRSZ])
				return elf_damaged(err, versions);
			uint64_t index = aux->vna_other & 0x7fffu;
			*highest = index > *highest ? index : *highest;
			if (aux->vna_next == 0)
				break;
		}
		if (need->vn_next == 0)
			break;
	}
	return 0;
}

static int offered_versions(const struct elf_dynamic *d, uint64_t *highest, struct err *err)
{
	uint64_t at = d->value[ELF_VERDEF];

	for (const ElfW(Verdef) * def; d->there[ELF_VERDEF]; at += def->vd_next) {
		def = elf_at(d->image, at, sizeof(*def), sizeof(uint32_t));
		if (!def || def->vd_version != 1)
			return elf_damaged(err, versions);
		const ElfW(Verdaux) *aux = elf_at(d->image, at + def->vd_aux, sizeof(*aux), sizeof(uint32_t));
		if (!aux || aux->vda_name >= d->value[ELF_STRSZ])
			return elf_damaged(err, versions);
		uint64_t index = def->vd_ndx & 0x7fffu;
		*highest = index > *highest ? index : *highest;
		if (def->vd_next == 0)
			break;
	}
	return 0;
}

int elf_versions_check(const struct elf_dynamic *d, struct err *err)
{
	uint64_t highest = 1; /* 0 and 1 are: none, global */

	if (d->there[ELF_VERSYM] != (d->there[ELF_VERNEED] || d->there[ELF_VERDEF]))
		return elf_damaged(err, versions);
	if (!d->there[ELF_VERSYM])
		return 0;
	const uint16_t *of_symbols =
		elf_at(d->image, d->value[ELF_VERSYM], d->n_symbols * sizeof(uint16_t), sizeof(uint16_t));
	if (!of_symbols)
		return elf_damaged(err, versions);
	if (wanted_versions(d, &highest, err) != 0 || offered_versions(d, &highest, err) != 0)
		return -1;
	for (uint64_t i = 0; i < d->n_symbols; i++)
		if ((of_symbols[i] & 0x7fffu) > highest)
			return elf_damaged(err, versions);
	return 0;
}
