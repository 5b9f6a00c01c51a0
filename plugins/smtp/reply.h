/* reply.h - what an answer of an SMTP server means for the event and for the sink. */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include <patchbay/plugin.h>

enum stage { /* what was asked for when the answer came, in the order of a session */
	     STAGE_GREETING,
	     STAGE_EHLO,
	     STAGE_STARTTLS,
	     STAGE_AUTH,
	     STAGE_READY, /* nothing: no connection, or an open one between two mails */
	     STAGE_MAIL,
	     STAGE_RCPT,
	     STAGE_DATA,
	     STAGE_BODY, /* the text was asked for; the next answer is about the whole mail */
};

/* OK: accepted. EBADEVENT: never, of this mail or this recipient. RETRY: this mail, later. DOWN: no mail now.
 * EBADSINK: no mail until a person mends something. */
patchbay_status reply_status(enum stage, int code);
const char *reply_stage_name(enum stage); /* "the recipient" */

#endif
