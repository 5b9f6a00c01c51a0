/* test_backdoor.c - that there is no other way in than the proof: what nobody signed is tried from trusted-looking
 * addresses, with the words that people write into such exceptions, and with all words in the plugin's own file. */
#include "conform/tests.h"

#include "conform/bench.h"

#include <patchbay/sugar.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 3000
#define WORD_MIN 4
#define WORD_MAX 64
#define LARGE ((size_t)900 << 10)

struct words {
	patchbay_str v[WORDS_MAX];
	size_t n;
};

static const char *const usual[] = {
	"x-test",
	"x-debug",
	"x-internal",
	"x-skip-verify",
	"x-skip-signature",
	"x-no-verify",
	"x-admin",
	"x-bypass",
	"x-forwarded-for",
	"x-health-check",
	"x-test-mode",
	"x-environment",
	"ping",
	"test",
	"debug",
	"health",
	"healthcheck",
	"heartbeat",
	"challenge",
	"url_verification",
	"verification",
	"validate",
	"dry_run",
	"curl/8.0",
	"curl/7.88.1",
	"kube-probe/1.29",
	"ELB-HealthChecker/2.0",
	"GoogleHC/1.0",
	"Pingdom.com_bot_version_1.4",
	"application/x-www-form-urlencoded",
	"text/plain",
	"text/xml",
	"multipart/form-data; boundary=x",
	"application/json; charset=utf-8",
};

static void add_word(struct words *words, struct kit *kit, patchbay_str word)
{
	if (words->n < WORDS_MAX)
		words->v[words->n++] = kit_copy(kit, word);
}

/* The texts in the plugin's file: whatever it compares something with is most likely among them. */
static void read_words(struct words *words, struct kit *kit)
{
	FILE *f = fopen(kit->order->path, "re");
	char word[WORD_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		add_word(words, kit, str_c(usual[i]));
	for (int c = 0; f && c != EOF;) {
		c = fgetc(f);
		if (c >= 0x20 && c < 0x7f && n < WORD_MAX) {
			word[n++] = (char)c;
			continue;
		}
		if (n >= WORD_MIN)
			add_word(words, kit, (patchbay_str){ word, n });
		n = 0;
	}
	if (f)
		fclose(f);
}

/* Is this address one of those that the options let in? */
static bool is_listed(const struct bench *bench, const uint8_t addr[16])
{
	uint32_t n, size;
	const patchbay_option *table = kit_table_of(bench->kit->plugin, SIDE_SOURCE, &n, &size);

	for (uint32_t i = 0; i < n; i++) {
		patchbay_cidrs list;
		if (table[i].type != PATCHBAY_T_CIDRS)
			continue;
		memcpy(&list, (const char *)bench->a.options + table[i].offset, sizeof(list));
		for (size_t k = 0; k < list.n; k++)
			if (patchbay_cidr_has(&list.v[k], addr))
				return true;
	}
	return false;
}

static void must_stay_out(struct bench *bench, const patchbay_request *r)
{
	struct kit *kit = bench->kit;

	if (bench_verify(&bench->a, r) == PATCHBAY_OK)
		kit_fail(kit, "verify() answers OK to what nobody signed, %s: whoever finds that out can post events",
			 kit->what);
}

static void try_addresses(struct bench *bench, const patchbay_request *plain)
{
	static const struct {
		const char *text;
		uint8_t addr[16];
	} from[] = { { "127.0.0.1", { [10] = 0xff, [11] = 0xff, 127, 0, 0, 1 } },
		     { "10.0.0.1", { [10] = 0xff, [11] = 0xff, 10, 0, 0, 1 } },
		     { "192.168.1.1", { [10] = 0xff, [11] = 0xff, 192, 168, 1, 1 } },
		     { "172.16.0.1", { [10] = 0xff, [11] = 0xff, 172, 16, 0, 1 } },
		     { "169.254.169.254", { [10] = 0xff, [11] = 0xff, 169, 254, 169, 254 } },
		     { "::1", { [15] = 1 } },
		     { "fd00::1", { [0] = 0xfd, [15] = 1 } },
		     { "fe80::1", { [0] = 0xfe, [1] = 0x80, [15] = 1 } },
		     { "", { 0 } } };

	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		patchbay_request r = *plain;
		if (is_listed(bench, from[i].addr))
			continue;
		r.client = str_c(from[i].text);
		memcpy(r.client_addr, from[i].addr, 16);
		kit_what(bench->kit, "from %s", from[i].text[0] ? from[i].text : "a unix socket");
		must_stay_out(bench, &r);
	}
}

