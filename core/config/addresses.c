/* addresses.c - `listen` and `admin`: where connections are accepted. */
#include "config/loader.h"

#include "base/mem.h"
#include "config/options.h"
#include "config/scalar.h"
#include "tls/certificate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static int parse_unix(patchbay_str path, struct config_address *ret, struct err *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	if (path.n == 0 || path.p[0] != '/')
		return err_set(err, "a unix socket needs an absolute path; write unix:/run/patchbay/http.sock");
	if (path.n >= sizeof(un.sun_path) || memchr(path.p, 0, path.n))
		return err_set(err, "the path of a unix socket has at most %zu bytes", sizeof(un.sun_path) - 1);
	memcpy(un.sun_path, path.p, path.n);
	memcpy(&ret->addr, &un, sizeof(un));
	ret->addr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
	return 0;
}

static int parse_host(const char *host, bool brackets, in_port_t port, struct config_address *ret, struct err *err)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = port };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = port };

	if (!*host || strcmp(host, "*") == 0)
		return err_set(err, "which addresses? write 0.0.0.0:%d for all of IPv4, '[::]:%d' for all of IPv6",
			       ntohs(port), ntohs(port));
	if (strcmp(host, "localhost") == 0)
		return err_set(err, "names are not looked up; write 127.0.0.1:%d", ntohs(port));
	if (brackets && inet_pton(AF_INET6, host, &in6.sin6_addr) == 1) {
		memcpy(&ret->addr, &in6, sizeof(in6));
		ret->addr_len = sizeof(in6);
		return 0;
	}
	if (!brackets && inet_pton(AF_INET, host, &in.sin_addr) == 1) {
		memcpy(&ret->addr, &in, sizeof(in));
		ret->addr_len = sizeof(in);
		return 0;
	}
	if (!brackets && strchr(host, ':'))
		return err_set(err, "an IPv6 address stands in brackets, and in quotes; write '[2001:db8::7]:8080'");
	return err_set(err, "'%s' is not an IP%s address; write one such as %s (names are not looked up)", host,
		       brackets ? "v6" : "", brackets ? "'[::1]:8080'" : "127.0.0.1:8080");
}

static int parse_address(patchbay_str text, struct config_address *ret, struct err *err)
{
	char host[INET6_ADDRSTRLEN + 16] = "";
	int64_t port;

	if (str_starts(text, STR("unix:")))
		return parse_unix((patchbay_str){ text.p + 5, text.n - 5 }, ret, err);
	const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
	patchbay_str digits = colon ? (patchbay_str){ colon + 1, (size_t)(text.p + text.n - colon - 1) } : text;
	bool number = scalar_int(digits, &port) && digits.p[0] != '+' && digits.p[0] != '-';
	if (memmem(text.p, text.n, "://", 3))
		return err_set(err, "this is a URL; write only the address and port, such as 127.0.0.1:8080");
	if (!colon && number)
		return err_set(err, "the address is missing; write 0.0.0.0:%.*s for all of IPv4", STR_ARG(digits));
	if (!colon || digits.n == 0)
		return err_set(err, "the port is missing; write ADDRESS:PORT, such as 0.0.0.0:8080");
	if (!number || port > 65535)
		return err_set(err, "'%.*s' is not a port; write a number from 0 to 65535", fault_shown(digits),
			       digits.p);
	size_t n = (size_t)(colon - text.p);
	bool brackets = n >= 2 && text.p[0] == '[' && text.p[n - 1] == ']';
	if (n >= sizeof(host))
		return err_set(err, "this is not an IP address; write one such as 0.0.0.0:8080");
	if (n > 0)
		memcpy(host, text.p + brackets, n - 2 * (size_t)brackets);
	return parse_host(host, brackets, htons((uint16_t)port), ret, err);
}

