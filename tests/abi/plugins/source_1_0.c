/* source_1_0.c - a source that uses as much of version 1.0 as there is. Like the headers that it is built against, it
 * stays as it is: later versions get plugins of their own beside it. */
#include "common.h"

#include <patchbay/fetch.h>
#include <patchbay/simulate.h>

#include <stdlib.h>

struct member {
	patchbay_str name;
	int64_t weight;
};

struct table {
	bool on;
	patchbay_list members;
};

struct options {
	patchbay_strs secret;
	bool yes;
	int64_t number;
	double real;
	patchbay_str word;
	patchbay_strs words;
	int64_t mode;
	int64_t wait;
	int64_t room;
	patchbay_cidrs nets;
	const struct table *table;
	patchbay_str polled;
};

static const char *const modes[] = { "slow", "fast", NULL };

static const patchbay_option member_options[] = {
	OPTION(struct member, PATCHBAY_T_STR, name, .flags = PATCHBAY_F_REQUIRED),
	OPTION(struct member, PATCHBAY_T_INT, weight, .def = "1", .min = 1, .max = 100),
};

static const patchbay_option table_options[] = {
	OPTION(struct table, PATCHBAY_T_BOOL, on, .def = "true"),
	OPTION(struct table, PATCHBAY_T_LIST, members, .fields = member_options, .n_fields = LENGTH(member_options),
	       .fields_size = sizeof(struct member)),
};

static const patchbay_option source_options[] = {
	OPTION(struct options, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_SECRET | PATCHBAY_F_REQUIRED, .max = 4,
	       .help = "What its requests are signed with."),
	OPTION(struct options, PATCHBAY_T_BOOL, yes, .help = "A truth."),
	OPTION(struct options, PATCHBAY_T_INT, number, .def = "3", .min = -10, .max = 10, .help = "A number."),
	OPTION(struct options, PATCHBAY_T_REAL, real, .help = "A number with a fraction."),
	OPTION(struct options, PATCHBAY_T_STR, word, .def = "none", .help = "A word."),
	OPTION(struct options, PATCHBAY_T_STRS, words, .help = "Some words."),
	OPTION(struct options, PATCHBAY_T_ENUM, mode, .one_of = modes, .def = "slow", .help = "One of two."),
	OPTION(struct options, PATCHBAY_T_MS, wait, .def = "2s", .help = "A time."),
	OPTION(struct options, PATCHBAY_T_BYTES, room, .def = "1K", .help = "A size."),
	OPTION(struct options, PATCHBAY_T_CIDRS, nets, .help = "Some networks."),
	OPTION(struct options, PATCHBAY_T_MAP, table, .fields = table_options, .n_fields = LENGTH(table_options),
	       .fields_size = sizeof(struct table), .help = "A table."),
	OPTION(struct options, PATCHBAY_T_STR, polled, .help = "The id of an event that is fetched; none: nothing is."),
};

struct source {
	const patchbay_host *host;
	const struct options *options;
	struct services s;
	patchbay_hmac *key;
};

/* ---- Life */

static bool services_work(const struct source *self, patchbay_call *call)
{
	const struct services *s = &self->s;
	patchbay_str text = s->crypto->base64(call, str("foob")), seed = str("0123456789abcdef0123456789abcdef"), back;
	patchbay_str parts[] = { S("fo"), S("ob") }, whole = S("foob"), time = S("2026-01-02 03:04:05.5+01");
	int64_t ns = 0;
	patchbay_str signature = s->ed25519->sign(call, seed, parts, 2);
	return is(text, "Zm9vYg==") && s->crypto->unbase64(call, text, &back) && is(back, "foob") &&
	       s->ed25519->is(call, s->ed25519->public_key(call, seed), &whole, 1, signature) &&
	       s->crypto->hmac_raw(call, self->key, parts, 2).n == 32 &&
	       s->crypto->equal(s->crypto->hmac_raw(call, self->key, parts, 2),
				s->crypto->hmac_raw(call, self->key, &whole, 1)) &&
	       s->crypto->sha256_hex(call, whole).n == 64 && s->time->parse(time, &ns) &&
	       is(s->time->format(call, ns), "2026-01-02T02:04:05.500Z");
}

static patchbay_status check(const patchbay_host *host, patchbay_call *call, const void *p)
{
	const struct options *o = p;
	if (o->number == 7)
		return explain(host, call, PATCHBAY_ECONFIG, "seven is not to be had");
	if (o->number == 8)
		host->explain(call, str("eight is a lot"));
	return PATCHBAY_OK;
}

