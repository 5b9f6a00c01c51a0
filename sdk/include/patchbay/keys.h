/* patchbay/keys.h - several keyed hashes of which any one may match, which is how a secret is rotated.
 * Conveniences for sources, all static inline: no part of the ABI. */
#ifndef PATCHBAY_KEYS_H
#define PATCHBAY_KEYS_H

#include <patchbay/services.h>
#include <patchbay/sugar.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PATCHBAY_KEYS_MAX 8 /* give it as .max of the option, too */

typedef struct patchbay_keys {
	const patchbay_host *host;
	const patchbay_crypto_service *crypto;
	const char *option;
	size_t n;
	patchbay_hmac *v[PATCHBAY_KEYS_MAX];
} patchbay_keys;

/* Are these fit to be keys? No keys at all are fit. ECONFIG is explained; `option` is their name in routes.yaml. */
static inline patchbay_status patchbay_keys_check(const patchbay_host *host, patchbay_call *call, const char *option,
						  patchbay_strs secrets)
{
	if (secrets.n > PATCHBAY_KEYS_MAX) {
		host->explain(call,
			      patchbay_fmt(host, call, "'%s' lists %zu secrets, at most %d are taken; remove old ones",
					   option, secrets.n, PATCHBAY_KEYS_MAX));
		return PATCHBAY_ECONFIG;
	}
	for (size_t i = 0; i < secrets.n; i++) {
		if (secrets.v[i].n > 0)
			continue;
		host->explain(call, patchbay_fmt(host, call,
						 "'%s' is empty (number %zu of %zu): anybody could sign with it; "
						 "check the variable or the file that it is taken from",
						 option, i + 1, secrets.n));
		return PATCHBAY_ECONFIG;
	}
	return PATCHBAY_OK;
}

/* [control] NULL keys inside, and keys that were never made, are fine. */
static inline void patchbay_keys_fini(patchbay_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		keys->crypto->hmac_free(keys->v[i]);
	keys->n = 0;
}

/* [control] Anything but OK: explained, nothing to free. Host and option must outlive the keys. algorithm:
 * PATCHBAY_SHA1, PATCHBAY_SHA256. */
static inline patchbay_status patchbay_keys_init(patchbay_keys *keys, const patchbay_host *host, patchbay_call *call,
						 const patchbay_crypto_service *crypto, uint32_t algorithm,
						 const char *option, patchbay_strs secrets)
{
	patchbay_status status = patchbay_keys_check(host, call, option, secrets);
	keys->host = host;
	keys->crypto = crypto;
	keys->option = option;
	keys->n = 0;
	for (size_t i = 0; status == PATCHBAY_OK && i < secrets.n; i++) {
		keys->v[i] = crypto->hmac_new(algorithm, secrets.v[i]);
		if (!keys->v[i]) {
			host->explain(call,
				      PATCHBAY_S("no memory for a secret, or its algorithm is unknown to this host"));
			status = PATCHBAY_ENOMEM;
			break;
		}
		keys->n++;
	}
	if (status != PATCHBAY_OK)
		patchbay_keys_fini(keys);
	return status;
}

/* The bytes of a value that is written as base64 behind a prefix, which may be missing: "whsec_c2VjcmV0". In memory of
 * the call: wipe what is secret with patchbay_wipe(). ECONFIG is explained. */
static inline patchbay_status patchbay_key_bytes(const patchbay_host *host, patchbay_call *call,
						 const patchbay_crypto_service *crypto, const char *option,
						 const char *prefix, patchbay_strs values, size_t i, patchbay_str *ret)
{
	patchbay_str text = values.v[i], front = patchbay_cstr(prefix);
	if (text.n >= front.n && memcmp(text.p, front.p, front.n) == 0) {
		text.p += front.n;
		text.n -= front.n;
	}
	if (crypto->unbase64(call, text, ret))
		return PATCHBAY_OK;
	host->explain(call, patchbay_fmt(host, call,
					 "'%s' is not base64 (number %zu of %zu): copy it again, whole, with the = at "
					 "its end and %s in front",
					 option, i + 1, values.n, prefix));
	return PATCHBAY_ECONFIG;
}

/* Overwrites what is secret and not needed any more. */
static inline void patchbay_wipe(patchbay_str s)
{
	volatile char *p = (volatile char *)(uintptr_t)s.p; /* so that no compiler leaves it out */
	for (size_t i = 0; i < s.n; i++)
		p[i] = 0;
}

/* [control] As patchbay_keys_init(), of secrets that are written as base64. */
static inline patchbay_status patchbay_keys_init_base64(patchbay_keys *keys, const patchbay_host *host,
							patchbay_call *call, const patchbay_crypto_service *crypto,
							uint32_t algorithm, const char *option, const char *prefix,
							patchbay_strs secrets)
{
	patchbay_str bytes[PATCHBAY_KEYS_MAX];
	patchbay_strs decoded = { bytes, 0 };
	patchbay_status status = patchbay_keys_check(host, call, option, secrets);
	keys->n = 0;
	while (status == PATCHBAY_OK && decoded.n < secrets.n) {
		status = patchbay_key_bytes(host, call, crypto, option, prefix, secrets, decoded.n, &bytes[decoded.n]);
		decoded.n += status == PATCHBAY_OK;
	}
	if (status == PATCHBAY_OK)
		status = patchbay_keys_init(keys, host, call, crypto, algorithm, option, decoded);
	for (size_t i = 0; i < decoded.n; i++)
		patchbay_wipe(bytes[i]);
	return status;
}

