/* reply.c - reply codes by where in the session they come (RFC 5321 section 4.2). */
#include "reply.h"

patchbay_status reply_status(enum stage stage, int code)
{
	bool later = code / 100 == 4;
	if (code == 421)
		return PATCHBAY_DOWN; /* the server closes, whatever it was asked */
	if (code == 530 || code == 534 || code == 535 || code == 538)
		return PATCHBAY_EBADSINK; /* about the login */
	switch (stage) {
	case STAGE_RCPT:
		/* 552 here is an old way to say that a mailbox is full (section 4.5.3.1.10). */
		return later || code == 552 ? PATCHBAY_RETRY : PATCHBAY_EBADEVENT;
	case STAGE_DATA:
		if (code >= 500 && code <= 504)
			return PATCHBAY_EBADSINK; /* server and libcurl do not understand each other */
		return later ? PATCHBAY_RETRY : PATCHBAY_EBADEVENT;
	case STAGE_BODY:
		if (code / 100 == 2)
			return PATCHBAY_OK;
		return later ? PATCHBAY_RETRY : PATCHBAY_EBADEVENT;
	case STAGE_MAIL:
		if (code == 552)
			return PATCHBAY_EBADEVENT;                /* the mail is larger than the server takes */
		return later ? PATCHBAY_DOWN : PATCHBAY_EBADSINK; /* the sender is always the same */
	default:
		return later ? PATCHBAY_DOWN : PATCHBAY_EBADSINK;
	}
}

const char *reply_stage_name(enum stage stage)
{
	static const char *const names[] = { "the connection", "EHLO",       "STARTTLS",      "the login",
					     "the connection", "the sender", "the recipient", "the DATA command",
					     "the mail" };
	return names[stage];
}
