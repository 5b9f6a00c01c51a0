/* bench.c - plays a source's provider with the plugin's own ability to do so. */
#include "conform/bench.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MS 1000 /* for verify and parse together */
#define CLIENTS_MAX 64

struct client {
	uint8_t addr[16];
};

static void set_client(struct bench *bench, const uint8_t addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];

	memcpy(bench->addr, addr, 16);
	if (memcmp(addr, mapped, 12) == 0)
		inet_ntop(AF_INET, addr + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, addr, text, sizeof(text));
	bench->client = kit_copy(bench->kit, str_c(text));
}

/* Is any sample that comes from where the bench says genuine to this instance? */
static bool is_taken(struct bench *bench, struct guest *guest)
{
	for (uint32_t i = 0; i < bench->play.n_samples; i++) {
		patchbay_request request;
		if (bench_sample(bench, guest, i, 0, 0, &request, NULL) == PATCHBAY_OK &&
		    bench_verify(guest, &request) == PATCHBAY_OK)
			return true;
	}
	return false;
}

/* The addresses that the options list, after one that nobody lists. */
static size_t list_clients(const struct bench *bench, const struct guest *guest, struct client v[CLIENTS_MAX])
{
	uint32_t n_options, size;
	const patchbay_option *table = kit_table_of(bench->kit->plugin, SIDE_SOURCE, &n_options, &size);
	size_t n = 1;

	v[0] = (struct client){ { [10] = 0xff, [11] = 0xff, 203, 0, 113, 77 } };
	for (uint32_t i = 0; i < n_options; i++) {
		patchbay_cidrs list;
		if (table[i].type != PATCHBAY_T_CIDRS)
			continue;
		memcpy(&list, (const char *)guest->options + table[i].offset, sizeof(list));
		for (size_t k = 0; k < list.n && n < CLIENTS_MAX; k++)
			memcpy(v[n++].addr, list.v[k].addr, 16);
	}
	return n;
}

/* Finds the address for the samples of this instance. False: they are refused from everywhere. */
static bool find_address(struct bench *bench, struct guest *guest)
{
	struct client clients[CLIENTS_MAX];
	size_t n = list_clients(bench, guest, clients);

	for (size_t i = 0; i < n; i++) {
		set_client(bench, clients[i].addr);
		kit_what(bench->kit, "a sample from %.*s", STR_ARG(bench->client));
		if (!is_taken(bench, guest))
			continue;
		bench->by_address = i > 0;
		kit_what(bench->kit, "%s", "");
		return true;
	}
	set_client(bench, clients[0].addr);
	kit_what(bench->kit, "%s", "");
	return false;
}

bool bench_plays(struct kit *kit)
{
	patchbay_simulate play;

	return simulate_get(kit->plugin, &play) && play.n_samples > 0;
}

void bench_open(struct bench *bench, struct kit *kit, bool anything)
{
	*bench = (struct bench){ .kit = kit };
	guest_open(&bench->a, kit, SIDE_SOURCE, 0);
	bench->can_play = simulate_get(kit->plugin, &bench->play) && bench->play.n_samples > 0;
	bool genuine = bench->can_play && find_address(bench, &bench->a);
	if (!bench->can_play)
		set_client(bench, (const uint8_t[16]){ [10] = 0xff, [11] = 0xff, 203, 0, 113, 77 });
	if (genuine || anything)
		return;
	if (!bench->can_play)
		kit_skip(kit, BENCH_NO_PLAY);
	kit_skip(kit, "the plugin refuses what it plays itself; see source.genuine");
}

void bench_close(struct bench *bench)
{
	guest_close(&bench->a);
}

bool bench_pick(struct bench *bench, bool largest, patchbay_request *ret, patchbay_request *ret_plain)
{
	bool found = false;

	for (uint32_t i = 0; i < bench->play.n_samples; i++) {
		patchbay_request r, plain;
		if (bench_sample(bench, &bench->a, i, 0, 0, &r, &plain) != PATCHBAY_OK ||
		    bench_verify(&bench->a, &r) != PATCHBAY_OK)
			continue;
		if (found && (largest ? r.body.n <= ret->body.n : r.body.n >= ret->body.n))
			continue;
		*ret = r;
		*ret_plain = plain;
		found = true;
	}
	return found;
}

/* ---- Requests */

patchbay_request wire_copy(struct kit *kit, const patchbay_request *r)
{
	patchbay_request copy = *r;
	patchbay_kv *headers = kit_alloc(kit, (r->n_headers + 1) * sizeof(*headers));

	for (uint32_t i = 0; i < r->n_headers; i++)
		headers[i] = (patchbay_kv){ kit_copy(kit, r->headers[i].key), kit_copy(kit, r->headers[i].value) };
	copy.headers = headers;
	copy.method = kit_copy(kit, r->method);
	copy.path = kit_copy(kit, r->path);
	copy.query = kit_copy(kit, r->query);
	copy.body = kit_copy(kit, r->body);
	copy.client = kit_copy(kit, r->client);
	return copy;
}

