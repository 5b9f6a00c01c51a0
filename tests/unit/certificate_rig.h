/* certificate_rig.h - makes certificates and keys, as PEM files in the current folder. */
#ifndef TESTS_CERTIFICATE_RIG_H
#define TESTS_CERTIFICATE_RIG_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

struct made {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
};

#define DAY_S 86400

/* Of elliptic curves, which are quick to make. issuer NULL: signed by itself. Valid from and until so many days from
 * now. Writes NAME.pem and NAME.key. */
static struct made made_certificate(const char *name, const struct made *issuer, int from_days, int until_days)
{
	struct made m;
	char path[64];
	gnutls_datum_t pem;
	time_t now = time(NULL);
	gnutls_x509_privkey_init(&m.key);
	gnutls_x509_privkey_generate(m.key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&m.crt);
	gnutls_x509_crt_set_version(m.crt, 3);
	gnutls_x509_crt_set_serial(m.crt, name, strlen(name));
	gnutls_x509_crt_set_dn_by_oid(m.crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
	gnutls_x509_crt_set_subject_alt_name(m.crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_subject_alt_name(m.crt, GNUTLS_SAN_IPADDRESS, "\x7f\0\0\1", 4, GNUTLS_FSAN_APPEND);
	gnutls_x509_crt_set_activation_time(m.crt, now + (time_t)from_days * DAY_S);
	gnutls_x509_crt_set_expiration_time(m.crt, now + (time_t)until_days * DAY_S);
	gnutls_x509_crt_set_key(m.crt, m.key);
	assert_int_equal(gnutls_x509_crt_sign2(m.crt, issuer ? issuer->crt : m.crt, issuer ? issuer->key : m.key,
					       GNUTLS_DIG_SHA256, 0),
			 0);

	snprintf(path, sizeof path, "%s.pem", name);
	assert_int_equal(gnutls_x509_crt_export2(m.crt, GNUTLS_X509_FMT_PEM, &pem), 0);
	rig_write(path, (const char *)pem.data);
	gnutls_free(pem.data);
	snprintf(path, sizeof path, "%s.key", name);
	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(m.key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem),
			 0);
	rig_write(path, (const char *)pem.data);
	gnutls_free(pem.data);
	return m;
}

static void made_free(struct made *m)
{
	gnutls_x509_crt_deinit(m->crt);
	gnutls_x509_privkey_deinit(m->key);
}

#endif
