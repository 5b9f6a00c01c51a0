/* source.h - a sound source, whose parts can be replaced: define VERIFY, PARSE, ... before including this, write that
 * function, and end with SOURCE_PLUGIN("name"). Its provider signs the body with HMAC-SHA256, in hex, in X-Signature.
 */
#ifndef BROKEN_SOURCE_H
#define BROKEN_SOURCE_H

#include <patchbay/keys.h>
#include <patchbay/play.h>
#include <patchbay/services.h>
#include <patchbay/simulate.h>
#include <patchbay/sugar.h>

#include <stdlib.h>

#ifndef CHECK
#define CHECK sound_check
#endif
#ifndef CREATE
#define CREATE sound_create
#endif
#ifndef DESTROY
#define DESTROY sound_destroy
#endif
#ifndef VERIFY
#define VERIFY sound_verify
#endif
#ifndef PARSE
#define PARSE sound_parse
#endif
#ifndef BODY
#define BODY sound_body
#endif
#ifndef SIGN
#define SIGN sound_sign
#endif
#ifndef EXTENSION
#define EXTENSION sound_extension
#endif
#ifndef PROVIDER
#define PROVIDER sound_provider
#endif
#ifndef OPTIONS
#define OPTIONS sound_options
#endif
#ifndef OPTIONS_SIZE
#define OPTIONS_SIZE sizeof(struct sound_config)
#endif
#ifndef LICENSE
#define LICENSE "MIT"
#endif

#define HEADER PATCHBAY_S("x-signature")
#define UNUSED __attribute__((unused))

struct sound_config {
	patchbay_strs secret;
	patchbay_cidrs allow_from;
	int64_t mode;
};

struct sound {
	const patchbay_host *host;
	const struct sound_config *config;
	const patchbay_json_service *json;
	const patchbay_crypto_service *crypto;
	const patchbay_time_service *time;
	patchbay_keys keys;
	patchbay_str word; /* for those that keep one */
};

static patchbay_status CHECK(const patchbay_host *, patchbay_call *, const void *);
static patchbay_status CREATE(const patchbay_host *, patchbay_call *, const void *, void **);
static void DESTROY(void *);
static patchbay_status VERIFY(const void *, patchbay_call *, const patchbay_request *, patchbay_reply *);
static patchbay_status PARSE(const void *, patchbay_call *, const patchbay_request *, const patchbay_emitter *);
static patchbay_status BODY(const void *, patchbay_call *, uint32_t, uint64_t, patchbay_str *);
static patchbay_status SIGN(const void *, patchbay_call *, uint32_t, uint32_t, patchbay_request *);
static const void *EXTENSION(const char *);

UNUSED static const patchbay_option sound_options[] = {
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_SECRET | PATCHBAY_F_REQUIRED,
			.help = "What the provider signs with.", .max = PATCHBAY_KEYS_MAX),
};

/* ---- Life */

UNUSED static patchbay_status sound_check(const patchbay_host *host, patchbay_call *call, const void *options)
{
	const struct sound_config *config = options;

	if (config->secret.n == 0) {
		host->explain(call, PATCHBAY_S("'secret' is empty; write what the provider signs with"));
		return PATCHBAY_ECONFIG;
	}
	return patchbay_keys_check(host, call, "secret", config->secret);
}

UNUSED static void sound_destroy(void *self)
{
	struct sound *s = self;

	if (!s)
		return;
	patchbay_keys_fini(&s->keys);
	free(s);
}

/* What every instance needs; NULL: explained. */
UNUSED static struct sound *sound_make(const patchbay_host *host, patchbay_call *call, const void *options)
{
	struct sound *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->host = host;
	s->config = options;
	s->json = host->service(host, PATCHBAY_JSON);
	s->crypto = host->service(host, PATCHBAY_CRYPTO);
	s->time = host->service(host, PATCHBAY_TIME);
	if (s->json && s->crypto && s->time)
		return s;
	host->explain(call, PATCHBAY_S("this host lacks the JSON, crypto or time service; use a newer one"));
	free(s);
	return NULL;
}

