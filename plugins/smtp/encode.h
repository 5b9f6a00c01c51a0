/* encode.h - text as mail takes it: seven bits, CRLF, short lines (RFC 2045, 2047, 5322). */
#ifndef SMTP_ENCODE_H
#define SMTP_ENCODE_H

#include "buffer.h"

enum encoding { ENCODING_7BIT, ENCODING_QUOTED_PRINTABLE, ENCODING_BASE64 };

/* With every line break as CRLF, whatever it was, and one at the end. */
void encode_lines(struct buffer *, patchbay_str text);

/* Of text from encode_lines(): how it is best sent. */
enum encoding encode_choose(patchbay_str lines);
const char *encode_name(enum encoding);
void encode_body(struct buffer *, patchbay_str lines, enum encoding);

/* The value of an unstructured header, such as Subject; `column`: where on its line it begins. Folded; as encoded-words
 * where it is not plain. The text has neither CR nor LF nor NUL. */
void encode_header(struct buffer *, patchbay_str text, size_t column);
/* The name in front of an address. As encode_header(). */
void encode_display_name(struct buffer *, patchbay_str name, size_t column);
/* Always as encoded-words. */
void encode_words(struct buffer *, patchbay_str text, size_t column);

#endif
