/* options.c - the options, and the rules across them. */
#include "options.h"

#include <patchbay/sugar.h>

#include <string.h>

static const char *const mechanism_names[] = { "auto", "plain", "login", "cram-md5", NULL };
static const char *const tls_names[] = { "auto", "required", NULL };

#define OPTION(kind, field, ...) PATCHBAY_OPTION(struct options, kind, field, __VA_ARGS__)
const patchbay_option options_table[OPTIONS_COUNT] = {
	OPTION(PATCHBAY_T_STR, server, .flags = PATCHBAY_F_REQUIRED,
	       .help = "smtp://host:port (STARTTLS) or smtps://host:port (TLS from the start)."),
	OPTION(PATCHBAY_T_STR, username,
	       .help = "To log in with; needs a password, TLS, and a server that offers AUTH."),
	OPTION(PATCHBAY_T_STR, password, .flags = PATCHBAY_F_SECRET, .help = "The password of `username`."),
	OPTION(PATCHBAY_T_STR, from, .flags = PATCHBAY_F_REQUIRED,
	       .help = "The sender: fleet@example.edu or Fleet desk <fleet@example.edu>."),
	OPTION(PATCHBAY_T_STRS_EXPR, to, .flags = PATCHBAY_F_REQUIRED, .min = 1, .max = RECIPIENTS_MAX,
	       .help = "Addresses; or a jq program that gives one, or an array of them."),
	OPTION(PATCHBAY_T_STRS, allow_domains,
	       .help = "Mail goes to these domains only; required where `to` is a jq program."),
	OPTION(PATCHBAY_T_TEXT, subject, .def = "\\(.type) from \\(.source)", .help = "The subject."),
	OPTION(PATCHBAY_T_TEXT, text,
	       .def = "\\(.type) from \\(.source), \\(.time)\\n\\nEvent \\(.id)\\n\\n\\(.data)\\n",
	       .help = "The plain text."),
	OPTION(PATCHBAY_T_TEXT, html, .help = "The same as HTML; what is interpolated is escaped."),
	OPTION(PATCHBAY_T_INT, digest, .def = "0", .min = 0, .max = 1000,
	       .help = "More waiting events of one route than this become one mail that lists them; 0: never."),
	OPTION(PATCHBAY_T_ENUM, auth, .def = "auto", .one_of = mechanism_names,
	       .help = "The only way to log in that is taken; auto: whichever of these the server offers."),
	OPTION(PATCHBAY_T_ENUM, tls, .def = "auto", .one_of = tls_names,
	       .help = "auto: required, except without `username` on a private address with allow_private."),
	OPTION(PATCHBAY_T_BOOL, allow_private, .def = "false",
	       .help = "Whether the server may have a loopback, private or link-local address."),
	OPTION(PATCHBAY_T_STR, ca_file, .flags = PATCHBAY_F_PATH,
	       .help = "Certificates (PEM) to trust instead of the system's."),
	OPTION(PATCHBAY_T_STR, helo, .help = "The name to greet the server with; default this machine's."),
};

const char *options_mechanisms(const struct options *options)
{
	static const char *const lists[] = { "PLAIN LOGIN CRAM-MD5", "PLAIN", "LOGIN", "CRAM-MD5" };
	return lists[options->auth];
}

/* ---- The server */

static bool take(patchbay_str *s, const char *prefix)
{
	size_t n = strlen(prefix);
	if (s->n < n || memcmp(s->p, prefix, n) != 0)
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

static bool all_of(patchbay_str s, const char *chars)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(chars, s.p[i]))
			return false;
	return s.n > 0;
}

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool options_server(patchbay_str url, struct server *ret)
{
	struct server server = { .tls = take(&url, "smtps://") };
	if (!server.tls && !take(&url, "smtp://"))
		return false;
	if (url.n && url.p[url.n - 1] == '/')
		url.n--;
	server.authority = server.host = url;
	if (url.n && url.p[0] == '[') {
		const char *close = memchr(url.p, ']', url.n);
		if (!close)
			return false;
		server.host.n = (size_t)(close + 1 - url.p);
		patchbay_str inner = { url.p + 1, server.host.n - 2 };
		if (!all_of(inner, DIGITS "abcdefABCDEF:."))
			return false;
	} else {
		const char *colon = memchr(url.p, ':', url.n);
		if (colon)
			server.host.n = (size_t)(colon - url.p);
		if (!all_of(server.host, LETTERS DIGITS "-._"))
			return false;
	}
	patchbay_str port = { url.p + server.host.n, url.n - server.host.n };
	if (port.n && (!take(&port, ":") || !all_of(port, DIGITS) || port.n > 5))
		return false;
	*ret = server;
	return true;
}