patchbay_request bench_plain(struct bench *bench, patchbay_str body)
{
	struct kit *kit = bench->kit;
	patchbay_kv *headers = kit_alloc(kit, 4 * sizeof(*headers));
	patchbay_request r = { .size = sizeof(r),
			       .headers = headers,
			       .n_headers = 4,
			       .method = STR("POST"),
			       .path = STR("/in/tried"),
			       .query = STR(""),
			       .body = body,
			       .client = bench->client,
			       .received_ns = kit_now_ns(kit) };

	headers[0] = (patchbay_kv){ STR("host"), STR("patchbay.example.org") };
	headers[1] = (patchbay_kv){ STR("content-type"), STR("application/json") };
	headers[2] = (patchbay_kv){ STR("user-agent"), STR("patchbay-check") };
	headers[3] = (patchbay_kv){ STR("content-length"), kit_format(kit, "%zu", body.n) };
	memcpy(r.client_addr, bench->addr, sizeof(r.client_addr));
	return r;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* As headers come in: their names in lower case, their values trimmed. */
static void send_headers(struct bench *bench, const patchbay_request *r)
{
	for (uint32_t i = 0; i < r->n_headers; i++) {
		patchbay_kv *header = (patchbay_kv *)(uintptr_t)&r->headers[i];
		char *key = (char *)(uintptr_t)header->key.p;
		for (size_t k = 0; k < header->key.n; k++) {
			bench->capitals |= isupper((unsigned char)key[k]) != 0;
			key[k] = (char)tolower((unsigned char)key[k]);
		}
		while (header->value.n > 0 && is_space(header->value.p[0])) {
			header->value.p++;
			header->value.n--;
		}
		while (header->value.n > 0 && is_space(header->value.p[header->value.n - 1]))
			header->value.n--;
	}
}

static patchbay_status sign(struct bench *bench, struct guest *guest, uint32_t flags, patchbay_request *r)
{
	kit_enter(bench->kit, "sign()");
	patchbay_status status = bench->play.sign(guest->self, &guest->call, flags, 0, r);
	kit_leave(bench->kit, "sign()");
	if (status > 0)
		kit_fail(bench->kit, "sign() answers %s (%d), which it must not", kit_status_name(status), (int)status);
	if (status == PATCHBAY_OK) {
		*r = wire_copy(bench->kit, r);
		send_headers(bench, r);
	}
	return status;
}

patchbay_status bench_sign(struct bench *bench, struct guest *guest, patchbay_request *r)
{
	guest_begin(guest, 0);
	return sign(bench, guest, 0, r);
}

patchbay_status bench_sample(struct bench *bench, struct guest *guest, uint32_t i, uint64_t serial, uint32_t flags,
			     patchbay_request *ret, patchbay_request *ret_plain)
{
	struct kit *kit = bench->kit;
	patchbay_str body = { NULL, 0 };

	guest_begin(guest, 0);
	kit_enter(kit, "body()");
	patchbay_status status = bench->play.body(guest->self, &guest->call, i, serial, &body);
	kit_leave(kit, "body()");
	if (status > 0)
		kit_fail(kit, "body() answers %s (%d), which it must not", kit_status_name(status), (int)status);
	if (status != PATCHBAY_OK)
		return status;
	patchbay_request r = bench_plain(bench, kit_copy(kit, body));
	r = wire_copy(kit, &r);
	if (ret_plain)
		*ret_plain = r;
	*ret = r;
	return sign(bench, guest, flags, ret);
}

patchbay_request bench_with_body(struct bench *bench, const patchbay_request *plain, patchbay_str body)
{
	patchbay_request r = *plain;

	r.body = body;
	guest_begin(&bench->a, 0);
	patchbay_request signed_r = r;
	return bench->can_play && sign(bench, &bench->a, 0, &signed_r) == PATCHBAY_OK ? signed_r : r;
}

patchbay_request wire_with_header(struct kit *kit, const patchbay_request *r, uint32_t i, patchbay_str value)
{
	patchbay_request copy = *r;
	patchbay_kv *headers = kit_alloc(kit, (r->n_headers + 1) * sizeof(*headers));

	memcpy(headers, r->headers, r->n_headers * sizeof(*headers));
	headers[i].value = value;
	copy.headers = headers;
	return copy;
}

patchbay_request wire_without_header(struct kit *kit, const patchbay_request *r, uint32_t i)
{
	patchbay_request copy = wire_with_header(kit, r, i, r->headers[i].value);
	patchbay_kv *headers = (patchbay_kv *)(uintptr_t)copy.headers;

	memmove(&headers[i], &headers[i + 1], (r->n_headers - i - 1) * sizeof(*headers));
	copy.n_headers--;
	return copy;
}

patchbay_request wire_add_header(struct kit *kit, const patchbay_request *r, uint32_t before, patchbay_str key,
				 patchbay_str value)
{
	patchbay_request copy = *r;
	patchbay_kv *headers = kit_alloc(kit, (r->n_headers + 1) * sizeof(*headers));

	memcpy(headers, r->headers, before * sizeof(*headers));
	headers[before] = (patchbay_kv){ key, value };
	memcpy(&headers[before + 1], &r->headers[before], (r->n_headers - before) * sizeof(*headers));
	copy.headers = headers;
	copy.n_headers++;
	return copy;
}

/* ---- Calls */

static void judge_reply(struct kit *kit, const patchbay_reply *reply)
{
	if (reply->http_status != 0 && (reply->http_status < 200 || reply->http_status > 599))
		kit_fail(kit,
			 "verify() answers REPLY with HTTP status %d; reply->http_status is 200 to 599, or 0 for 200",
			 (int)reply->http_status);
	(void)kit_copy(kit, reply->body); /* where it leads must be readable */
	(void)kit_copy(kit, reply->content_type);
}

patchbay_status bench_verify(struct guest *guest, const patchbay_request *r)
{
	struct {
		unsigned char before[64];
		patchbay_reply reply;
		unsigned char after[64];
	} room;
	struct kit *kit = guest->kit;

	memset(&room, 0xa5, sizeof(room));
	room.reply = (patchbay_reply){ .size = sizeof(room.reply) };
	guest_begin(guest, REQUEST_MS);
	kit_enter(kit, "verify()");
	patchbay_status status = kit->plugin->source->verify(guest->self, &guest->call, r, &room.reply);
	kit_leave(kit, "verify()");
	for (size_t i = 0; i < sizeof(room.before) && kit->judges_reply; i++)
		if (room.before[i] != 0xa5 || room.after[i] != 0xa5)
			kit_fail(kit,
				 "verify() writes outside of *reply%s%s; a reply of this host is %zu bytes long: see "
				 "reply->size",
				 kit->what[0] ? ", with " : "", kit->what, sizeof(room.reply));
	if (status > PATCHBAY_REPLY || status < PATCHBAY_EUNSUPPORTED)
		kit_fail(kit, "verify() answers with status %s (%d)%s%s; it may answer OK, REPLY or EDENIED",
			 kit_status_name(status), (int)status, kit->what[0] ? ", with " : "", kit->what);
	if (status == PATCHBAY_REPLY)
		judge_reply(kit, &room.reply);
	if (!kit->muted)
		kit_look_for_secrets(kit, SIDE_SOURCE, "verify()", guest->call.why);
	return status;
}

patchbay_status bench_parse(struct guest *guest, const patchbay_request *r, struct taken *taken)
{
	struct kit *kit = guest->kit;
	const patchbay_emitter emitter = taken_emitter(taken);

	kit_enter(kit, "parse()");
	patchbay_status status = kit->plugin->source->parse(guest->self, &guest->call, r, &emitter);
	kit_leave(kit, "parse()");
	if (status > 0 || status < PATCHBAY_EUNSUPPORTED)
		kit_fail(kit, "parse() answers with status %s (%d)%s%s; it may answer OK, EMALFORMED or ENOMEM",
			 kit_status_name(status), (int)status, kit->what[0] ? ", with " : "", kit->what);
	if (taken->refused && status != PATCHBAY_ENOMEM && kit->judges_events)
		kit_fail(kit, "emit() answers ENOMEM%s%s, and parse() answers %s; it must return what emit() answers",
			 kit->what[0] ? ", with " : "", kit->what, kit_status_name(status));
	if (taken->fault[0] && status == PATCHBAY_OK && kit->judges_events)
		kit_fail(kit, "parse() emits what is not well formed%s%s: %s", kit->what[0] ? ", with " : "", kit->what,
			 taken->fault);
	if (!kit->muted)
		kit_look_for_secrets(kit, SIDE_SOURCE, "parse()", guest->call.why);
	return status;
}

void bench_take(struct guest *guest, const patchbay_request *r, struct taken *taken)
{
	struct kit *kit = guest->kit;

	taken_init(taken, r);
	patchbay_status status = bench_verify(guest, r);
	if (status != PATCHBAY_OK)
		kit_fail(kit, "verify() answers %s to %s: %.*s", kit_status_name(status),
			 kit->what[0] ? kit->what : "a genuine request", STR_ARG(guest_why(guest)));
	status = bench_parse(guest, r, taken);
	if (status != PATCHBAY_OK)
		kit_fail(kit, "parse() answers %s to %s: %.*s", kit_status_name(status),
			 kit->what[0] ? kit->what : "a genuine request", STR_ARG(guest_why(guest)));
}
