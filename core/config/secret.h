/* secret.h - secrets of routes.yaml: {env: X}, {file: /path}, {credential: x} or, with a warning, the
 * text itself. No message ever contains one. */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include "config/loader.h"

#define SECRET_FILE_MAX (64 << 10)

/* How it is called goes into loader->secrets; `option` must outlive them. -1: said why. */
int secret_read(struct loader *, const struct node *, const char *option, patchbay_str *ret);
/* For what is kept in the same places, but is no secret: {file: }, {env: }, {credential: } or just the path of a file.
 */
int secret_read_public(struct loader *, const struct node *, const char *option, patchbay_str *ret);
void secret_free(patchbay_str *); /* wipes it */

#endif
