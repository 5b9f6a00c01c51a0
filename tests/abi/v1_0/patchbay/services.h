/* patchbay/services.h - tables that the host offers to plugins, each asked for once, by id, in
 * create(): `self->json = host->service(host, PATCHBAY_JSON);`. NULL: this host does not have it. */
#ifndef PATCHBAY_SERVICES_H
#define PATCHBAY_SERVICES_H

#include <patchbay/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- JSON, read only, lazy, exact ---------------------------------------------------------------
 * parse() checks the whole text once (RFC 8259: strict syntax, valid UTF-8, at most 128 levels, no
 * lone surrogates, no byte order mark, nothing behind the value); all else looks things up in the text. Where an object
 * names a member twice, the last one counts. Values live as long as the call and the text.
 * Every function takes NULL for a value and then finds nothing; so does one that needs more memory than the call has,
 * explained. */
#define PATCHBAY_JSON "patchbay.json/1"

typedef struct patchbay_json patchbay_json; /* opaque: one value inside a text */

enum { PATCHBAY_JSON_NULL = 1, PATCHBAY_JSON_FALSE, PATCHBAY_JSON_TRUE, PATCHBAY_JSON_NUMBER,
       PATCHBAY_JSON_STRING, PATCHBAY_JSON_ARRAY, PATCHBAY_JSON_OBJECT };

typedef struct patchbay_json_service { /* all [any] */
	uint32_t size;
	uint32_t reserved;
	/* NULL: not JSON, or over the call's memory; explained (with the byte offset). The same text in
	 * the same call is parsed once only. */
	const patchbay_json *(*parse)(patchbay_call *, patchbay_str text);
	int32_t (*type)(const patchbay_json *); /* PATCHBAY_JSON_*, 0 for NULL */
	/* The member of an object by its name, exactly; NULL if absent or not an object. */
	const patchbay_json *(*get)(patchbay_call *, const patchbay_json *, patchbay_str name);
	/* The first alternative that is there and not null: "vehicle_id|vehicle.id|stops.0.id". Names
	 * are compared without regard to ASCII case where nocase. */
	const patchbay_json *(*find)(patchbay_call *, const patchbay_json *, const char *paths, bool nocase);
	uint32_t (*count)(const patchbay_json *); /* elements or members; 0 for others */
	/* An element of an array; NULL behind its end, and for others. */
	const patchbay_json *(*at)(patchbay_call *, const patchbay_json *, uint32_t index);
	/* The value as it stands in the text, numbers and strings (with quotes) too. "" for NULL. */
	patchbay_str (*raw)(const patchbay_json *);
	/* A string decoded; numbers, true and false as they stand; "" for null, arrays, objects. */
	patchbay_str (*text)(patchbay_call *, const patchbay_json *);
} patchbay_json_service;

/* ---- Hashes, with a key and without; and how bytes are written as text --------------------------------- */
#define PATCHBAY_CRYPTO "patchbay.crypto/1"

typedef struct patchbay_hmac patchbay_hmac; /* opaque: a key, made ready */

enum { PATCHBAY_SHA1 = 1, PATCHBAY_SHA256 = 2 };

typedef struct patchbay_crypto_service {
	uint32_t size;
	uint32_t reserved;
	/* [control] NULL when out of memory or the algorithm is unknown. Free it in destroy(). */
	patchbay_hmac *(*hmac_new)(uint32_t algorithm, patchbay_str key);
	void (*hmac_free)(patchbay_hmac *); /* [control] wipes the key; NULL is fine */
	/* [any] Is `hex` the HMAC of the parts, joined? Either case; false unless its length is exact.
	 * Constant time. */
	bool (*hmac_is)(const patchbay_hmac *, const patchbay_str *parts, size_t n, patchbay_str hex);
	/* [any] The HMAC of the parts, joined, in lower-case hex; "" when the call's memory is used up. */
	patchbay_str (*hmac_hex)(patchbay_call *, const patchbay_hmac *, const patchbay_str *parts, size_t n);
	/* [any] The same as bytes, 20 or 32 of them. Compare with equal(). */
	patchbay_str (*hmac_raw)(patchbay_call *, const patchbay_hmac *, const patchbay_str *parts, size_t n);
	patchbay_str (*sha256_hex)(patchbay_call *, patchbay_str); /* [any] lower-case hex; "" as above */
	bool (*equal)(patchbay_str, patchbay_str); /* [any] constant time for equal lengths */
	/* [any] RFC 4648 with padding, on one line; "" of nothing, or when the call's memory is used up. */
	patchbay_str (*base64)(patchbay_call *, patchbay_str bytes);
	/* [any] Strict: the standard alphabet, padded, no other bytes, no bits that mean nothing. False: it is not that, or
	 * the call's memory is used up. Of "" nothing, which is right. */
	bool (*unbase64)(patchbay_call *, patchbay_str text, patchbay_str *ret);
} patchbay_crypto_service;

/* ---- Signatures with a pair of keys ----------------------------------------------------------------------- */
#define PATCHBAY_ED25519 "patchbay.ed25519/1"

typedef struct patchbay_ed25519_service { /* RFC 8032, the plain variant; keys and signatures as bytes */
	uint32_t size;
	uint32_t reserved;
	/* [any] Is this the signature (64 bytes) of the parts, joined, by the owner of public_key (32 bytes)? False for
	 * other lengths. Not constant time: nothing here is secret. */
	bool (*is)(patchbay_call *, patchbay_str public_key, const patchbay_str *parts, size_t n, patchbay_str signature);
	/* [any] The signature of the parts, joined; "" if the seed is not 32 bytes long, or the call's memory is used
	 * up. */
	patchbay_str (*sign)(patchbay_call *, patchbay_str seed, const patchbay_str *parts, size_t n);
	/* [any] The public key of a seed, 32 bytes; "" as above. */
	patchbay_str (*public_key)(patchbay_call *, patchbay_str seed);
} patchbay_ed25519_service;

