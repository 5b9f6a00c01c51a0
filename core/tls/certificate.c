/* certificate.c - see certificate.h. */
#include "tls/certificate.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct certificate {
	atomic_uint refs;
	gnutls_x509_crt_t x509[CERTIFICATE_CHAIN_MAX];
	gnutls_pcert_st chain[CERTIFICATE_CHAIN_MAX];
	unsigned n;
	gnutls_privkey_t key;
	char names[CERTIFICATE_NAMES_SIZE];
};

static gnutls_datum_t datum(patchbay_str s)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)s.p, (unsigned)s.n };
}

/* Without the full stop, so that it fits into a sentence. */
static const char *reason(int problem, char out[128])
{
	snprintf(out, 128, "%s", gnutls_strerror(problem));
	size_t n = strlen(out);
	if (n && out[n - 1] == '.')
		out[n - 1] = '\0';
	return out;
}

/* ---- Reading */

static int read_chain(struct certificate *c, patchbay_str pem, struct err *err)
{
	const gnutls_datum_t text = datum(pem);
	unsigned n = CERTIFICATE_CHAIN_MAX;
	char why[128];
	int r = gnutls_x509_crt_list_import(c->x509, &n, &text, GNUTLS_X509_FMT_PEM,
					    GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
	if (r == GNUTLS_E_SHORT_MEMORY_BUFFER)
		return err_set(err, "it has more than %u certificates; keep the server's own and those of its issuers",
			       CERTIFICATE_CHAIN_MAX);
	if (r < 0 || n == 0)
		return err_set(err,
			       "there is no certificate in it (%s); it must be PEM, with a line "
			       "-----BEGIN CERTIFICATE-----",
			       reason(r < 0 ? r : GNUTLS_E_NO_CERTIFICATE_FOUND, why));
	for (c->n = 0; c->n < n; c->n++) {
		r = gnutls_pcert_import_x509(&c->chain[c->n], c->x509[c->n], 0);
		if (r < 0) {
			for (unsigned i = c->n; i < n; i++) /* the others go with the pcerts */
				gnutls_x509_crt_deinit(c->x509[i]);
			return err_set(err, "certificate %u of it cannot be used: %s", c->n + 1, reason(r, why));
		}
	}
	return 0;
}

static int read_key(struct certificate *c, patchbay_str pem, struct err *err)
{
	const gnutls_datum_t text = datum(pem);
	char why[128];
	gnutls_privkey_init(&c->key);
	int r = gnutls_privkey_import_x509_raw(c->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (r == GNUTLS_E_DECRYPTION_FAILED)
		return err_set(err, "it is locked with a password, which nobody is there to type; unlock it with "
				    "`openssl pkey -in FILE -out NEW`");
	if (r < 0)
		return err_set(err,
			       "there is no private key in it (%s); it must be PEM, with a line "
			       "-----BEGIN PRIVATE KEY-----",
			       reason(r, why));
	return 0;
}

/* ---- Judging */

static bool key_fits(gnutls_privkey_t key, gnutls_x509_crt_t x509)
{
	unsigned char of_key[64], of_x509[64];
	size_t n_key = sizeof of_key, n_x509 = sizeof of_x509;
	gnutls_pubkey_t public;
	gnutls_pubkey_init(&public);
	bool fits = gnutls_pubkey_import_privkey(public, key, 0, 0) == 0 &&
		    gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, of_key, &n_key) == 0 &&
		    gnutls_x509_crt_get_key_id(x509, GNUTLS_KEYID_USE_SHA256, of_x509, &n_x509) == 0 &&
		    n_key == n_x509 && memcmp(of_key, of_x509, n_key) == 0;
	gnutls_pubkey_deinit(public);
	return fits;
}

static void add_name(struct buf *out, const char *name, size_t n)
{
	if (n)
		buf_addf(out, "%s%.*s", out->n ? ", " : "", (int)n, name);
}

static void find_names(struct certificate *c)
{
	struct buf all = { 0 };
	for (unsigned i = 0;; i++) {
		char name[256], text[INET6_ADDRSTRLEN];
		size_t n = sizeof name;
		int kind = gnutls_x509_crt_get_subject_alt_name(c->x509[0], i, name, &n, NULL);
		if (kind == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (kind == GNUTLS_SAN_DNSNAME)
			add_name(&all, name, strnlen(name, n));
		else if (kind == GNUTLS_SAN_IPADDRESS &&
			 inet_ntop(n == 4 ? AF_INET : AF_INET6, name, text, sizeof text))
			add_name(&all, text, strlen(text));
	}
	char common[256] = "";
	size_t n = sizeof common;
	if (all.n == 0 && gnutls_x509_crt_get_dn_by_oid(c->x509[0], GNUTLS_OID_X520_COMMON_NAME, 0, 0, common, &n) == 0)
		add_name(&all, common, n);
	snprintf(c->names, sizeof c->names, "%s", buf_cstr(&all));
	if (all.n >= sizeof c->names)
		memcpy(c->names + sizeof c->names - 4, "...", 4);
	buf_free(&all);
}

static int check_pair(const struct certificate *c, bool *ret_with_key, struct err *err)
{
	if (!key_fits(c->key, c->x509[0])) {
		for (unsigned i = 1; i < c->n; i++)
			if (key_fits(c->key, c->x509[i]))
				return err_set(err,
					       "the key belongs to certificate %u of it; that one must come first, "
					       "and then its issuers",
					       i + 1);
		*ret_with_key = true;
		return err_set(err,
			       "it does not belong to the certificate, which is for %s; take the key that it was "
			       "asked for with",
			       c->names[0] ? c->names : "nobody");
	}
	for (unsigned i = 0; i + 1 < c->n; i++)
		if (!gnutls_x509_crt_check_issuer(c->x509[i], c->x509[i + 1]))
			return err_set(err,
				       "certificate %u of it is not the issuer of certificate %u; the server's own "
				       "comes first, then its issuer, then that one's",
				       i + 2, i + 1);
	return 0;
}

static void say_when(time_t when, char out[32])
{
	struct tm tm;
	gmtime_r(&when, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M UTC", &tm);
}

bool certificate_out_of_date(const struct certificate *c, int64_t now_ms, struct err *why)
{
	char when[32];
	for (unsigned i = 0; i < c->n; i++) {
		time_t from = gnutls_x509_crt_get_activation_time(c->x509[i]),
		       until = gnutls_x509_crt_get_expiration_time(c->x509[i]);
		bool early = now_ms / 1000 < from;
		if (!early && now_ms / 1000 <= until)
			continue;
		say_when(early ? from : until, when);
		err_set(why, "%s %s %s; %s", i == 0 ? "it" : "the certificate of an issuer in it",
			early ? "is not valid before" : "has expired at", when,
			early ? "is the clock of this machine right?"
			      : "nobody who checks it will post here; renew it");
		return true;
	}
	return false;
}

/* Issued by a root is fine, issued by one below it is not: which it is, only the clients' lists of roots could tell. */
bool certificate_lacks_issuer(const struct certificate *c, struct err *why)
{
	char issuer[256] = "";
	size_t n = sizeof issuer;
	if (c->n > 1 || gnutls_x509_crt_check_issuer(c->x509[0], c->x509[0]))
		return false;
	gnutls_x509_crt_get_issuer_dn(c->x509[0], issuer, &n);
	err_set(why,
		"it stands alone; clients that do not know its issuer, %s, will refuse it. Put the issuer's "
		"certificate behind it (what is often called fullchain.pem)",
		issuer);
	return true;
}

/* ---- Life */

struct certificate *certificate_create(patchbay_str chain, patchbay_str key, bool *ret_with_key, struct err *err)
{
	struct certificate *c = xcalloc(1, sizeof *c);
	atomic_init(&c->refs, 1);
	*ret_with_key = false;
	if (read_chain(c, chain, err) == 0) {
		find_names(c);
		*ret_with_key = read_key(c, key, err) != 0;
		if (!*ret_with_key && check_pair(c, ret_with_key, err) == 0)
			return c;
	}
	certificate_unref(c);
	return NULL;
}

struct certificate *certificate_ref(struct certificate *c)
{
	if (c)
		atomic_fetch_add(&c->refs, 1);
	return c;
}

void certificate_unref(struct certificate *c)
{
	if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	for (unsigned i = 0; i < c->n; i++) {
		gnutls_pcert_deinit(&c->chain[i]);
		gnutls_x509_crt_deinit(c->x509[i]);
	}
	if (c->key)
		gnutls_privkey_deinit(c->key);
	free(c);
}

/* ---- Telling */

int64_t certificate_not_after_ms(const struct certificate *c)
{
	return (int64_t)gnutls_x509_crt_get_expiration_time(c->x509[0]) * 1000;
}

const char *certificate_names(const struct certificate *c)
{
	return c->names;
}

bool certificate_same(const struct certificate *a, const struct certificate *b)
{
	bool same = a->n == b->n;
	for (unsigned i = 0; same && i < a->n; i++)
		same = gnutls_x509_crt_equals(a->x509[i], b->x509[i]);
	return same;
}

bool certificate_is(const struct certificate *c, const void *der, size_t n)
{
	return c->chain[0].cert.size == n && memcmp(c->chain[0].cert.data, der, n) == 0;
}

void certificate_show(const struct certificate *c, gnutls_pcert_st **ret_chain, unsigned *ret_n,
		      gnutls_privkey_t *ret_key)
{
	*ret_chain = (gnutls_pcert_st *)(uintptr_t)c->chain; /* GnuTLS only reads them */
	*ret_n = c->n;
	*ret_key = c->key;
}
