/* session.h - one connection to a mail server, kept open from mail to mail, and what came of each mail. */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include "outcome.h"

struct session;

/* options: as checked; valid as long as the session. NULL: out of memory. No network. */
struct session *session_create(const patchbay_host *, const struct options *);
void session_destroy(struct session *); /* NULL is fine; does not wait for the server */
void session_hang_up(struct session *); /* closes the connection, if there is one */

/* Sends the mail (as of message.h) to one recipient, within the call's deadline. */
struct outcome session_send(struct session *, patchbay_call *, patchbay_str from, patchbay_str to, patchbay_str mail);

#endif
