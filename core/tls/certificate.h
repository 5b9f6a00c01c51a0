/* certificate.h - what a listener proves itself with: its certificate, those of its issuers, and the key. Judged when
 * it is made, and never changed; shared by reference. */
#ifndef TLS_CERTIFICATE_H
#define TLS_CERTIFICATE_H

#include "base/err.h"
#include "base/str.h"

#include <gnutls/abstract.h>

#define CERTIFICATE_CHAIN_MAX 16u
#define CERTIFICATE_NAMES_SIZE 256u

struct certificate;

/* Both are PEM; the chain begins with the listener's own. NULL: err says what is wrong, and *ret_with_key whether with
 * the key. */
struct certificate *certificate_create(patchbay_str chain, patchbay_str key, bool *ret_with_key, struct err *err);
struct certificate *certificate_ref(struct certificate *); /* returns it; NULL is fine. [any thread] */
void certificate_unref(struct certificate *);              /* the last one wipes the key; NULL is fine. [any thread] */

int64_t certificate_not_after_ms(const struct certificate *);
const char *
certificate_names(const struct certificate *); /* "example.org, www.example.org", cut off if there are many */
bool certificate_same(const struct certificate *, const struct certificate *); /* the chains, to the byte */
bool certificate_is(const struct certificate *, const void *der, size_t n);    /* the first of the chain */

/* Things that do not keep it from being used. True: why. */
bool certificate_out_of_date(const struct certificate *, int64_t now_ms, struct err *why);
bool certificate_lacks_issuer(const struct certificate *, struct err *why);

/* For gnutls_certificate_retrieve_function2; theirs until the last reference is gone. */
void certificate_show(const struct certificate *, gnutls_pcert_st **ret_chain, unsigned *ret_n,
		      gnutls_privkey_t *ret_key);

#endif