static bool is_wildcard(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

/* Could not both be bound. Port 0 is another one each time. */
static bool overlap(const struct config_address *a, const struct config_address *b)
{
	if (a->addr.ss_family != b->addr.ss_family)
		return false;
	if (a->addr.ss_family == AF_UNIX)
		return strcmp(a->text, b->text) == 0;
	in_port_t port = a->addr.ss_family == AF_INET ? ((const struct sockaddr_in *)&a->addr)->sin_port
						      : ((const struct sockaddr_in6 *)&a->addr)->sin6_port;
	in_port_t other = b->addr.ss_family == AF_INET ? ((const struct sockaddr_in *)&b->addr)->sin_port
						       : ((const struct sockaddr_in6 *)&b->addr)->sin6_port;
	if (port != other || port == 0)
		return false;
	return is_wildcard(&a->addr) || is_wildcard(&b->addr) || memcmp(&a->addr, &b->addr, sizeof(a->addr)) == 0;
}

static int read_address(struct loader *l, const struct node *node, const char *key, struct config_address *ret)
{
	struct err err = { "" };
	if (node->kind == NODE_BAD)
		return -1;
	if (node->kind != NODE_SCALAR || node_is_null(node)) {
		fault_error(&l->faults, node->line, node->column,
			    "'%s' must be an address such as 127.0.0.1:8080, not %s", key, node_kind_name(node));
		return -1;
	}
	if (parse_address(node->text, ret, &err) < 0) {
		fault_error(&l->faults, node->line, node->column, "'%s': %s", key, err.text);
		return -1;
	}
	ret->text = xstrndup(node->text.p, node->text.n);
	ret->line = node->line;
	ret->column = node->column;
	return 0;
}

/* An address, or a mapping with an address and what it takes for TLS. */
const patchbay_option config_listen_options[CONFIG_N_LISTEN_OPTIONS] = {
	OPTION_BY_HAND(PATCHBAY_T_STR, "address", .flags = PATCHBAY_F_REQUIRED, .help = "where: 0.0.0.0:8443"),
	OPTION_BY_HAND(PATCHBAY_T_MAP, "tls", .fields = config_tls_options, .n_fields = CONFIG_N_TLS_OPTIONS,
		       .help = "speak TLS, with this certificate and key"),
};

static int read_listen(struct loader *l, const struct node *node, struct config_address *ret)
{
	const struct option_table table = { .common = config_listen_options,
					    .n_common = CONFIG_N_LISTEN_OPTIONS,
					    .who = "'listen'" };
	if (node->kind != NODE_MAP)
		return read_address(l, node, "listen", ret);
	const struct node *address = node_get(node, "address"), *tls = node_get(node, "tls");
	options_fill(l, &table, node, NULL);
	if (!address) {
		fault_error(&l->faults, node->line, node->column,
			    "'listen' needs 'address': where providers post to; write address: 0.0.0.0:8443");
		return -1;
	}
	if (tls)
		load_certificate(l, tls, ret);
	if (read_address(l, address, "address", ret) < 0)
		return -1;
	if (tls && ret->addr.ss_family == AF_UNIX)
		fault_error(&l->faults, tls->key_line, tls->key_column,
			    "'tls': what goes through a unix socket never leaves this machine; remove 'tls'");
	return 0;
}

static void add_listen(struct loader *l, const struct node *node)
{
	struct config *c = l->config;
	struct config_address *address = &c->listen[c->n_listen];
	if (read_listen(l, node, address) < 0) {
		certificate_unref(address->certificate);
		*address = (struct config_address){ 0 };
		return;
	}
	for (size_t i = 0; i < c->n_listen; i++)
		if (overlap(&c->listen[i], address)) {
			fault_error(&l->faults, node->line, node->column,
				    "'listen': %s is already taken by %s above; remove one of them", address->text,
				    c->listen[i].text);
			break;
		}
	c->n_listen++;
}

void load_addresses(struct loader *l, const struct node *root)
{
	const struct node *listen = node_get(root, "listen"), *admin = node_get(root, "admin");
	struct config *c = l->config;

	if (!listen || (listen->kind == NODE_LIST && listen->n == 0)) {
		fault_error(&l->faults, listen ? listen->line : 0, listen ? listen->column : 0,
			    "'listen' is missing: where providers post to; write listen: 0.0.0.0:8080");
	} else {
		size_t n = listen->kind == NODE_LIST ? listen->n : 1;
		c->listen = xcalloc(n, sizeof(*c->listen));
		for (size_t i = 0; i < n; i++)
			add_listen(l, listen->kind == NODE_LIST ? &listen->items[i] : listen);
	}
	if (!admin)
		return;
	struct config_address address = { 0 };
	if (read_address(l, admin, "admin", &address) < 0)
		return;
	c->admin = xmalloc(sizeof(*c->admin));
	*c->admin = address;
	for (size_t i = 0; i < c->n_listen; i++)
		if (overlap(&c->listen[i], c->admin)) {
			fault_error(&l->faults, admin->line, admin->column,
				    "'admin' must not be where providers post to (%s); write another port, such as "
				    "127.0.0.1:8081",
				    c->listen[i].text);
			break;
		}
}
