/* tls.c - TLS of listeners. libmicrohttpd does it, with GnuTLS; here is what it is told, and what it does not do well
 * by itself: as long as a handshake lasts it tries to read again and again, whether anything has come or not, and it
 * does as many of them in one step as there are. So a handshake that waits for its peer is suspended, and taken up
 * again when more has come, a few in each step, so that those who are connected already are not kept waiting. */
#include "http/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "tls/certificate.h"

#include <gnutls/gnutls.h>
#include <microhttpd.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* TLS 1.3, and 1.2 with forward secrecy and authenticated encryption; what else is old enough to be broken. X25519
 * comes first since most clients begin with it: another one costs them a round trip. */
#define PRIORITIES                                                                                                     \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:+AES-256-GCM:"         \
	"+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD:-GROUP-ALL:"                                                   \
	"+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1:%SERVER_PRECEDENCE"
/* In one step of MHD two handshakes are taken up, and one more for each 4 ms that the last step took: one takes 2 ms
 * with a key of RSA (2048 bits), 0.5 ms with one of P-256. So neither they nor the rest have to wait for long. */
#define STEPS_MIN 2
#define STEPS_MAX 32
#define STEP_NS (4 * NS_PER_MS)

/* ---- What GnuTLS asks */

static struct connection *connection_of(gnutls_session_t session)
{
	gnutls_transport_ptr_t in, out;
	gnutls_transport_get_ptr2(session, &in, &out);
	return in;
}

static int retrieve(gnutls_session_t session, const gnutls_datum_t *issuers, int n_issuers,
		    const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **ret_chain,
		    unsigned *ret_n, gnutls_privkey_t *ret_key)
{
	struct handshake *h = &connection_of(session)->handshake;
	(void)issuers;
	(void)n_issuers;
	(void)algorithms;
	(void)n_algorithms;
	if (!h->certificate)
		h->certificate = certificate_ref(h->listener->certificate);
	certificate_show(h->certificate, ret_chain, ret_n, ret_key);
	return 0;
}

static void stall(struct connection *c)
{
	struct handshake *h = &c->handshake;
	h->may_read = false;
	if (h->in)
		return;
	struct connection **first = &h->intake->handshakes.stalled;
	h->next = *first;
	if (h->next)
		h->next->handshake.in = &h->next;
	h->in = first;
	*first = c;
}

static void unstall(struct connection *c)
{
	struct handshake *h = &c->handshake;
	if (!h->in)
		return;
	*h->in = h->next;
	if (h->next)
		h->next->handshake.in = h->in;
	h->in = NULL;
}

static ssize_t pull(gnutls_transport_ptr_t ctx, void *data, size_t n)
{
	struct connection *c = ctx;
	ssize_t got = -1;
	if (c->handshake.under_way && !c->handshake.may_read)
		errno = EAGAIN; /* it is not its turn */
	else
		got = recv(c->fd, data, n, 0);
	if (got == -1 && errno == EAGAIN && c->handshake.under_way)
		stall(c);
	return got;
}

/* The last message for which the handshake has to wait. A client that gathers what it sends (Nagle) keeps its request
 * until this is acknowledged, which takes 40 ms, since there is nothing to answer to it. */
static int on_finished(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
		       const gnutls_datum_t *message)
{
	(void)type;
	(void)when;
	(void)message;
	if (incoming) {
		const int on = 1;
		struct connection *c = connection_of(session);
		c->handshake.under_way = false;
		setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
	}
	return 0;
}

/* ---- Connections */

void tls_options(struct MHD_OptionItem *ret)
{
	union {
		const char *text;
		void *value;
	} priorities = { PRIORITIES };
	union {
		gnutls_certificate_retrieve_function2 *function;
		void *value;
	} callback = { retrieve };
	ret[0] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, priorities.value };
	ret[1] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, callback.value };
	ret[2] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
}

void tls_begin(struct intake *in, struct connection *c, const struct listener *l)
{
	gnutls_session_t session = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
	c->handshake = (struct handshake){ .intake = in, .listener = l, .under_way = true };
	gnutls_transport_set_ptr2(session, c, (gnutls_transport_ptr_t)(intptr_t)c->fd);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST, on_finished);
}

void tls_end(struct connection *c)
{
	unstall(c);
	certificate_unref(c->handshake.certificate);
}

/* ---- The loop */

static void take_up(struct intake *in, struct connection *c)
{
	epoll_ctl(in->handshakes.epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
	c->handshake.parked = false;
	c->handshake.may_read = true;
	MHD_resume_connection(c->mhd);
}

void tls_step(struct intake *in, int64_t last_step_ns)
{
	struct epoll_event ready[STEPS_MAX];
	int64_t steps = STEPS_MIN + last_step_ns / STEP_NS;
	int n = epoll_wait(in->handshakes.epoll_fd, ready, steps < STEPS_MAX ? (int)steps : STEPS_MAX, 0);
	for (int i = 0; i < n; i++)
		take_up(in, ready[i].data.ptr);
}

void tls_park(struct intake *in)
{
	for (struct connection *c; (c = in->handshakes.stalled);) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
		unstall(c);
		MHD_suspend_connection(c->mhd);
		c->handshake.parked = true;
		if (epoll_ctl(in->handshakes.epoll_fd, EPOLL_CTL_ADD, c->fd, &event) == 0)
			continue;
		shutdown(c->fd, SHUT_RDWR);
		take_up(in, c);
	}
}

void tls_release(struct intake *in)
{
	for (struct connection *c = in->connections; c; c = c->next) {
		if (!c->handshake.parked)
			continue;
		shutdown(c->fd, SHUT_RDWR);
		take_up(in, c);
	}
}

/* ---- Certificates */

static struct certificate *find(const struct config *config, const char *address)
{
	for (size_t i = 0; i < config->n_listen; i++)
		if (strcmp(config->listen[i].text, address) == 0)
			return config->listen[i].certificate;
	return NULL;
}

void tls_take(struct intake *in, const struct config *config)
{
	for (size_t i = 0; i < in->n_listeners; i++) {
		struct listener *l = &in->listeners[i];
		struct certificate *was = l->certificate, *is = l->tls ? find(config, l->configured) : NULL;
		if (!is) /* that its address goes takes a restart */
			continue;
		l->certificate = certificate_ref(is);
		if (was && !certificate_same(was, is))
			log_info("listen %s: new connections are shown the new certificate, for %s", l->address,
				 certificate_names(is));
		certificate_unref(was);
	}
}