static bool names_header(patchbay_str word)
{
	for (size_t i = 0; i < word.n; i++)
		if (!isalnum((unsigned char)word.p[i]) && word.p[i] != '-' && word.p[i] != '_')
			return false;
	return true;
}

static patchbay_request with_header(struct kit *kit, const patchbay_request *r, patchbay_str key, patchbay_str value)
{
	for (uint32_t i = 0; i < r->n_headers; i++)
		if (str_eq(r->headers[i].key, key))
			return wire_with_header(kit, r, i, value);
	return wire_add_header(kit, r, r->n_headers, key, value);
}

static void try_word(struct bench *bench, const patchbay_request *plain, patchbay_str word)
{
	static const char *const values[] = { "1", "true", "test", "yes" };
	static const char *const headers[] = { "user-agent", "content-type", "authorization", "origin" };
	struct kit *kit = bench->kit;
	patchbay_request r;

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		r = with_header(kit, plain, str_c(headers[i]), word);
		kit_what(kit, "with the header %s: %.*s", headers[i], STR_ARG(word));
		must_stay_out(bench, &r);
	}
	r = *plain;
	r.query = word;
	kit_what(kit, "with the query %.*s", STR_ARG(word));
	must_stay_out(bench, &r);
	if (!names_header(word))
		return;
	patchbay_str name = kit_copy(kit, word);
	for (size_t i = 0; i < name.n; i++)
		((char *)(uintptr_t)name.p)[i] = (char)tolower((unsigned char)name.p[i]);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		r = with_header(kit, plain, name, str_c(values[i]));
		kit_what(kit, "with the header %.*s: %s", STR_ARG(name), values[i]);
		must_stay_out(bench, &r);
	}
	r = *plain;
	r.query = kit_format(kit, "%.*s=1", STR_ARG(word));
	kit_what(kit, "with the query %.*s", STR_ARG(r.query));
	must_stay_out(bench, &r);
	r = *plain;
	r.body = kit_format(
		kit, "{\"type\":\"%.*s\",\"event\":\"%.*s\",\"action\":\"%.*s\",\"kind\":\"%.*s\",\"%.*s\":true}",
		STR_ARG(word), STR_ARG(word), STR_ARG(word), STR_ARG(word), STR_ARG(word));
	kit_what(kit, "with the body %.*s", STR_ARG(r.body));
	must_stay_out(bench, &r);
}

void test_source_backdoor(struct kit *kit)
{
	struct words *words = kit_alloc(kit, sizeof(*words));
	struct bench bench;
	patchbay_request plain, r;
	size_t tried = 0;

	bench_open(&bench, kit, true);
	if (bench.by_address || !bench.can_play || !bench_pick(&bench, false, &r, &plain))
		plain = bench_plain(&bench, STR("{\"id\":1}"));
	static const uint8_t nobody[16] = { [10] = 0xff, [11] = 0xff, 203, 0, 113, 78 };
	memcpy(plain.client_addr, nobody, 16);
	plain.client = STR("203.0.113.78");
	kit_what(kit, "as it is");
	if (bench_verify(&bench.a, &plain) == PATCHBAY_OK)
		kit_skip(kit, "it lets everybody in; see source.forged");
	try_addresses(&bench, &plain);
	r = plain;
	r.body = STR("");
	kit_what(kit, "with an empty body");
	must_stay_out(&bench, &r);
	r.body = (patchbay_str){ kit_alloc(kit, LARGE), LARGE };
	kit_what(kit, "with a body of %zu bytes", LARGE);
	must_stay_out(&bench, &r);
	read_words(words, kit);
	for (; tried < words->n && !kit_hurries(kit); tried++) {
		struct arena memory = kit->memory; /* what this round needs is given back */
		kit->memory = (struct arena){ 0 };
		try_word(&bench, &plain, words->v[tried]);
		arena_fini(&kit->memory);
		kit->memory = memory;
	}
	kit_info(kit, "%zu words", tried);
	bench_close(&bench);
}
