/* options.h - what a sink of this plugin can be told in routes.yaml. */
#ifndef SMTP_OPTIONS_H
#define SMTP_OPTIONS_H

#include "address.h"

#define RECIPIENTS_MAX 100

struct options {
	patchbay_str server, username, password, from;
	patchbay_strs_expr to;
	patchbay_strs allow_domains;
	const patchbay_expr *subject, *text, *html; /* html may be NULL */
	int64_t digest, auth, tls;
	bool allow_private;
	patchbay_str ca_file, helo;
};

enum { TLS_AUTO, TLS_REQUIRED };

#define OPTIONS_COUNT 15
extern const patchbay_option options_table[OPTIONS_COUNT];

patchbay_status options_check(const patchbay_host *, patchbay_call *, const void *options);

struct server {                 /* smtp://host:port; points into that text */
	patchbay_str host;      /* with its brackets, where it is an IPv6 address */
	patchbay_str authority; /* host:port as written */
	bool tls;               /* from the first byte on */
};

bool options_server(patchbay_str url, struct server *ret);
const char *options_mechanisms(const struct options *); /* the ways to log in that are allowed: "PLAIN LOGIN" */
bool options_must_have_tls(const struct options *);

/* Is this the domain of an address that may be written to? */
bool options_allows(const struct options *, patchbay_str address);

#endif
