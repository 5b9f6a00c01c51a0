/* session.c - libcurl, under watch. One recipient in each transaction: with several libcurl says that one was refused,
 * not which. */
#include "session.h"

#include <patchbay/sugar.h>

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MS 15000L
#define MARGIN_MS 200   /* of the deadline, at most, to wind up in */
#define KEEP_IDLE_S 60L /* a connection that was idle for longer is not used again */

struct session {
	const patchbay_host *host;
	const struct options *options;
	struct server server;
	CURL *curl;
	struct watch watch;
	bool global;         /* curl_global_init() was called */
	bool strict;         /* TLS, and a certificate that proves the name */
	bool must_be_strict; /* found out while it was not: the address is public */
	bool refused_private;
	unsigned opened;      /* sockets, for the mail in hand */
	curl_socket_t socket; /* of the connection, or CURL_SOCKET_BAD */
	patchbay_str mail;
	size_t mail_at;
	char error[CURL_ERROR_SIZE];
};

/* ---- What libcurl asks */

static size_t on_line(char *p, size_t size, size_t n, void *ctx)
{
	struct session *session = ctx;
	return watch_line(&session->watch, p, size * n) ? size * n : 0;
}

static int on_debug(CURL *curl, curl_infotype type, char *p, size_t n, void *ctx)
{
	struct session *session = ctx;
	(void)curl;
	if (type != CURLINFO_HEADER_OUT)
		return 0;
	watch_sent(&session->watch, p, n);
	/* Nothing of interest comes behind QUIT, and libcurl would wait for it beyond the deadline. */
	if (session->watch.quitting && session->socket != CURL_SOCKET_BAD)
		shutdown(session->socket, SHUT_RD);
	return 0;
}

static int before_mail(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
	struct session *session = ctx;
	(void)ip, (void)local_ip, (void)port, (void)local_port;
	return watch_may_mail(&session->watch) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static bool is_private(const struct curl_sockaddr *address)
{
	uint8_t bytes[16] = { [10] = 0xff, [11] = 0xff };
	if (address->family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, &address->addr, sizeof(in));
		memcpy(bytes + 12, &in.sin_addr, 4);
	} else if (address->family == AF_INET6 && address->addrlen >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in6; /* longer than the field is declared, not than it is */
		memcpy(&in6, (const char *)address + offsetof(struct curl_sockaddr, addr), sizeof(in6));
		memcpy(bytes, &in6.sin6_addr, 16);
	} else {
		return true;
	}
	return patchbay_is_private(bytes);
}

/* The name is resolved, nothing is sent yet. */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct session *session = ctx;
	bool private_address = is_private(address);
	(void)purpose;
	if (private_address && !session->options->allow_private) {
		session->refused_private = true;
		return CURL_SOCKET_BAD;
	}
	if (!private_address && !session->strict) {
		session->must_be_strict = true;
		return CURL_SOCKET_BAD;
	}
	session->opened++;
	session->socket = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	watch_connected(&session->watch, session->server.tls);
	return session->socket;
}

static int on_close(void *ctx, curl_socket_t fd)
{
	struct session *session = ctx;
	if (session->socket == fd)
		session->socket = CURL_SOCKET_BAD;
	return close(fd);
}

static size_t on_read(char *p, size_t size, size_t n, void *ctx)
{
	struct session *session = ctx;
	size_t left = session->mail.n - session->mail_at, room = size * n;
	size_t take = left < room ? left : room;
	memcpy(p, session->mail.p + session->mail_at, take);
	session->mail_at += take;
	return take;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	(void)p, (void)ctx;
	return size * n;
}

/* ---- Life */

/* libcurl wants a NUL behind it, and makes a copy of its own. */
static bool set_text(CURL *curl, CURLoption option, patchbay_str s)
{
	char *text = malloc(s.n + 1);
	if (!text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	bool ok = curl_easy_setopt(curl, option, text) == CURLE_OK;
	explicit_bzero(text, s.n);
	free(text);
	return ok;
}

static bool set_url(const struct session *session)
{
	patchbay_str authority = session->server.authority, helo = session->options->helo;
	char url[600];
	int n = snprintf(url, sizeof(url), "%s://%.*s/%.*s", session->server.tls ? "smtps" : "smtp", (int)authority.n,
			 authority.p, (int)helo.n, helo.p);
	return n > 0 && (size_t)n < sizeof(url) && curl_easy_setopt(session->curl, CURLOPT_URL, url) == CURLE_OK;
}

static bool set_login(const struct session *session)
{
	static const char *const ways[] = { "AUTH=PLAIN;AUTH=LOGIN;AUTH=CRAM-MD5", "AUTH=PLAIN", "AUTH=LOGIN",
					    "AUTH=CRAM-MD5" };
	const struct options *options = session->options;
	if (!options->username.n)
		return true;
	return set_text(session->curl, CURLOPT_USERNAME, options->username) &&
	       set_text(session->curl, CURLOPT_PASSWORD, options->password) &&
	       curl_easy_setopt(session->curl, CURLOPT_LOGIN_OPTIONS, ways[options->auth]) == CURLE_OK;
}

static void set_tls(struct session *session)
{
	/* Where a plain connection will do, an encrypted one need not prove anything. */
	bool verify = session->strict || session->server.tls;
	curl_easy_setopt(session->curl, CURLOPT_USE_SSL, (long)(session->strict ? CURLUSESSL_ALL : CURLUSESSL_TRY));
	curl_easy_setopt(session->curl, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
	curl_easy_setopt(session->curl, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	session->watch.need_tls = session->strict;
}

static bool set_up(struct session *session)
{
	const struct options *options = session->options;
	CURL *curl = session->curl = curl_easy_init();
	if (!curl || !set_url(session) || !set_login(session))
		return false;
	if (options->ca_file.n && (!set_text(curl, CURLOPT_CAINFO, options->ca_file) ||
				   curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) != CURLE_OK))
		return false;
	set_tls(session);
	bool ok = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK;
	ok = ok && curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_mail) == CURLE_OK;
	ok = ok && curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
	ok = ok && curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK;
	curl_easy_setopt(curl, CURLOPT_PREREQDATA, session);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, session->error);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, KEEP_IDLE_S);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(curl, CURLOPT_READDATA, session);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_line);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, session);
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L); /* for on_debug: which command is on its way */
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_debug);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, session);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, session);
	curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, session);
	return ok;
}