static void destroy(void *p)
{
	struct source *self = p;
	if (!self)
		return;
	if (self->s.crypto)
		self->s.crypto->hmac_free(self->key);
	free(self);
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **ret)
{
	struct source *self = calloc(1, sizeof(*self));
	if (!self)
		return PATCHBAY_ENOMEM;
	*ret = self;
	self->host = host;
	self->options = options;
	const char *missing = find_services(host, &self->s);
	if (missing)
		return explain(host, call, PATCHBAY_ECONFIG, missing);
	self->key = self->s.crypto->hmac_new(PATCHBAY_SHA256, self->options->secret.v[0]);
	if (!self->key || !services_work(self, call))
		return explain(host, call, PATCHBAY_ECONFIG, "a service does not do what it did in 1.0");
	host->log(host, PATCHBAY_LOG_DEBUG, str("made"));
	return host->left_ms(call) > 0 && host->now_ns(host) > 0 ? PATCHBAY_OK : PATCHBAY_ECONFIG;
}

/* ---- Requests */

static patchbay_status verify(const void *p, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct source *self = p;
	patchbay_str hex = { NULL, 0 };
	for (uint32_t i = 0; i < r->n_headers; i++)
		if (is(r->headers[i].key, "x-abi-signature"))
			hex = r->headers[i].value;
	if (r->query.n) {
		reply->http_status = 202;
		reply->content_type = str("text/abi");
		reply->body = r->query;
		return PATCHBAY_REPLY;
	}
	if (!self->s.crypto->hmac_is(self->key, &r->body, 1, hex))
		return explain(self->host, call, PATCHBAY_EDENIED, "the signature is not that of the secret");
	patchbay_str name = self->host->secret_name(self->host, "secret", 0);
	self->host->explain(call, fmt(self->host, call, "HMAC-SHA256 (%.*s)", (int)name.n, name.p));
	return PATCHBAY_OK;
}

/* Every option, as it came over: what the test compares. */
static patchbay_str summary(const struct source *self, patchbay_call *call)
{
	const struct options *o = self->options;
	const struct member *members = o->table ? o->table->members.v : NULL;
	size_t n = o->table ? o->table->members.n : 0;
	return fmt(self->host, call, "%d %lld %g %.*s %zu:%.*s %lld %lld %lld %zu:%u %d %zu:%.*s=%lld", o->yes,
		   (long long)o->number, o->real, (int)o->word.n, o->word.p, o->words.n,
		   o->words.n ? (int)o->words.v[o->words.n - 1].n : 0, o->words.n ? o->words.v[o->words.n - 1].p : "",
		   (long long)o->mode, (long long)o->wait, (long long)o->room, o->nets.n,
		   o->nets.n ? o->nets.v[o->nets.n - 1].bits : 0, o->table ? o->table->on : -1, n,
		   n ? (int)members[n - 1].name.n : 0, n ? members[n - 1].name.p : "",
		   n ? (long long)members[n - 1].weight : 0);
}

static patchbay_status emit_one(const struct source *self, patchbay_call *call, const patchbay_json *item,
				const patchbay_emitter *emitter)
{
	const patchbay_json_service *json = self->s.json;
	patchbay_event event = { .size = sizeof(event),
				 .dedupe = PATCHBAY_DEDUPE_KEY,
				 .flags = PATCHBAY_EVENT_ENRICH,
				 .type = json->text(call, json->get(call, item, str("type"))),
				 .subject = summary(self, call),
				 .key = json->text(call, json->find(call, item, "nowhere|ID", true)),
				 .data = json->raw(item),
				 GROWN };
	self->s.time->parse(json->text(call, json->get(call, item, str("at"))), &event.time_ns);
	return emitter->emit(emitter->ctx, &event);
}

static patchbay_status parse(const void *p, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct source *self = p;
	const patchbay_json *all = self->s.json->parse(call, r->body);
	if (self->s.json->type(all) != PATCHBAY_JSON_ARRAY)
		return explain(self->host, call, PATCHBAY_EMALFORMED, "the body is no list");
	patchbay_status status = PATCHBAY_OK;
	for (uint32_t i = 0; status == PATCHBAY_OK && i < self->s.json->count(all); i++)
		status = emit_one(self, call, self->s.json->at(call, all, i), emitter);
	return status;
}

/* ---- Abilities */

static const patchbay_sample samples[] = {
	{ .size = sizeof(patchbay_sample), .name = "ping", .about = "one event", GROWN },
	{ .size = sizeof(patchbay_sample), .name = "pair", .about = "two at once", GROWN },
};

