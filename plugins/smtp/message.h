/* message.h - a mail as it goes over the wire: RFC 5322, seven bits, CRLF throughout, not yet dot-stuffed. */
#ifndef SMTP_MESSAGE_H
#define SMTP_MESSAGE_H

#include "address.h"
#include "buffer.h"

/* Whatever goes into a header has been checked: no CR, LF or NUL; addresses that are not wrong. */
struct message {
	struct mailbox from;
	const patchbay_str *to;
	size_t n_to;
	patchbay_str subject, text;
	patchbay_str html;          /* "": none */
	patchbay_str id;            /* of the mail: local@domain */
	const patchbay_str *events; /* their ids */
	size_t n_events;
	int64_t date_ns;
	char boundary[33]; /* letters and digits; where there is html */
};

void message_write(struct buffer *out, const struct message *);

#endif