struct session *session_create(const patchbay_host *host, const struct options *options)
{
	struct session *session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	*session = (struct session){ .host = host,
				     .options = options,
				     .socket = CURL_SOCKET_BAD,
				     .strict = options_must_have_tls(options),
				     .watch = { .need_login = options->username.n > 0,
						.mechanisms = options_mechanisms(options) } };
	session->global = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (!session->global || !options_server(options->server, &session->server) || !set_up(session)) {
		session_destroy(session);
		return NULL;
	}
	return session;
}

void session_hang_up(struct session *session)
{
	if (session->socket != CURL_SOCKET_BAD)
		shutdown(session->socket, SHUT_RD); /* it says QUIT, and waits for no answer */
	curl_easy_cleanup(session->curl);
	session->curl = NULL;
}

void session_destroy(struct session *session)
{
	if (!session)
		return;
	session_hang_up(session);
	if (session->global)
		curl_global_cleanup();
	free(session);
}

/* ---- One mail */

static CURLcode perform(struct session *session, patchbay_call *call, patchbay_str mail)
{
	int64_t left = session->host->left_ms(call);
	left -= left / 10 < MARGIN_MS ? left / 10 : MARGIN_MS;
	if (left < 1)
		left = 1;
	session->mail = mail;
	session->mail_at = 0;
	session->opened = 0;
	session->error[0] = '\0';
	session->refused_private = session->must_be_strict = false;
	watch_begin(&session->watch);
	curl_easy_setopt(session->curl, CURLOPT_TIMEOUT_MS, (long)left);
	curl_easy_setopt(session->curl, CURLOPT_CONNECTTIMEOUT_MS, left < CONNECT_MS ? (long)left : CONNECT_MS);
	curl_easy_setopt(session->curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)(left / 1000 + 1));
	CURLcode code = curl_easy_perform(session->curl);
	/* Of two sockets that raced each other, the one that lost may have been opened last. */
	curl_socket_t active = CURL_SOCKET_BAD;
	if (curl_easy_getinfo(session->curl, CURLINFO_ACTIVESOCKET, &active) == CURLE_OK)
		session->socket = active;
	return code;
}

/* The connection had been idle, and the server had enough of it. */
static bool was_stale(const struct session *session)
{
	const struct watch *watch = &session->watch;
	return session->opened == 0 && watch->objection == OBJECTION_NONE && !session->refused_private &&
	       (watch->stage == STAGE_READY || watch->stage == STAGE_MAIL) && (watch->code == 0 || watch->code == 421);
}

static CURLcode perform_again(struct session *session, patchbay_call *call, patchbay_str mail)
{
	bool was_open = session->socket != CURL_SOCKET_BAD;
	CURLcode code = perform(session, call, mail);
	if (code != CURLE_OK && session->must_be_strict) {
		session->strict = true;
		set_tls(session);
		code = perform(session, call, mail);
	} else if (code != CURLE_OK && was_open && was_stale(session)) {
		code = perform(session, call, mail);
	}
	return code;
}

struct outcome session_send(struct session *session, patchbay_call *call, patchbay_str from, patchbay_str to,
			    patchbay_str mail)
{
	struct curl_slist *recipient = NULL;
	struct outcome outcome = { PATCHBAY_DOWN, PATCHBAY_S("no memory was left for a mail session") };
	patchbay_str name = patchbay_fmt(session->host, call, "%.*s", (int)to.n, to.p);
	if (!session->curl && !set_up(session)) {
		session_hang_up(session);
		goto out;
	}
	if (name.n != to.n || !(recipient = curl_slist_append(NULL, name.p)) ||
	    curl_easy_setopt(session->curl, CURLOPT_MAIL_RCPT, recipient) != CURLE_OK ||
	    !set_text(session->curl, CURLOPT_MAIL_FROM, from))
		goto out;
	curl_easy_setopt(session->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail.n);
	session->watch.need_utf8 = !address_is_ascii(to);

	CURLcode code = perform_again(session, call, mail);
	struct attempt attempt = { .host = session->host,
				   .options = session->options,
				   .server = session->server.authority,
				   .watch = &session->watch,
				   .curl = (int)code,
				   .error = session->error,
				   .refused_private = session->refused_private && session->opened == 0 };
	outcome = outcome_of(&attempt, call);
	curl_easy_setopt(session->curl, CURLOPT_MAIL_RCPT, NULL);
out:
	curl_slist_free_all(recipient);
	return outcome;
}
