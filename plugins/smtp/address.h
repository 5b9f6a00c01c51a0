/* address.h - which addresses and header values may go out. Everything here refuses, and never mends: what was mended
 * would go to somebody else than was asked for. */
#ifndef SMTP_ADDRESS_H
#define SMTP_ADDRESS_H

#include <patchbay/plugin.h>

struct mailbox { /* "Night shift <fleet@example.edu>"; points into that text */
	patchbay_str name, address;
};

/* What is wrong with local@domain, to go behind its name ("has no '@'"); NULL: nothing. The local part may be UTF-8,
 * quoted local parts and address literals are not taken. */
const char *address_wrong(patchbay_str address);
const char *address_domain_wrong(patchbay_str domain);
patchbay_str address_domain(patchbay_str address); /* of an address that is not wrong */
bool address_is_ascii(patchbay_str);
/* Does its local part name a further destination (user%domain, domain!user)? Many servers send such mail on there. */
bool address_has_route(patchbay_str address);
bool address_same_domain(patchbay_str a, patchbay_str b);

/* An address alone, or behind a name in front of <>, which may stand in quotes. NULL: *ret is filled in. */
const char *mailbox_parse(patchbay_str text, struct mailbox *ret);

/* CR, LF or NUL: what would end a header or a command. */
bool address_breaks_line(patchbay_str);

/* An untrusted value in one sentence: without control characters, not too long. In memory of the call. */
patchbay_str address_shown(const patchbay_host *, patchbay_call *, patchbay_str);

#endif