/* ---- Time ----------------------------------------------------------------------------------------- */
#define PATCHBAY_TIME "patchbay.time/1"

typedef struct patchbay_time_service {
	uint32_t size;
	uint32_t reserved;
	/* [any] ISO 8601 date and time, read leniently: 'T' or a space, 0..9 fraction digits and more
	 * (cut), zone Z, +hh:mm, +hhmm, +hh; without a zone, UTC. False: not such a time. */
	bool (*parse)(patchbay_str text, int64_t *ns);
	/* [any] "2026-11-22T04:13:54.123Z"; fraction of 0, 3, 6 or 9 digits, as many as are needed. "" when the call's
	 * memory is used up. */
	patchbay_str (*format)(patchbay_call *, int64_t ns);
} patchbay_time_service;

/* ---- Expressions (sinks): what an option of type EXPR, TEXT or FIELDS gives for an event ------------- */
#define PATCHBAY_EXPR "patchbay.expr/1"

typedef struct patchbay_value { /* the plugin sets its size; text lives as long as the call */
	uint32_t size;
	int32_t type;      /* PATCHBAY_JSON_* of the value that the expression gave */
	patchbay_str text; /* strings decoded, null "", the rest as JSON. Where the expression only selects
	                    * (.data.id, .a // .b) numbers stand exactly as in the source. */
} patchbay_value;

/* [delivery] Escapes one interpolated value for where the text goes. Return the escaped text, from
 * host->alloc(call, n) or the value itself. */
typedef patchbay_str (*patchbay_escape)(void *ctx, patchbay_call *, patchbay_str value);

typedef struct patchbay_expr_service {
	uint32_t size;
	uint32_t reserved;
	/* [delivery] The first value that the expression gives for the event, null if none. False: the
	 * expression failed, explained, and *out is as it was. `escape` (or NULL) is applied to each interpolation of
	 * a TEXT, with `ctx`, before eval returns. */
	bool (*eval)(patchbay_call *, const patchbay_expr *, const patchbay_delivery *,
	             patchbay_escape escape, void *ctx, patchbay_value *out);
} patchbay_expr_service;

/* ---- HTTP client ---------------------------------------------------------------------------------------
 * For calls to the API of a destination or a provider. Certificates are verified; redirects are not followed (3xx
 * is the answer); loopback, private and link-local addresses are refused after the name was resolved, unless
 * allowed; http:// only to addresses that need this permission. No proxy, no cookies, no .netrc. */
#define PATCHBAY_HTTP "patchbay.http/1"

typedef struct patchbay_http patchbay_http; /* opaque: a client, with its open connections */

typedef struct patchbay_http_options {
	uint32_t size;
	uint32_t allow_private; /* 1: the addresses above are allowed, and http:// to them */
	uint32_t connect_ms;    /* 0 = 10 s */
	uint32_t reserved;      /* 0 */
	patchbay_str ca_file;   /* PEM, instead of the system's; "" = the system's */
} patchbay_http_options;

typedef struct patchbay_http_request {
	uint32_t size;
	uint32_t n_headers;
	const patchbay_kv *headers; /* at most 64, of 64 KiB together; CR, LF or NUL in any of them: refused */
	patchbay_str method, url;   /* at most 16 and 8192 bytes; the same */
	patchbay_str body;
	uint64_t answer_max; /* bytes of the answer's body; 0 = 1 MiB */
} patchbay_http_request;

typedef struct patchbay_http_answer { /* the plugin sets its size; strings live as long as the call */
	uint32_t size;
	int32_t status;          /* 0: there is no whole answer */
	uint32_t n_headers;
	uint32_t maybe_sent;     /* 1: no answer, but the request may have reached the server */
	const patchbay_kv *headers; /* names in lower case */
	patchbay_str body;
	int64_t retry_after_ms;  /* from Retry-After, seconds or a date; -1: none */
	patchbay_str why;        /* no answer: one sentence, with host and port, never path, query or headers */
} patchbay_http_answer;

typedef struct patchbay_http_service {
	uint32_t size;
	uint32_t reserved;
	/* [control] NULL (of the options): as if all were zero. Copied. NULL: out of memory. */
	patchbay_http *(*open)(const patchbay_http_options *);
	void (*close)(patchbay_http *);                        /* [control] NULL is fine */
	/* [delivery] One at a time per client; ends when the call's deadline does. OK: there is an answer, whatever its
	 * status. DOWN: none now (name, connection, time-out, reset, an answer that is too long). EBADSINK: none before
	 * a person mends something (URL, certificate, an address that is not allowed). */
	patchbay_status (*send)(patchbay_http *, patchbay_call *, const patchbay_http_request *,
				patchbay_http_answer *);
	/* [any] For check(): could this be the URL of a request? Else explained, without the URL's path. */
	bool (*url_ok)(patchbay_call *, patchbay_str url, bool allow_private);
	/* [any] Percent-encoded for one segment of a path, or a value of a query or a form; "" when the call's memory is
	 * used up. */
	patchbay_str (*encode)(patchbay_call *, patchbay_str);
} patchbay_http_service;

#ifdef __cplusplus
}
#endif
#endif
