/* text.h - a text that grows in memory of a call; what is put together for the API and the journal is JSON. */
#ifndef MOTIVATE_TEXT_H
#define MOTIVATE_TEXT_H

#include <patchbay/plugin.h>

struct text {
	const patchbay_host *host;
	patchbay_call *call;
	char *p;
	size_t n, room;
	bool failed; /* the call has no memory left: p is not to be used */
};

/* Makes room for n bytes at once, so that nothing is left behind in memory that nobody wipes. */
void text_reserve(struct text *, size_t n);
void text_add(struct text *, patchbay_str);
void text_add_c(struct text *, const char *);
/* As a JSON string, with its quotes; what is not UTF-8 becomes U+FFFD. At most 6 bytes for each. */
void text_add_string(struct text *, patchbay_str);
patchbay_str text_str(const struct text *); /* "" when failed */

/* What somebody else said, fit for one line: at most `max` bytes, cut at a character, no control characters. */
patchbay_str text_line(const patchbay_host *, patchbay_call *, patchbay_str, size_t max);
/* With a NUL behind it; NULL: no memory, or a NUL inside. */
const char *text_c(const patchbay_host *, patchbay_call *, patchbay_str);

#endif
