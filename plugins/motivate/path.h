/* path.h - the path of a request, made from an event: what is filled in is percent-encoded, so that it stays within its
 * segment, and has to be there, so that the request does not become another one. */
#ifndef MOTIVATE_PATH_H
#define MOTIVATE_PATH_H

#include "api.h"

/* OK: *ret is a path below api_url. EBADEVENT, ECONFIG: explained. */
patchbay_status path_render(const struct api *, const patchbay_host *, patchbay_call *, const patchbay_expr *path,
			    const patchbay_delivery *event, patchbay_str *ret);

#endif