bool options_must_have_tls(const struct options *options)
{
	return options->username.n || !options->allow_private || options->tls == TLS_REQUIRED;
}

bool options_allows(const struct options *options, patchbay_str address)
{
	if (options->allow_domains.n == 0)
		return true;
	if (address_has_route(address))
		return false;
	for (size_t i = 0; i < options->allow_domains.n; i++)
		if (address_same_domain(address_domain(address), options->allow_domains.v[i]))
			return true;
	return false;
}

/* ---- Rules */

__attribute__((format(printf, 3, 4))) static patchbay_status refuse(const patchbay_host *host, patchbay_call *call,
								    const char *fmt, ...)
{
	char text[600];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	host->explain(call, patchbay_cstr(text));
	return PATCHBAY_ECONFIG;
}

static patchbay_status check_login(const patchbay_host *host, patchbay_call *call, const struct options *options)
{
	if (address_breaks_line(options->username) || address_breaks_line(options->password))
		return refuse(host, call, "'username' or 'password' contains a line break or a NUL");
	if (options->username.n && !options->password.n)
		return refuse(
			host, call,
			"'username' without a password; write 'password', or check the variable or file that it is "
			"taken from");
	if (options->password.n && !options->username.n)
		return refuse(host, call, "'password' without 'username'; write both or neither");
	return PATCHBAY_OK;
}

static patchbay_status check_domains(const patchbay_host *host, patchbay_call *call, const struct options *options)
{
	for (size_t i = 0; i < options->allow_domains.n; i++) {
		patchbay_str domain = options->allow_domains.v[i];
		const char *wrong = address_domain_wrong(domain);
		patchbay_str shown = address_shown(host, call, domain);
		if (wrong)
			return refuse(host, call,
				      "'allow_domains': '%.*s' %s; write domains as they stand behind the '@', such as "
				      "example.edu",
				      (int)shown.n, shown.p, wrong);
	}
	if (options->to.expr && options->allow_domains.n == 0)
		return refuse(
			host, call,
			"'to' is a jq program, so events decide who gets mail; list in 'allow_domains' where it may "
			"go");
	return PATCHBAY_OK;
}

static patchbay_status check_recipients(const patchbay_host *host, patchbay_call *call, const struct options *options)
{
	for (size_t i = 0; i < options->to.strs.n; i++) {
		patchbay_str address = options->to.strs.v[i];
		patchbay_str shown = address_shown(host, call, address);
		const char *wrong = address_wrong(address);
		if (wrong)
			return refuse(host, call, "'to': '%.*s' %s; write addresses such as desk@example.edu",
				      (int)shown.n, shown.p, wrong);
		if (!options_allows(options, address))
			return refuse(host, call, "'to': '%.*s' %s", (int)shown.n, shown.p,
				      address_has_route(address)
					      ? "has a '%' or '!' before its '@', by which a server may pass it on "
						"to a domain that is not in 'allow_domains'"
					      : "has a domain that is not in 'allow_domains'; add it there");
	}
	if (!options->to.expr && options->to.strs.n == 0)
		return refuse(host, call, "'to' names nobody; list at least one address");
	return PATCHBAY_OK;
}

static patchbay_status check_sender(const patchbay_host *host, patchbay_call *call, const struct options *options)
{
	struct mailbox from;
	patchbay_str shown = address_shown(host, call, options->from);
	const char *wrong = mailbox_parse(options->from, &from);
	if (!wrong && !address_is_ascii(from.address))
		wrong = "has an address with letters outside of ASCII, which most servers refuse";
	if (wrong)
		return refuse(host, call,
			      "'from': '%.*s' %s; write it as fleet@example.edu or Fleet desk <fleet@example.edu>",
			      (int)shown.n, shown.p, wrong);
	return PATCHBAY_OK;
}

patchbay_status options_check(const patchbay_host *host, patchbay_call *call, const void *p)
{
	const struct options *options = p;
	struct server server;
	patchbay_status status;
	if (!options_server(options->server, &server))
		return refuse(
			host, call,
			"'server' is not smtp://host, smtp://host:port, smtps://host or smtps://host:port (a login "
			"goes into 'username' and 'password')");
	if (options->helo.n && address_domain_wrong(options->helo))
		return refuse(host, call, "'helo' is no host name; write one such as patchbay.example.edu");
	if ((status = check_login(host, call, options)) != PATCHBAY_OK ||
	    (status = check_sender(host, call, options)) != PATCHBAY_OK ||
	    (status = check_domains(host, call, options)) != PATCHBAY_OK ||
	    (status = check_recipients(host, call, options)) != PATCHBAY_OK)
		return status;
	return PATCHBAY_OK;
}
