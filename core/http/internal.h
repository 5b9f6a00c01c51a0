/* internal.h - what the files of this folder share. Everything here belongs to the intake's one thread, except where
 * a comment says otherwise. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include "base/call.h"
#include "http/intake.h"
#include "http/listener.h"
#include "source/admit.h"

#include <pthread.h>
#include <stdatomic.h>

struct MHD_Connection;

enum request_state {
	REQUEST_READING,  /* headers are in, the body is coming */
	REQUEST_WAITING,  /* suspended; its ticket is with the journal */
	REQUEST_ANSWERED, /* a response is queued, or being sent */
};

struct request {
	struct journal_ticket ticket; /* first: a ticket that comes back is its request */
	struct intake *intake;
	struct MHD_Connection *connection;          /* NULL once that is over */
	struct request *next_waiting, **in_waiting; /* in order of submission */
	enum request_state state;
	struct live *live;        /* its source, until it is verified and parsed */
	struct pulse *pulse;      /* of its source */
	enum admitted admitted;   /* what that made of it */
	patchbay_str path_secret; /* in MHD's memory, until the request is over */
	int64_t started_ns;       /* steady clock: its first line was read */
	int64_t waiting_ns;       /* steady clock: handed to the journal */
	int64_t received_ns;      /* wall clock */
	struct buf query, body;
	size_t body_limit;
	size_t reserved;  /* bytes of the intake's bound on bodies */
	int refused_body; /* 404, 405, 413, 503; 0: it is taken */
	bool ticket_out;  /* the journal has the ticket: the request must stay */
	bool answering;   /* journal_answering() was called */
	bool noted;       /* and is durable: if the answer does not arrive, that must be noted, too */
	bool timed_out;   /* answered 503 without the journal */
	bool peer_closed; /* before the answer went out */
	int status;       /* what to answer once decided */
	enum journal_outcome outcome;
	const char *said;  /* the tiny body; static */
	bool has_reply;    /* instead of `said`: what the plugin told us, in ticket.records, */
	size_t reply_type; /* behind its content type, which takes this many bytes with its NUL */
};

struct connection { /* MHD's socket context */
	struct connection *next, **in;
	struct MHD_Connection *mhd;
	int64_t deadline_ns; /* steady clock: cut off when later */
	int fd;
	struct handshake { /* TLS only, see tls.c */
		struct intake *intake;
		const struct listener *listener;
		struct certificate *certificate;  /* the one that was shown: must stay as long */
		struct connection *next, **in;    /* of the handshakes that have stalled in this step of MHD */
		bool under_way, may_read, parked; /* parked: suspended until more of it comes */
	} handshake;
};

struct intake {
	const struct config *config; /* of sources->generation */
	const struct live_set *sources;
	struct journal *journal;
	struct listener *listeners;
	size_t n_listeners;
	pthread_t thread;
	bool runs;
	int bell; /* eventfd: the journal, or intake_stop(), wakes the thread */
	atomic_bool stopping;

	struct { /* tickets that came back; from the journal's thread */
		pthread_mutex_t lock;
		struct journal_ticket *first, **last; /* lock */
	} decided;

	struct { /* what sources are to be from now on; from whoever reloads */
		pthread_mutex_t lock;
		pthread_cond_t taken;
		const struct live_set *sources; /* lock; NULL: the thread has them */
	} next;                                 /* lock also guards the listeners' certificates */

	struct patchbay_call call;
	struct journal_ticket *to_submit, **to_submit_last; /* gathered for the journal */
	size_t n_to_submit;
	size_t reserved; /* by all requests, for their bodies */
	struct request *waiting, **waiting_last;
	struct request *spare; /* by ticket.next */
	size_t n_spare;
	struct connection *connections;

	struct {
		int epoll_fd; /* the parked ones */
		struct connection *stalled;
	} handshakes;

	struct {
		_Atomic uint64_t requests, answered[6], connections, waiting, shed;
	} stats;
};

/* admit.c */
/* The whole request is here, and the intake's call has begun: verify, parse, and either decide the answer at once
 * (status set, false) or leave a ticket to submit (true). */
bool request_admit(struct request *, const patchbay_request *);
/* Counts it for its source, now that its outcome is known. */
void request_count(const struct request *);
/* What to answer now that the journal has decided. */
void request_conclude(struct request *);

/* client.c */
/* Fills in client and client_addr of the request from the socket's peer and, where that is a trusted proxy,
 * X-Forwarded-For. */
void client_address(const struct config *, const struct sockaddr *peer, patchbay_request *, char text[64]);

/* tls.c */
struct MHD_OptionItem;
#define TLS_OPTIONS 3u
void tls_options(struct MHD_OptionItem *ret); /* TLS_OPTIONS of them for its daemon, with their end */
void tls_begin(struct intake *, struct connection *, const struct listener *); /* a connection that was accepted */
void tls_end(struct connection *);                                             /* is being closed */
/* Before a step of MHD: resumes a few handshakes of which more has come, more of them if the last step took long for
 * other reasons. After it: suspends those that need more. */
void tls_step(struct intake *, int64_t last_step_ns);
void tls_park(struct intake *);
void tls_release(struct intake *); /* all of them, to be closed: the last step follows */
/* Shows the certificates of this configuration from now on. Under next.lock, but when the intake is made. */
void tls_take(struct intake *, const struct config *);

#endif