UNUSED static patchbay_status sound_create(const patchbay_host *host, patchbay_call *call, const void *options,
					   void **self)
{
	patchbay_status status = sound_check(host, call, options);
	struct sound *s = status == PATCHBAY_OK ? sound_make(host, call, options) : NULL;

	if (!s)
		return status == PATCHBAY_OK ? PATCHBAY_ECONFIG : status;
	status = patchbay_keys_init(&s->keys, host, call, s->crypto, PATCHBAY_SHA256, "secret", s->config->secret);
	if (status != PATCHBAY_OK) {
		sound_destroy(s);
		return status;
	}
	*self = s;
	return PATCHBAY_OK;
}

/* ---- Requests */

UNUSED static patchbay_status refuse(const struct sound *s, patchbay_call *call, const char *why)
{
	s->host->explain(call, patchbay_cstr(why));
	return PATCHBAY_EDENIED;
}

UNUSED static patchbay_status sound_verify(const void *self, patchbay_call *call, const patchbay_request *r,
					   patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex = patchbay_header(r, HEADER);
	(void)reply;

	if (!hex.p)
		return refuse(s, call, "X-Signature is missing, or comes several times");
	if (!patchbay_keys_match(&s->keys, &r->body, 1, hex))
		return refuse(s, call, "X-Signature matches no secret");
	s->host->explain(call, PATCHBAY_S("HMAC-SHA256"));
	return PATCHBAY_OK;
}

UNUSED static patchbay_status emit_one(const struct sound *s, patchbay_call *call, const patchbay_json *object,
				       const patchbay_emitter *emitter)
{
	const patchbay_json *id = s->json->get(call, object, PATCHBAY_S("id"));
	const patchbay_json *type = s->json->get(call, object, PATCHBAY_S("type"));
	patchbay_event event = { .size = sizeof(event), .data = s->json->raw(object) };

	if (s->json->type(id) != PATCHBAY_JSON_STRING || s->json->type(type) != PATCHBAY_JSON_STRING) {
		s->host->explain(call, PATCHBAY_S("an event has no 'id' or no 'type'"));
		return PATCHBAY_EMALFORMED;
	}
	event.key = s->json->text(call, id);
	event.type = s->json->text(call, type);
	event.subject = s->json->text(call, s->json->get(call, object, PATCHBAY_S("about")));
	return emitter->emit(emitter->ctx, &event);
}

UNUSED static patchbay_status sound_parse(const void *self, patchbay_call *call, const patchbay_request *r,
					  const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	const patchbay_json *root = s->json->parse(call, r->body);
	patchbay_status status = PATCHBAY_OK;

	if (s->json->type(root) == PATCHBAY_JSON_OBJECT)
		return emit_one(s, call, root, emitter);
	if (s->json->type(root) != PATCHBAY_JSON_ARRAY) {
		s->host->explain(call, PATCHBAY_S("the body is neither an object nor an array of them"));
		return PATCHBAY_EMALFORMED;
	}
	for (uint32_t i = 0; i < s->json->count(root) && status == PATCHBAY_OK; i++)
		status = emit_one(s, call, s->json->at(call, root, i), emitter);
	return status;
}

/* The whole body as one event, of which everything that is not set is sound. */
UNUSED static patchbay_status emit_body(const struct sound *s, patchbay_call *call, const patchbay_request *r,
					const patchbay_emitter *emitter, patchbay_event event)
{
	const patchbay_json *root = s->json->parse(call, r->body);

	if (s->json->type(root) != PATCHBAY_JSON_OBJECT && s->json->type(root) != PATCHBAY_JSON_ARRAY)
		return PATCHBAY_EMALFORMED;
	event.size = sizeof(event);
	if (!event.type.p)
		event.type = PATCHBAY_S("thing");
	if (!event.data.p)
		event.data = r->body;
	return emitter->emit(emitter->ctx, &event);
}

