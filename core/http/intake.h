/* intake.h - where providers post: HTTP in front, the journal behind. One thread drives all listeners;
 * a post is verified and parsed on it, suspended until its group commit is through, and then answered
 * as the contract says (README.md of this folder). */
#ifndef HTTP_INTAKE_H
#define HTTP_INTAKE_H

#include "base/err.h"
#include "config/config.h"
#include "journal/journal.h"
#include "source/live.h"

struct intake;

/* Listens where the configuration of these sources says. They must stay until the intake is destroyed, or they are
 * replaced. */
struct intake *intake_create(const struct live_set *, struct err *err);
/* For journal_options.decided; ctx is the intake. */
void intake_decided(void *intake, struct journal_ticket *list);
int intake_start(struct intake *, struct journal *, struct err *err);
/* From now on posts come to these sources, within the limits of their configuration, and no connection notices. When it
 * returns the last ones are not used any more. Between intake_start() and intake_stop(). [control] */
void intake_reload(struct intake *, const struct live_set *);
/* Takes no more connections, answers what is in hand (new posts: 503), and stops. The journal still runs. */
void intake_stop(struct intake *);
void intake_destroy(struct intake *); /* NULL is fine */

/* The address that a listener got, for port 0. "127.0.0.1:38211"; NULL past the last. */
const char *intake_address(const struct intake *, size_t i);

struct intake_certificate {  /* what a listener shows to new connections */
	const char *address; /* intake_address() */
	int64_t not_after_ms;
	char names[256]; /* "example.org, www.example.org", cut off if there are many */
};
/* False: the listener has none, since it does not speak TLS, or there is no such listener. [any thread] */
bool intake_certificate(const struct intake *, size_t i, struct intake_certificate *ret);

struct intake_stats {                   /* since the start */
	uint64_t requests, answered[6]; /* by class: [2] is 2xx */
	uint64_t connections, waiting;  /* now */
	uint64_t shed;                  /* 503: overloaded, or the journal too slow */
};
void intake_stats(const struct intake *, struct intake_stats *);

#endif
