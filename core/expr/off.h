/* off.h - what is refused before libjq sees it: calls of what is switched off, and text that is no
 * program at all. */
#ifndef EXPR_OFF_H
#define EXPR_OFF_H

#include "base/err.h"

#include <patchbay/plugin.h>

/* 0: balanced, not empty, UTF-8, and calls nothing that is switched off. */
int off_check(patchbay_str program, struct err *err);

#endif