/* [any] The number (from 1) of the key whose HMAC of the parts, joined, is `hex`; 0: none. Never matches
 * where there are no keys. */
static inline size_t patchbay_keys_match(const patchbay_keys *keys, const patchbay_str *parts, size_t n,
					 patchbay_str hex)
{
	for (size_t i = 0; i < keys->n; i++)
		if (keys->crypto->hmac_is(keys->v[i], parts, n, hex))
			return i + 1;
	return 0;
}

/* [any] The same for HMACs as bytes, of which any one may match: each key hashes once, however many there are. */
static inline size_t patchbay_keys_match_raw(const patchbay_keys *keys, patchbay_call *call, const patchbay_str *parts,
					     size_t n, const patchbay_str *macs, size_t n_macs)
{
	for (size_t i = 0; i < keys->n && n_macs > 0; i++) {
		patchbay_str mac = keys->crypto->hmac_raw(call, keys->v[i], parts, n);
		for (size_t k = 0; k < n_macs && mac.n > 0; k++)
			if (keys->crypto->equal(mac, macs[k]))
				return i + 1;
	}
	return 0;
}

/* [any] Of patchbay_keys_match(), for verify's sentence: "secret 2 of 2 (file /etc/patchbay/old.key)". */
static inline patchbay_str patchbay_keys_name(const patchbay_keys *keys, patchbay_call *call, size_t match)
{
	const patchbay_host *host = keys->host;
	patchbay_str name = { "", 0 };
	if (PATCHBAY_HAS(host, secret_name) && match > 0)
		name = host->secret_name(host, keys->option, match - 1);
	if (name.n == 0)
		return patchbay_fmt(host, call, "secret %zu of %zu", match, keys->n);
	return patchbay_fmt(host, call, "secret %zu of %zu (%.*s)", match, keys->n, (int)name.n, name.p);
}

/* [any] All of them, for the sentence that says that none matched: "2: env FLEET_SECRET, file
 * /etc/patchbay/old.key". */
static inline patchbay_str patchbay_keys_names(const patchbay_keys *keys, patchbay_call *call)
{
	const patchbay_host *host = keys->host;
	patchbay_str list = patchbay_fmt(host, call, "%zu", keys->n);
	for (size_t i = 0; i < keys->n && PATCHBAY_HAS(host, secret_name); i++) {
		patchbay_str name = host->secret_name(host, keys->option, i);
		if (name.n)
			list = patchbay_fmt(host, call, "%.*s%s%.*s", (int)list.n, list.p, i ? ", " : ": ", (int)name.n,
					    name.p);
	}
	return list;
}

/* [any] For verify to return when none matched. `what`: the signature, as the provider calls it; `whose`: "the
 * webhook's in Acme's console", and what else may help. */
static inline patchbay_status patchbay_keys_refuse(const patchbay_keys *keys, patchbay_call *call, const char *what,
						   const char *whose)
{
	patchbay_str names = patchbay_keys_names(keys, call);
	keys->host->explain(call, patchbay_fmt(keys->host, call,
					       "%s matches none of the configured secrets (%.*s): compare '%s' with %s",
					       what, (int)names.n, names.p, keys->option, whose));
	return PATCHBAY_EDENIED;
}

/* [any] For verify to return: OK, explained with the key that matched, or as patchbay_keys_refuse(). `match`: of
 * patchbay_keys_match(). */
static inline patchbay_status patchbay_keys_judge(const patchbay_keys *keys, patchbay_call *call, size_t match,
						  const char *what, const char *whose)
{
	const patchbay_host *host = keys->host;
	patchbay_str name = patchbay_keys_name(keys, call, match);
	if (match == 0)
		return patchbay_keys_refuse(keys, call, what, whose);
	host->explain(call, patchbay_fmt(host, call, "HMAC in %s, %.*s", what, (int)name.n, name.p));
	return PATCHBAY_OK;
}

/* [any] All of verify() where the header of that (lower-case) name brings the HMAC of the parts, joined, in hex: OK, and
 * explained with which key; EDENIED, and explained. */
static inline patchbay_status patchbay_keys_verify(const patchbay_keys *keys, patchbay_call *call,
						   const patchbay_request *r, const char *header,
						   const patchbay_str *parts, size_t n)
{
	const patchbay_host *host = keys->host;
	patchbay_str hex = { NULL, 0 };
	uint32_t found = patchbay_headers(r, patchbay_cstr(header), &hex);
	size_t match = found == 1 ? patchbay_keys_match(keys, parts, n, hex) : 0;

	if (found != 1) {
		host->explain(call, patchbay_fmt(host, call,
						 "there are %u headers %s, there must be one: the request is not from the "
						 "provider, or something in between has changed its headers",
						 found, header));
		return PATCHBAY_EDENIED;
	}
	return patchbay_keys_judge(keys, call, match, header,
				   "the provider's; a proxy that changes the body breaks it, too");
}

static inline bool patchbay_is_hex(patchbay_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
			return false;
	}
	return s.n > 0;
}

#ifdef __cplusplus
}
#endif
#endif
