/* certificate.c - `tls` of a listener: its certificate and key, read and judged. */
#include "config/loader.h"

#include "base/clock.h"
#include "config/options.h"
#include "config/secret.h"
#include "tls/certificate.h"

const patchbay_option config_tls_options[CONFIG_N_TLS_OPTIONS] = {
	OPTION_BY_HAND(PATCHBAY_T_STR, "certificate", .flags = PATCHBAY_F_REQUIRED,
		       .help = "the file of the server's certificate and those of its issuers"),
	OPTION_BY_HAND(PATCHBAY_T_STR, "key", .flags = PATCHBAY_F_REQUIRED | PATCHBAY_F_SECRET,
		       .help = "where the private key is: {file: key.pem}"),
};

static const struct node *need(struct loader *l, const struct node *tls, const char *key, const char *what)
{
	const struct node *node = node_get(tls, key);
	if (!node)
		fault_error(&l->faults, tls->key_line, tls->key_column, "'tls' needs '%s': %s", key, what);
	return node;
}

static void judge(struct loader *l, const struct node *at, const struct certificate *c)
{
	struct err why;
	if (certificate_out_of_date(c, clock_wall_ns() / NS_PER_MS, &why))
		fault_warning(&l->faults, at->line, at->column, "'certificate': %s", why.text);
	if (certificate_lacks_issuer(c, &why))
		fault_warning(&l->faults, at->line, at->column, "'certificate': %s", why.text);
}

void load_certificate(struct loader *l, const struct node *tls, struct config_address *ret)
{
	const struct option_table table = { .common = config_tls_options,
					    .n_common = CONFIG_N_TLS_OPTIONS,
					    .who = "'tls'" };
	patchbay_str chain = { NULL, 0 }, secret = { NULL, 0 };
	bool with_key;
	struct err err;
	ret->tls = true;
	if (tls->kind == NODE_BAD)
		return;
	if (tls->kind != NODE_MAP) {
		loader_wrong_kind(l, tls, "'tls'", "a mapping: {certificate: fullchain.pem, key: {file: key.pem}}");
		return;
	}
	options_fill(l, &table, tls, NULL);
	const struct node *certificate =
		need(l, tls, "certificate", "the file of the server's certificate and those of its issuers");
	const struct node *key = need(l, tls, "key", "where the private key is; write key: {file: key.pem}");
	if (l->looking || l->testing)
		return;
	bool there = certificate && secret_read_public(l, certificate, "certificate", &chain) == 0;
	there &= key && secret_read(l, key, "key", &secret) == 0;
	if (there) {
		ret->certificate = certificate_create(chain, secret, &with_key, &err);
		if (ret->certificate)
			judge(l, certificate, ret->certificate);
		else if (with_key)
			fault_error(&l->faults, key->line, key->column, "'key': %s", err.text);
		else
			fault_error(&l->faults, certificate->line, certificate->column, "'certificate': %s", err.text);
	}
	secret_free(&chain);
	secret_free(&secret);
}