static patchbay_status body(const void *p, patchbay_call *call, uint32_t i, uint64_t serial, patchbay_str *out)
{
	const struct source *self = p;
	unsigned long long n = serial;
	if (i == 0)
		*out = fmt(self->host, call, "[{\"type\":\"ping\",\"id\":\"a%llu\",\"at\":\"2026-01-02T03:04:05Z\"}]",
			   n);
	else
		*out = fmt(self->host, call,
			   "[{\"type\":\"ping\",\"id\":\"b%llu\"},{\"type\":\"pong\",\"id\":\"c%llu\"}]", n, n);
	return out->n ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

static patchbay_status sign(const void *p, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct source *self = p;
	patchbay_str other = S("another body");
	const patchbay_str *what = flags & PATCHBAY_SIGN_WRONG ? &other : &r->body;
	patchbay_kv *header = self->host->alloc(call, sizeof(*header));
	(void)try_;
	if (!header)
		return PATCHBAY_ENOMEM;
	header->key = str("x-abi-signature");
	header->value = self->s.crypto->hmac_hex(call, self->key, what, 1);
	r->headers = header;
	r->n_headers = 1;
	return PATCHBAY_OK;
}

static bool wanted(const void *p)
{
	const struct source *self = p;
	return self->options->polled.n > 0;
}

static patchbay_status poll(void *p, patchbay_call *call, patchbay_str cursor, const patchbay_emitter *emitter,
			    patchbay_str *ret_cursor, int64_t *ret_again_ms)
{
	const struct source *self = p;
	patchbay_str id = self->options->polled;
	*ret_again_ms = 60000;
	if (cursor.n)
		return PATCHBAY_OK;
	patchbay_str item = fmt(self->host, call, "{\"type\":\"polled\",\"id\":\"%.*s\"}", (int)id.n, id.p);
	*ret_cursor = str("done");
	return emit_one(self, call, self->s.json->parse(call, item), emitter);
}

static patchbay_status enrich(void *p, patchbay_call *call, const patchbay_delivery *event, patchbay_str *ret_details)
{
	const struct source *self = p;
	*ret_details = fmt(self->host, call, "{\"about\":\"%.*s\"}", (int)event->type.n, event->type.p);
	return PATCHBAY_OK;
}

static const void *extension(const char *id)
{
	static const patchbay_simulate simulate = { .size = sizeof(simulate),
						    .n_samples = LENGTH(samples),
						    .samples = samples,
						    .body = body,
						    .sign = sign,
						    GROWN };
	static const patchbay_poll polls = { .size = sizeof(polls), .wanted = wanted, .poll = poll, GROWN };
	static const patchbay_enrich enriches = { .size = sizeof(enriches), .enrich = enrich, GROWN };
	static const uint32_t of_tomorrow[4] = { sizeof(of_tomorrow), 1, 2, 3 };
	if (strcmp(id, PATCHBAY_SIMULATE) == 0)
		return &simulate;
	if (strcmp(id, PATCHBAY_POLL) == 0)
		return &polls;
	if (strcmp(id, PATCHBAY_ENRICH) == 0)
		return &enriches;
	return strcmp(id, "x.acme.tomorrow/1") == 0 ? of_tomorrow : NULL;
}

/* ---- The plugin */

static const uint32_t retries[] = { 5, 60 };
static const uint16_t success[] = { 200, 299 };

static const patchbay_provider provider = { .size = sizeof(provider),
					    .answer_ms = 5000,
					    .retry_s = retries,
					    .n_retry = LENGTH(retries),
					    .retry_horizon_s = 600,
					    .ok = success,
					    .n_ok = LENGTH(success) / 2,
					    .final_refusal = 410,
					    .authentication = "HMAC-SHA256 of the body, in x-abi-signature",
					    .notes = "Nobody but the tests.",
					    .docs_url = "https://example.org/abi",
					    GROWN };

static const patchbay_source source = { .size = sizeof(source),
					.n_options = LENGTH(source_options),
					.options = source_options,
					.options_size = sizeof(struct options),
					.provider = &provider,
					.check = check,
					.create = create,
					.destroy = destroy,
					.verify = verify,
					.parse = parse,
					.extension = extension,
					GROWN };

const patchbay_plugin patchbay_plugin_v1 = { .size = sizeof(patchbay_plugin),
					     .abi_minor = PATCHBAY_ABI_MINOR,
					     .abi_minor_need = 0,
					     .name = "abi-source",
					     .version = "1.0.0",
					     .license = "Apache-2.0",
					     .summary = "a source of version 1.0, for tests",
					     .source = &source,
					     GROWN };
