/* cxx.cpp - a source and a sink in C++17, written with the conveniences of the SDK. Its requests are signed; its sink
 * appends to a file. */
#include <patchbay/keys.h>
#include <patchbay/play.h>
#include <patchbay/preview.h>
#include <patchbay/simulate.h>

#include <cstdio>
#include <new>
#include <string>

namespace {

struct source_options {
	patchbay_strs secret;
	int64_t mode;
};

constexpr const char *modes[] = { "plain", "loud", nullptr };

constexpr patchbay_option source_table[] = {
	PATCHBAY_OPTION(source_options, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_SECRET | PATCHBAY_F_REQUIRED,
			.max = PATCHBAY_KEYS_MAX, .help = "What requests are signed with."),
	PATCHBAY_OPTION(source_options, PATCHBAY_T_ENUM, mode, .one_of = modes, .def = "loud"),
};

struct source {
	const patchbay_host *host;
	const source_options *options;
	const patchbay_json_service *json;
	const patchbay_crypto_service *crypto;
	const patchbay_time_service *time;
	patchbay_keys keys;
};

patchbay_status source_create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	auto *s = new (std::nothrow) source{};
	if (!s)
		return PATCHBAY_ENOMEM;
	*self = s;
	s->host = host;
	s->options = static_cast<const source_options *>(options);
	s->json = static_cast<const patchbay_json_service *>(host->service(host, PATCHBAY_JSON));
	s->crypto = static_cast<const patchbay_crypto_service *>(host->service(host, PATCHBAY_CRYPTO));
	s->time = static_cast<const patchbay_time_service *>(host->service(host, PATCHBAY_TIME));
	if (!s->json || !s->crypto || !s->time) {
		host->explain(call, PATCHBAY_S("this host lacks JSON, hashes or time"));
		return PATCHBAY_ECONFIG;
	}
	return patchbay_keys_init(&s->keys, host, call, s->crypto, PATCHBAY_SHA256, "secret", s->options->secret);
}

void source_destroy(void *self)
{
	auto *s = static_cast<source *>(self);
	if (!s)
		return;
	patchbay_keys_fini(&s->keys);
	delete s;
}

patchbay_status verify(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *)
{
	const auto *s = static_cast<const source *>(self);
	size_t match = patchbay_keys_match(&s->keys, &r->body, 1, patchbay_header(r, PATCHBAY_S("x-signature")));
	if (!match) {
		s->host->explain(call, PATCHBAY_S("the signature is of none of the secrets"));
		return PATCHBAY_EDENIED;
	}
	s->host->explain(call, patchbay_keys_name(&s->keys, call, match));
	return PATCHBAY_OK;
}

patchbay_status parse(const void *self, patchbay_call *call, const patchbay_request *r, const patchbay_emitter *emitter)
{
	const auto *s = static_cast<const source *>(self);
	const patchbay_json *root = s->json->parse(call, r->body);
	patchbay_event event{};
	event.size = sizeof(event);
	event.type = s->options->mode == 1 ? PATCHBAY_S("LOUD") : PATCHBAY_S("plain");
	event.key = s->json->text(call, s->json->get(call, root, PATCHBAY_S("id")));
	event.data = r->body;
	return event.key.n ? emitter->emit(emitter->ctx, &event) : PATCHBAY_EMALFORMED;
}

patchbay_status body(const void *self, patchbay_call *call, uint32_t, uint64_t serial, patchbay_str *out)
{
	const auto *s = static_cast<const source *>(self);
	patchbay_edits e{};
	e.host = s->host;
	e.json = s->json;
	e.time = s->time;
	e.call = call;
	if (patchbay_edits_begin(&e, PATCHBAY_S("{\"id\":\"7\",\"at\":\"2026-01-02T03:04:05Z\"}"))) {
		patchbay_edit_id(&e, "id", serial);
		patchbay_edit_time(&e, "at", serial);
	}
	return patchbay_edits_apply(&e, out);
}

patchbay_status sign(const void *self, patchbay_call *call, uint32_t flags, uint32_t, patchbay_request *r)
{
	const auto *s = static_cast<const source *>(self);
	patchbay_str hex = s->crypto->hmac_hex(call, s->keys.v[0], &r->body, 1);
	if (flags & PATCHBAY_SIGN_WRONG)
		hex = patchbay_wrong_hex(s->host, call, hex);
	return patchbay_set_header(s->host, call, r, PATCHBAY_S("x-signature"), hex);
}

const void *source_extension(const char *id)
{
	static constexpr patchbay_sample samples[] = { { sizeof(patchbay_sample), 0, "thing", "one event" } };
	static constexpr patchbay_simulate simulate{ sizeof(patchbay_simulate), 1, samples, body, sign };
	return std::string(id) == PATCHBAY_SIMULATE ? &simulate : nullptr;
}

struct sink_options {
	patchbay_str path;
};

constexpr patchbay_option sink_table[] = {
	PATCHBAY_OPTION(sink_options, PATCHBAY_T_STR, path, .flags = PATCHBAY_F_REQUIRED | PATCHBAY_F_PATH),
};

patchbay_status sink_create(const patchbay_host *, patchbay_call *, const void *options, void **self)
{
	const auto *o = static_cast<const sink_options *>(options);
	*self = new (std::nothrow) std::string(o->path.p, o->path.n);
	return *self ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

void sink_destroy(void *self)
{
	delete static_cast<std::string *>(self);
}

void act(void *self, patchbay_call *, const patchbay_delivery *const *events, size_t n, patchbay_result *results,
	 patchbay_str *)
{
	std::FILE *f = std::fopen(static_cast<std::string *>(self)->c_str(), "ae");
	for (size_t i = 0; f && i < n; i++) {
		std::string line(events[i]->type.p, events[i]->type.n);
		std::fprintf(f, "%s\n", line.c_str());
		results[i].status = PATCHBAY_OK;
	}
	if (f)
		std::fclose(f);
}

constexpr patchbay_source make_source()
{
	patchbay_source s{};
	s.size = sizeof(s);
	s.n_options = sizeof(source_table) / sizeof(source_table[0]);
	s.options = source_table;
	s.options_size = sizeof(source_options);
	s.create = source_create;
	s.destroy = source_destroy;
	s.verify = verify;
	s.parse = parse;
	s.extension = source_extension;
	return s;
}

constexpr patchbay_sink make_sink()
{
	patchbay_sink s{};
	s.size = sizeof(s);
	s.n_options = sizeof(sink_table) / sizeof(sink_table[0]);
	s.options = sink_table;
	s.options_size = sizeof(sink_options);
	s.create = sink_create;
	s.destroy = sink_destroy;
	s.act = act;
	return s;
}

constexpr patchbay_source the_source = make_source();
constexpr patchbay_sink the_sink = make_sink();

constexpr patchbay_plugin make_plugin()
{
	patchbay_plugin p{};
	p.size = sizeof(p);
	p.abi_minor = PATCHBAY_ABI_MINOR;
	p.name = "cxx";
	p.version = "1";
	p.license = "Apache-2.0";
	p.summary = "a plugin in C++, for tests";
	p.source = &the_source;
	p.sink = &the_sink;
	return p;
}

} // namespace

constexpr patchbay_plugin patchbay_plugin_v1 = make_plugin();
