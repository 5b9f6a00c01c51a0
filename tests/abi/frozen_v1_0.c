/* frozen_v1_0.c - version 1.0 of the plugin interface as it was released: plugins are out there that were built with
 * these sizes, offsets, types and values. This file is never edited again. A later version adds a file of its own,
 * frozen_v1_N.c, with what is new in it; the headers must satisfy all of them, or they do not compile.
 *
 * A struct that begins with its size may become longer, and nothing else; what has no size stays as it is. */
#include <patchbay/checkpoint.h>
#include <patchbay/fetch.h>
#include <patchbay/idle.h>
#include <patchbay/plugin.h>
#include <patchbay/preview.h>
#include <patchbay/services.h>
#include <patchbay/simulate.h>

#include <string.h>

int frozen_v1_0_strings(void); /* how many of the ids are not what they were */

#ifdef __LP64__

#define GROWS(type, size, align) _Static_assert(sizeof(type) >= (size) && _Alignof(type) == (align), #type)
#define FIXED(type, size, align) _Static_assert(sizeof(type) == (size) && _Alignof(type) == (align), #type)
#define MEMBER(type, member, offset, size, ...)                                                                        \
	_Static_assert(offsetof(type, member) == (offset) && sizeof(((type *)0)->member) == (size) &&                  \
			       __builtin_types_compatible_p(__typeof__(((type *)0)->member), __VA_ARGS__),             \
		       #type "." #member)
#define VALUE(name, value) _Static_assert((name) == (value), #name)

_Static_assert(__builtin_types_compatible_p(patchbay_status, int32_t), "patchbay_status");
_Static_assert(__builtin_types_compatible_p(patchbay_escape, patchbay_str (*)(void *, patchbay_call *, patchbay_str)),
	       "patchbay_escape");
_Static_assert(__builtin_types_compatible_p(__typeof__(patchbay_plugin_v1), const patchbay_plugin), "the symbol");

/* <patchbay/plugin.h> */

FIXED(patchbay_str, 16, 8);
MEMBER(patchbay_str, p, 0, 8, const char *);
MEMBER(patchbay_str, n, 8, 8, size_t);

FIXED(patchbay_strs, 16, 8);
MEMBER(patchbay_strs, v, 0, 8, const patchbay_str *);
MEMBER(patchbay_strs, n, 8, 8, size_t);

FIXED(patchbay_kv, 32, 8);
MEMBER(patchbay_kv, key, 0, 16, patchbay_str);
MEMBER(patchbay_kv, value, 16, 16, patchbay_str);

FIXED(patchbay_cidr, 20, 4);
MEMBER(patchbay_cidr, addr, 0, 16, uint8_t[16]);
MEMBER(patchbay_cidr, bits, 16, 4, uint32_t);

FIXED(patchbay_cidrs, 16, 8);
MEMBER(patchbay_cidrs, v, 0, 8, const patchbay_cidr *);
MEMBER(patchbay_cidrs, n, 8, 8, size_t);

FIXED(patchbay_field, 24, 8);
MEMBER(patchbay_field, name, 0, 16, patchbay_str);
MEMBER(patchbay_field, expr, 16, 8, const patchbay_expr *);

FIXED(patchbay_fields, 16, 8);
MEMBER(patchbay_fields, v, 0, 8, const patchbay_field *);
MEMBER(patchbay_fields, n, 8, 8, size_t);

FIXED(patchbay_strs_expr, 24, 8);
MEMBER(patchbay_strs_expr, strs, 0, 16, patchbay_strs);
MEMBER(patchbay_strs_expr, expr, 16, 8, const patchbay_expr *);

FIXED(patchbay_list, 16, 8);
MEMBER(patchbay_list, v, 0, 8, const void *);
MEMBER(patchbay_list, n, 8, 8, size_t);

GROWS(patchbay_host, 80, 8);
MEMBER(patchbay_host, size, 0, 4, uint32_t);
MEMBER(patchbay_host, abi_minor, 4, 4, uint32_t);
MEMBER(patchbay_host, service, 8, 8, const void *(*)(const patchbay_host *, const char *id));
MEMBER(patchbay_host, log, 16, 8, void (*)(const patchbay_host *, int32_t level, patchbay_str message));
MEMBER(patchbay_host, explain, 24, 8, void (*)(patchbay_call *, patchbay_str sentence));
MEMBER(patchbay_host, alloc, 32, 8, void *(*)(patchbay_call *, size_t n));
MEMBER(patchbay_host, now_ns, 40, 8, int64_t (*)(const patchbay_host *));
MEMBER(patchbay_host, left_ms, 48, 8, int64_t (*)(const patchbay_call *));
MEMBER(patchbay_host, secret_name, 56, 8, patchbay_str (*)(const patchbay_host *, const char *option, size_t index));
MEMBER(patchbay_host, instance, 64, 16, patchbay_str);

GROWS(patchbay_option, 80, 8);
MEMBER(patchbay_option, size, 0, 4, uint32_t);
MEMBER(patchbay_option, type, 4, 4, uint32_t);
MEMBER(patchbay_option, flags, 8, 4, uint32_t);
MEMBER(patchbay_option, offset, 12, 4, uint32_t);
MEMBER(patchbay_option, name, 16, 8, const char *);
MEMBER(patchbay_option, def, 24, 8, const char *);
MEMBER(patchbay_option, help, 32, 8, const char *);
MEMBER(patchbay_option, one_of, 40, 8, const char *const *);
MEMBER(patchbay_option, min, 48, 8, int64_t);
MEMBER(patchbay_option, max, 56, 8, int64_t);
MEMBER(patchbay_option, fields, 64, 8, const struct patchbay_option *);
MEMBER(patchbay_option, n_fields, 72, 4, uint32_t);
MEMBER(patchbay_option, fields_size, 76, 4, uint32_t);

GROWS(patchbay_request, 120, 8);
MEMBER(patchbay_request, size, 0, 4, uint32_t);
MEMBER(patchbay_request, n_headers, 4, 4, uint32_t);
MEMBER(patchbay_request, headers, 8, 8, const patchbay_kv *);
MEMBER(patchbay_request, method, 16, 16, patchbay_str);
MEMBER(patchbay_request, path, 32, 16, patchbay_str);
MEMBER(patchbay_request, query, 48, 16, patchbay_str);
MEMBER(patchbay_request, body, 64, 16, patchbay_str);
MEMBER(patchbay_request, client, 80, 16, patchbay_str);
MEMBER(patchbay_request, client_addr, 96, 16, uint8_t[16]);
MEMBER(patchbay_request, received_ns, 112, 8, int64_t);

GROWS(patchbay_reply, 40, 8);
MEMBER(patchbay_reply, size, 0, 4, uint32_t);
MEMBER(patchbay_reply, http_status, 4, 4, int32_t);
MEMBER(patchbay_reply, content_type, 8, 16, patchbay_str);
MEMBER(patchbay_reply, body, 24, 16, patchbay_str);

GROWS(patchbay_event, 120, 8);
MEMBER(patchbay_event, size, 0, 4, uint32_t);
MEMBER(patchbay_event, dedupe, 4, 4, uint32_t);
MEMBER(patchbay_event, flags, 8, 4, uint32_t);
MEMBER(patchbay_event, reserved, 12, 4, uint32_t);
MEMBER(patchbay_event, type, 16, 16, patchbay_str);
MEMBER(patchbay_event, kind, 32, 16, patchbay_str);
MEMBER(patchbay_event, subject, 48, 16, patchbay_str);
MEMBER(patchbay_event, key, 64, 16, patchbay_str);
MEMBER(patchbay_event, token, 80, 16, patchbay_str);
MEMBER(patchbay_event, data, 96, 16, patchbay_str);
MEMBER(patchbay_event, time_ns, 112, 8, int64_t);

FIXED(patchbay_emitter, 16, 8);
MEMBER(patchbay_emitter, ctx, 0, 8, void *);
MEMBER(patchbay_emitter, emit, 8, 8, patchbay_status (*)(void *ctx, const patchbay_event *));

GROWS(patchbay_provider, 64, 8);
MEMBER(patchbay_provider, size, 0, 4, uint32_t);
MEMBER(patchbay_provider, answer_ms, 4, 4, uint32_t);
MEMBER(patchbay_provider, retry_s, 8, 8, const uint32_t *);
MEMBER(patchbay_provider, n_retry, 16, 4, uint32_t);
MEMBER(patchbay_provider, retry_horizon_s, 20, 4, uint32_t);
MEMBER(patchbay_provider, ok, 24, 8, const uint16_t *);
MEMBER(patchbay_provider, n_ok, 32, 4, uint32_t);
MEMBER(patchbay_provider, final_refusal, 36, 2, uint16_t);
MEMBER(patchbay_provider, reserved, 38, 2, uint16_t);
MEMBER(patchbay_provider, authentication, 40, 8, const char *);
MEMBER(patchbay_provider, notes, 48, 8, const char *);
MEMBER(patchbay_provider, docs_url, 56, 8, const char *);

GROWS(patchbay_source, 80, 8);
MEMBER(patchbay_source, size, 0, 4, uint32_t);
MEMBER(patchbay_source, n_options, 4, 4, uint32_t);
MEMBER(patchbay_source, options, 8, 8, const patchbay_option *);
MEMBER(patchbay_source, options_size, 16, 4, uint32_t);
MEMBER(patchbay_source, reserved, 20, 4, uint32_t);
MEMBER(patchbay_source, provider, 24, 8, const patchbay_provider *);
MEMBER(patchbay_source, check, 32, 8, patchbay_status (*)(const patchbay_host *, patchbay_call *, const void *options));
MEMBER(patchbay_source, create, 40, 8,
       patchbay_status (*)(const patchbay_host *, patchbay_call *, const void *options, void **self));
MEMBER(patchbay_source, destroy, 48, 8, void (*)(void *self));
MEMBER(patchbay_source, verify, 56, 8,
       patchbay_status (*)(const void *self, patchbay_call *, const patchbay_request *, patchbay_reply *));
MEMBER(patchbay_source, parse, 64, 8,
       patchbay_status (*)(const void *self, patchbay_call *, const patchbay_request *, const patchbay_emitter *));
MEMBER(patchbay_source, extension, 72, 8, const void *(*)(const char *id));

GROWS(patchbay_delivery, 200, 8);
MEMBER(patchbay_delivery, size, 0, 4, uint32_t);
MEMBER(patchbay_delivery, attempt, 4, 4, uint32_t);
MEMBER(patchbay_delivery, time_source, 8, 4, uint32_t);
MEMBER(patchbay_delivery, dedupe, 12, 4, uint32_t);
MEMBER(patchbay_delivery, test, 16, 4, uint32_t);
MEMBER(patchbay_delivery, reserved, 20, 4, uint32_t);
MEMBER(patchbay_delivery, id, 24, 16, patchbay_str);
MEMBER(patchbay_delivery, source, 40, 16, patchbay_str);
MEMBER(patchbay_delivery, plugin, 56, 16, patchbay_str);
MEMBER(patchbay_delivery, type, 72, 16, patchbay_str);
MEMBER(patchbay_delivery, kind, 88, 16, patchbay_str);
MEMBER(patchbay_delivery, subject, 104, 16, patchbay_str);
MEMBER(patchbay_delivery, data, 120, 16, patchbay_str);
MEMBER(patchbay_delivery, time_ns, 136, 8, int64_t);
MEMBER(patchbay_delivery, received_ns, 144, 8, int64_t);
MEMBER(patchbay_delivery, route, 152, 16, patchbay_str);
MEMBER(patchbay_delivery, details, 168, 16, patchbay_str);
MEMBER(patchbay_delivery, details_error, 184, 16, patchbay_str);

FIXED(patchbay_result, 24, 8);
MEMBER(patchbay_result, status, 0, 4, patchbay_status);
MEMBER(patchbay_result, after_ms, 4, 4, uint32_t);
MEMBER(patchbay_result, why, 8, 16, patchbay_str);

GROWS(patchbay_sink, 88, 8);
MEMBER(patchbay_sink, size, 0, 4, uint32_t);
MEMBER(patchbay_sink, n_options, 4, 4, uint32_t);
MEMBER(patchbay_sink, options, 8, 8, const patchbay_option *);
MEMBER(patchbay_sink, options_size, 16, 4, uint32_t);
MEMBER(patchbay_sink, batch_events, 20, 4, uint32_t);
MEMBER(patchbay_sink, batch_bytes, 24, 4, uint32_t);
MEMBER(patchbay_sink, batch_linger_ms, 28, 4, uint32_t);
MEMBER(patchbay_sink, timeout_ms, 32, 4, uint32_t);
MEMBER(patchbay_sink, concurrency_max, 36, 4, uint32_t);
MEMBER(patchbay_sink, rate, 40, 8, const char *);
MEMBER(patchbay_sink, check, 48, 8, patchbay_status (*)(const patchbay_host *, patchbay_call *, const void *options));
MEMBER(patchbay_sink, create, 56, 8,
       patchbay_status (*)(const patchbay_host *, patchbay_call *, const void *options, void **self));
MEMBER(patchbay_sink, destroy, 64, 8, void (*)(void *self));
MEMBER(patchbay_sink, act, 72, 8,
       void (*)(void *self, patchbay_call *, const patchbay_delivery *const *, size_t n, patchbay_result *results,
		patchbay_str *checkpoint));
MEMBER(patchbay_sink, extension, 80, 8, const void *(*)(const char *id));

GROWS(patchbay_plugin, 64, 8);
MEMBER(patchbay_plugin, size, 0, 4, uint32_t);
MEMBER(patchbay_plugin, abi_minor, 4, 4, uint32_t);
MEMBER(patchbay_plugin, abi_minor_need, 8, 4, uint32_t);
MEMBER(patchbay_plugin, reserved, 12, 4, uint32_t);
MEMBER(patchbay_plugin, name, 16, 8, const char *);
MEMBER(patchbay_plugin, version, 24, 8, const char *);
MEMBER(patchbay_plugin, license, 32, 8, const char *);
MEMBER(patchbay_plugin, summary, 40, 8, const char *);
MEMBER(patchbay_plugin, source, 48, 8, const patchbay_source *);
MEMBER(patchbay_plugin, sink, 56, 8, const patchbay_sink *);

/* <patchbay/services.h> */

GROWS(patchbay_json_service, 72, 8);
MEMBER(patchbay_json_service, size, 0, 4, uint32_t);
MEMBER(patchbay_json_service, reserved, 4, 4, uint32_t);
MEMBER(patchbay_json_service, parse, 8, 8, const patchbay_json *(*)(patchbay_call *, patchbay_str text));
MEMBER(patchbay_json_service, type, 16, 8, int32_t (*)(const patchbay_json *));
MEMBER(patchbay_json_service, get, 24, 8,
       const patchbay_json *(*)(patchbay_call *, const patchbay_json *, patchbay_str name));
MEMBER(patchbay_json_service, find, 32, 8,
       const patchbay_json *(*)(patchbay_call *, const patchbay_json *, const char *paths, bool nocase));
MEMBER(patchbay_json_service, count, 40, 8, uint32_t (*)(const patchbay_json *));
MEMBER(patchbay_json_service, at, 48, 8,
       const patchbay_json *(*)(patchbay_call *, const patchbay_json *, uint32_t index));
MEMBER(patchbay_json_service, raw, 56, 8, patchbay_str (*)(const patchbay_json *));
MEMBER(patchbay_json_service, text, 64, 8, patchbay_str (*)(patchbay_call *, const patchbay_json *));

GROWS(patchbay_crypto_service, 80, 8);
MEMBER(patchbay_crypto_service, size, 0, 4, uint32_t);
MEMBER(patchbay_crypto_service, reserved, 4, 4, uint32_t);
MEMBER(patchbay_crypto_service, hmac_new, 8, 8, patchbay_hmac *(*)(uint32_t algorithm, patchbay_str key));
MEMBER(patchbay_crypto_service, hmac_free, 16, 8, void (*)(patchbay_hmac *));
MEMBER(patchbay_crypto_service, hmac_is, 24, 8,
       bool (*)(const patchbay_hmac *, const patchbay_str *parts, size_t n, patchbay_str hex));
MEMBER(patchbay_crypto_service, hmac_hex, 32, 8,
       patchbay_str (*)(patchbay_call *, const patchbay_hmac *, const patchbay_str *parts, size_t n));
MEMBER(patchbay_crypto_service, hmac_raw, 40, 8,
       patchbay_str (*)(patchbay_call *, const patchbay_hmac *, const patchbay_str *parts, size_t n));
MEMBER(patchbay_crypto_service, sha256_hex, 48, 8, patchbay_str (*)(patchbay_call *, patchbay_str));
MEMBER(patchbay_crypto_service, equal, 56, 8, bool (*)(patchbay_str, patchbay_str));
MEMBER(patchbay_crypto_service, base64, 64, 8, patchbay_str (*)(patchbay_call *, patchbay_str bytes));
MEMBER(patchbay_crypto_service, unbase64, 72, 8, bool (*)(patchbay_call *, patchbay_str text, patchbay_str *ret));

GROWS(patchbay_ed25519_service, 32, 8);
MEMBER(patchbay_ed25519_service, size, 0, 4, uint32_t);
MEMBER(patchbay_ed25519_service, reserved, 4, 4, uint32_t);
MEMBER(patchbay_ed25519_service, is, 8, 8,
       bool (*)(patchbay_call *, patchbay_str public_key, const patchbay_str *parts, size_t n, patchbay_str signature));
MEMBER(patchbay_ed25519_service, sign, 16, 8,
       patchbay_str (*)(patchbay_call *, patchbay_str seed, const patchbay_str *parts, size_t n));
MEMBER(patchbay_ed25519_service, public_key, 24, 8, patchbay_str (*)(patchbay_call *, patchbay_str seed));

GROWS(patchbay_time_service, 24, 8);
MEMBER(patchbay_time_service, size, 0, 4, uint32_t);
MEMBER(patchbay_time_service, reserved, 4, 4, uint32_t);
MEMBER(patchbay_time_service, parse, 8, 8, bool (*)(patchbay_str text, int64_t *ns));
MEMBER(patchbay_time_service, format, 16, 8, patchbay_str (*)(patchbay_call *, int64_t ns));

GROWS(patchbay_value, 24, 8);
MEMBER(patchbay_value, size, 0, 4, uint32_t);
MEMBER(patchbay_value, type, 4, 4, int32_t);
MEMBER(patchbay_value, text, 8, 16, patchbay_str);

GROWS(patchbay_expr_service, 16, 8);
MEMBER(patchbay_expr_service, size, 0, 4, uint32_t);
MEMBER(patchbay_expr_service, reserved, 4, 4, uint32_t);
MEMBER(patchbay_expr_service, eval, 8, 8,
       bool (*)(patchbay_call *, const patchbay_expr *, const patchbay_delivery *, patchbay_escape escape, void *ctx,
		patchbay_value *out));

GROWS(patchbay_http_options, 32, 8);
MEMBER(patchbay_http_options, size, 0, 4, uint32_t);
MEMBER(patchbay_http_options, allow_private, 4, 4, uint32_t);
MEMBER(patchbay_http_options, connect_ms, 8, 4, uint32_t);
MEMBER(patchbay_http_options, reserved, 12, 4, uint32_t);
MEMBER(patchbay_http_options, ca_file, 16, 16, patchbay_str);

GROWS(patchbay_http_request, 72, 8);
MEMBER(patchbay_http_request, size, 0, 4, uint32_t);
MEMBER(patchbay_http_request, n_headers, 4, 4, uint32_t);
MEMBER(patchbay_http_request, headers, 8, 8, const patchbay_kv *);
MEMBER(patchbay_http_request, method, 16, 16, patchbay_str);
MEMBER(patchbay_http_request, url, 32, 16, patchbay_str);
MEMBER(patchbay_http_request, body, 48, 16, patchbay_str);
MEMBER(patchbay_http_request, answer_max, 64, 8, uint64_t);

GROWS(patchbay_http_answer, 64, 8);
MEMBER(patchbay_http_answer, size, 0, 4, uint32_t);
MEMBER(patchbay_http_answer, status, 4, 4, int32_t);
MEMBER(patchbay_http_answer, n_headers, 8, 4, uint32_t);
MEMBER(patchbay_http_answer, maybe_sent, 12, 4, uint32_t);
MEMBER(patchbay_http_answer, headers, 16, 8, const patchbay_kv *);
MEMBER(patchbay_http_answer, body, 24, 16, patchbay_str);
MEMBER(patchbay_http_answer, retry_after_ms, 40, 8, int64_t);
MEMBER(patchbay_http_answer, why, 48, 16, patchbay_str);

GROWS(patchbay_http_service, 48, 8);
MEMBER(patchbay_http_service, size, 0, 4, uint32_t);
MEMBER(patchbay_http_service, reserved, 4, 4, uint32_t);
MEMBER(patchbay_http_service, open, 8, 8, patchbay_http *(*)(const patchbay_http_options *));
MEMBER(patchbay_http_service, close, 16, 8, void (*)(patchbay_http *));
MEMBER(patchbay_http_service, send, 24, 8,
       patchbay_status (*)(patchbay_http *, patchbay_call *, const patchbay_http_request *, patchbay_http_answer *));
MEMBER(patchbay_http_service, url_ok, 32, 8, bool (*)(patchbay_call *, patchbay_str url, bool allow_private));
MEMBER(patchbay_http_service, encode, 40, 8, patchbay_str (*)(patchbay_call *, patchbay_str));

/* <patchbay/checkpoint.h> */

GROWS(patchbay_checkpoint, 16, 8);
MEMBER(patchbay_checkpoint, size, 0, 4, uint32_t);
MEMBER(patchbay_checkpoint, reserved, 4, 4, uint32_t);
MEMBER(patchbay_checkpoint, resume, 8, 8, patchbay_status (*)(void *self, patchbay_call *, patchbay_str checkpoint));

/* <patchbay/idle.h> */

GROWS(patchbay_idle, 16, 8);
MEMBER(patchbay_idle, size, 0, 4, uint32_t);
MEMBER(patchbay_idle, every_ms, 4, 4, uint32_t);
MEMBER(patchbay_idle, idle, 8, 8, patchbay_status (*)(void *self, patchbay_call *, patchbay_str *checkpoint));

/* <patchbay/fetch.h> */

GROWS(patchbay_poll, 24, 8);
MEMBER(patchbay_poll, size, 0, 4, uint32_t);
MEMBER(patchbay_poll, reserved, 4, 4, uint32_t);
MEMBER(patchbay_poll, wanted, 8, 8, bool (*)(const void *self));
MEMBER(patchbay_poll, poll, 16, 8,
       patchbay_status (*)(void *self, patchbay_call *, patchbay_str cursor, const patchbay_emitter *,
			   patchbay_str *ret_cursor, int64_t *ret_again_ms));

GROWS(patchbay_enrich, 16, 8);
MEMBER(patchbay_enrich, size, 0, 4, uint32_t);
MEMBER(patchbay_enrich, reserved, 4, 4, uint32_t);
MEMBER(patchbay_enrich, enrich, 8, 8,
       patchbay_status (*)(void *self, patchbay_call *, const patchbay_delivery *event, patchbay_str *ret_details));

/* <patchbay/simulate.h> */

GROWS(patchbay_sample, 24, 8);
MEMBER(patchbay_sample, size, 0, 4, uint32_t);
MEMBER(patchbay_sample, reserved, 4, 4, uint32_t);
MEMBER(patchbay_sample, name, 8, 8, const char *);
MEMBER(patchbay_sample, about, 16, 8, const char *);

GROWS(patchbay_simulate, 32, 8);
MEMBER(patchbay_simulate, size, 0, 4, uint32_t);
MEMBER(patchbay_simulate, n_samples, 4, 4, uint32_t);
MEMBER(patchbay_simulate, samples, 8, 8, const patchbay_sample *);
MEMBER(patchbay_simulate, body, 16, 8,
       patchbay_status (*)(const void *self, patchbay_call *, uint32_t i, uint64_t serial, patchbay_str *out));
MEMBER(patchbay_simulate, sign, 24, 8,
       patchbay_status (*)(const void *self, patchbay_call *, uint32_t flags, uint32_t try_, patchbay_request *));

/* <patchbay/preview.h> */

GROWS(patchbay_preview, 16, 8);
MEMBER(patchbay_preview, size, 0, 4, uint32_t);
MEMBER(patchbay_preview, reserved, 4, 4, uint32_t);
MEMBER(patchbay_preview, preview, 8, 8,
       patchbay_status (*)(void *self, patchbay_call *, const patchbay_delivery *const *, size_t n, patchbay_str *out));

/* Values. (The minor version is the only one that ever changes.) */

VALUE(PATCHBAY_ABI_MAJOR, 1);
VALUE(PATCHBAY_OK, 0);
VALUE(PATCHBAY_REPLY, 1);
VALUE(PATCHBAY_RETRY, 2);
VALUE(PATCHBAY_AGAIN, 3);
VALUE(PATCHBAY_DOWN, 4);
VALUE(PATCHBAY_UNTOUCHED, 5);
VALUE(PATCHBAY_EDENIED, -1);
VALUE(PATCHBAY_EMALFORMED, -2);
VALUE(PATCHBAY_EBADEVENT, -3);
VALUE(PATCHBAY_EBADSINK, -4);
VALUE(PATCHBAY_ECONFIG, -5);
VALUE(PATCHBAY_ENOMEM, -6);
VALUE(PATCHBAY_ELIMIT, -7);
VALUE(PATCHBAY_EUNSUPPORTED, -8);
VALUE(PATCHBAY_LOG_ERROR, 3);
VALUE(PATCHBAY_LOG_WARNING, 4);
VALUE(PATCHBAY_LOG_INFO, 6);
VALUE(PATCHBAY_LOG_DEBUG, 7);
VALUE(PATCHBAY_T_BOOL, 1);
VALUE(PATCHBAY_T_INT, 2);
VALUE(PATCHBAY_T_REAL, 3);
VALUE(PATCHBAY_T_STR, 4);
VALUE(PATCHBAY_T_STRS, 5);
VALUE(PATCHBAY_T_ENUM, 6);
VALUE(PATCHBAY_T_MS, 7);
VALUE(PATCHBAY_T_BYTES, 8);
VALUE(PATCHBAY_T_CIDRS, 9);
VALUE(PATCHBAY_T_EXPR, 10);
VALUE(PATCHBAY_T_TEXT, 11);
VALUE(PATCHBAY_T_FIELDS, 12);
VALUE(PATCHBAY_T_MAP, 13);
VALUE(PATCHBAY_T_LIST, 14);
VALUE(PATCHBAY_T_STRS_EXPR, 15);
VALUE(PATCHBAY_F_REQUIRED, 1);
VALUE(PATCHBAY_F_SECRET, 2);
VALUE(PATCHBAY_F_PATH, 4);
VALUE(PATCHBAY_DEDUPE_KEY, 0);
VALUE(PATCHBAY_DEDUPE_LATEST, 1);
VALUE(PATCHBAY_DEDUPE_UNANSWERED, 2);
VALUE(PATCHBAY_DEDUPE_NONE, 3);
VALUE(PATCHBAY_EVENT_TEST, 1);
VALUE(PATCHBAY_EVENT_ENRICH, 2);
VALUE(PATCHBAY_EVENT_TYPE_GUESSED, 4);
VALUE(PATCHBAY_TIME_PROVIDER, 0);
VALUE(PATCHBAY_TIME_RECEIVED, 1);
VALUE(PATCHBAY_STRONG, 0);
VALUE(PATCHBAY_WEAK, 1);
VALUE(PATCHBAY_NONE, 2);
VALUE(PATCHBAY_JSON_NULL, 1);
VALUE(PATCHBAY_JSON_FALSE, 2);
VALUE(PATCHBAY_JSON_TRUE, 3);
VALUE(PATCHBAY_JSON_NUMBER, 4);
VALUE(PATCHBAY_JSON_STRING, 5);
VALUE(PATCHBAY_JSON_ARRAY, 6);
VALUE(PATCHBAY_JSON_OBJECT, 7);
VALUE(PATCHBAY_SHA1, 1);
VALUE(PATCHBAY_SHA256, 2);
VALUE(PATCHBAY_SIGN_WRONG, 1);

#endif

int frozen_v1_0_strings(void)
{
	static const char *const ids[][2] = {
		{ PATCHBAY_JSON, "patchbay.json/1" },
		{ PATCHBAY_CRYPTO, "patchbay.crypto/1" },
		{ PATCHBAY_ED25519, "patchbay.ed25519/1" },
		{ PATCHBAY_TIME, "patchbay.time/1" },
		{ PATCHBAY_EXPR, "patchbay.expr/1" },
		{ PATCHBAY_HTTP, "patchbay.http/1" },
		{ PATCHBAY_CHECKPOINT, "patchbay.checkpoint/1" },
		{ PATCHBAY_IDLE, "patchbay.idle/1" },
		{ PATCHBAY_POLL, "patchbay.poll/1" },
		{ PATCHBAY_ENRICH, "patchbay.enrich/1" },
		{ PATCHBAY_SIMULATE, "patchbay.simulate/1" },
		{ PATCHBAY_PREVIEW, "patchbay.preview/1" },
	};
	int changed = 0;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		changed += strcmp(ids[i][0], ids[i][1]) != 0;
	return changed;
}