/* ---- Its provider */

static const patchbay_sample sound_samples[] = {
	{ .size = sizeof(patchbay_sample), .name = "opened", .about = "a thing was opened" },
	{ .size = sizeof(patchbay_sample), .name = "closed", .about = "a thing was closed" },
	{ .size = sizeof(patchbay_sample), .name = "several", .about = "two things were moved" },
};

UNUSED static patchbay_status sound_body(const void *self, patchbay_call *call, uint32_t i, uint64_t serial,
					 patchbay_str *out)
{
	const struct sound *s = self;
	unsigned long long n = serial;

	if (i == 2)
		*out = patchbay_fmt(s->host, call,
				    "[{\"id\":\"m-%llx\",\"type\":\"moved\",\"about\":\"door 1\"},"
				    "{\"id\":\"n-%llx\",\"type\":\"moved\",\"about\":\"door 2\",\"far\":12.50}]",
				    n, n);
	else
		*out = patchbay_fmt(
			s->host, call,
			"{\"id\":\"%c-%llx\",\"type\":\"%s\",\"about\":\"door 7\",\"weight\":1234567890123456789,"
			"\"note\":\"what the provider says of it, at some length\"}",
			i ? 'c' : 'o', n, i ? "closed" : "opened");
	return out->n ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

UNUSED static patchbay_status sound_sign(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_,
					 patchbay_request *r)
{
	const struct sound *s = self;
	patchbay_str hex;
	(void)try_;

	if (s->keys.n == 0)
		return flags & PATCHBAY_SIGN_WRONG ? PATCHBAY_EUNSUPPORTED : PATCHBAY_OK;
	hex = s->crypto->hmac_hex(call, s->keys.v[0], &r->body, 1);
	if (flags & PATCHBAY_SIGN_WRONG)
		hex = patchbay_wrong_hex(s->host, call, hex);
	return patchbay_set_header(s->host, call, r, HEADER, hex);
}

static const patchbay_simulate sound_simulate = {
	.size = sizeof(sound_simulate), .n_samples = 3, .samples = sound_samples, .body = BODY, .sign = SIGN
};

UNUSED static const void *sound_extension(const char *id)
{
	return strcmp(id, PATCHBAY_SIMULATE) == 0 ? &sound_simulate : NULL;
}

static const uint32_t sound_retry[] = { 60, 120 };
static const uint16_t sound_ok[] = { 200, 299 };
UNUSED static const patchbay_provider sound_provider = { .size = sizeof(patchbay_provider),
							 .retry_s = sound_retry,
							 .n_retry = 2,
							 .retry_horizon_s = 200,
							 .ok = sound_ok,
							 .n_ok = 1,
							 .authentication = "HMAC-SHA256 of the body, in X-Signature." };

#define SOURCE_PLUGIN(name_)                                                                                           \
	static const patchbay_source source_side = {                                                                   \
		.size = sizeof(source_side),                                                                           \
		.n_options = sizeof(OPTIONS) / sizeof(OPTIONS[0]),                                                     \
		.options = OPTIONS,                                                                                    \
		.options_size = OPTIONS_SIZE,                                                                          \
		.provider = &PROVIDER,                                                                                 \
		.check = CHECK,                                                                                        \
		.create = CREATE,                                                                                      \
		.destroy = DESTROY,                                                                                    \
		.verify = VERIFY,                                                                                      \
		.parse = PARSE,                                                                                        \
		.extension = EXTENSION,                                                                                \
	};                                                                                                             \
	PATCHBAY_EXPORT const patchbay_plugin patchbay_plugin_v1 = {                                                   \
		.size = sizeof(patchbay_plugin),                                                                       \
		.name = (name_),                                                                                       \
		.version = "1.0.0",                                                                                    \
		.license = LICENSE,                                                                                    \
		.summary = "a source for tests of the conformance kit",                                                \
		.source = &source_side,                                                                                \
	}

#endif
