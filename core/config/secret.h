/* secret.h - secrets of routes.yaml: {env: X}, {file: /path}, {credential: x} or, with a warning, the
 * text itself. No message ever contains one. */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include "config/loader.h"

#define SECRET_FILE_MAX (64 << 10)

int secret_read(struct loader *, const struct node *, const char *name, patchbay_str *ret); /* -1: said why */
void secret_free(patchbay_str *);                                                           /* wipes it */

#endif
