/* known.h - which texts libjq is known to accept: a reload, or a check followed by a start, does not
 * compile a thousand filters anew. Thread-safe, bounded; forgetting only costs time. */
#ifndef EXPR_KNOWN_H
#define EXPR_KNOWN_H

#include <patchbay/plugin.h>

bool known_has(patchbay_str text);
void known_add(patchbay_str text);

#endif
