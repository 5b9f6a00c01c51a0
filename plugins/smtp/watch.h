/* watch.h - follows an SMTP session from outside of libcurl, line by line, and says when it must not go on: libcurl
 * sends the mail also where the server offers no AUTH, and says of an answer no more than that there was one. */
#ifndef SMTP_WATCH_H
#define SMTP_WATCH_H

#include "reply.h"

#define WATCH_TEXT_MAX 300

enum objection { /* why this end hung up */
		 OBJECTION_NONE,
		 OBJECTION_NO_STARTTLS,
		 OBJECTION_NO_AUTH,     /* not offered, or not in a way that is allowed */
		 OBJECTION_NO_LOGIN,    /* offered, but the session came to the mail without it */
		 OBJECTION_NO_SMTPUTF8, /* which this recipient needs */
};

struct watch {
	/* What the session must have; set by the caller. */
	bool need_tls, need_login, need_utf8;
	const char *mechanisms; /* those that are allowed: "PLAIN LOGIN" */
	/* What it has, since the connection was made. */
	enum stage stage;
	bool tls, login, offers_starttls, offers_utf8, offers_login, offers_auth;
	/* What came of the mail in hand. */
	enum objection objection;
	int code;                      /* of the last answer; 0 none */
	char text[WATCH_TEXT_MAX + 1]; /* behind the code, its lines joined; printable ASCII */
	size_t text_n;
	bool in_reply; /* more lines of it are to come */
	bool quitting; /* what comes now is of no interest */
};

void watch_connected(struct watch *, bool tls);           /* a new connection */
void watch_begin(struct watch *);                         /* a mail, on whatever connection there is */
void watch_sent(struct watch *, const char *p, size_t n); /* a command */
bool watch_line(struct watch *, const char *p, size_t n); /* of the server; false: hang up */
bool watch_may_mail(struct watch *);                      /* may MAIL FROM go out now? */

#endif
