/* post_tls.c - see post_tls.h. */
#include "cli/post_tls.h"

#include "base/clock.h"
#include "base/mem.h"
#include "tls/certificate.h"

#include <gnutls/gnutls.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct post_tls {
	gnutls_session_t session;
	gnutls_certificate_credentials_t trusted;
};

static int shake_hands(gnutls_session_t session, int fd, const struct post_url *url, int64_t until_ns, struct err *err)
{
	for (;;) {
		int r = gnutls_handshake(session);
		if (r == 0)
			return 0;
		if (r == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR) {
			gnutls_datum_t why = { NULL, 0 };
			gnutls_certificate_verification_status_print(gnutls_session_get_verify_cert_status(session),
								     GNUTLS_CRT_X509, &why, 0);
			err_set(err, "the certificate of %s is not trusted: %s", url->host,
				why.data ? (char *)why.data : "?");
			gnutls_free(why.data);
			return -1;
		}
		if (gnutls_error_is_fatal(r))
			return err_set(err, "cannot speak TLS with %s: %s", url->host, gnutls_strerror(r));
		struct pollfd ready = { .fd = fd, .events = gnutls_record_get_direction(session) ? POLLOUT : POLLIN };
		int64_t left = until_ns - clock_steady_ns();
		if (left <= 0 || poll(&ready, 1, (int)((left + NS_PER_MS - 1) / NS_PER_MS)) == 0)
			return err_set(err, "%s did not answer in time", url->host);
	}
}

/* Of one's own configuration: it is for names under which others know this machine, so it is compared as a whole. */
static int check_own(gnutls_session_t session, const struct post_url *url, struct err *err)
{
	unsigned n = 0;
	const gnutls_datum_t *shown = gnutls_certificate_get_peers(session, &n);
	if (n && certificate_is(url->certificate, shown->data, shown->size))
		return 0;
	return err_set(err,
		       "%s shows another certificate than the configuration names; run `patchbay reload`, or is it "
		       "another daemon?",
		       url->host);
}

static bool is_address(const char *name)
{
	unsigned char address[16];
	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

struct post_tls *post_tls_open(int fd, const struct post_url *url, int64_t until_ns, struct err *err)
{
	struct post_tls *tls = xcalloc(1, sizeof(*tls));
	gnutls_certificate_allocate_credentials(&tls->trusted);
	gnutls_init(&tls->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	gnutls_set_default_priority(tls->session);
	gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, tls->trusted);
	gnutls_transport_set_int(tls->session, fd);
	if (!url->certificate) {
		gnutls_certificate_set_x509_system_trust(tls->trusted);
		if (!is_address(url->name))
			gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS, url->name, strlen(url->name));
		gnutls_session_set_verify_cert(tls->session, url->name, 0);
	}
	if (shake_hands(tls->session, fd, url, until_ns, err) == 0 &&
	    (!url->certificate || check_own(tls->session, url, err) == 0))
		return tls;
	post_tls_close(tls);
	return NULL;
}

void post_tls_close(struct post_tls *tls)
{
	if (!tls)
		return;
	gnutls_bye(tls->session, GNUTLS_SHUT_WR);
	gnutls_deinit(tls->session);
	gnutls_certificate_free_credentials(tls->trusted);
	free(tls);
}

static ssize_t result(ssize_t r)
{
	if (r >= 0)
		return r;
	errno = r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED ? EAGAIN
		: r == GNUTLS_E_PUSH_ERROR                       ? EPIPE
								 : ECONNRESET;
	return -1;
}

ssize_t post_tls_send(struct post_tls *tls, const void *p, size_t n)
{
	return result(gnutls_record_send(tls->session, p, n));
}

ssize_t post_tls_recv(struct post_tls *tls, void *p, size_t n)
{
	return result(gnutls_record_recv(tls->session, p, n));
}
