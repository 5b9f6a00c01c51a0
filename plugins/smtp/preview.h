/* preview.h - a mail that is not sent, as JSON for `patchbay test`. */
#ifndef SMTP_PREVIEW_H
#define SMTP_PREVIEW_H

#include "compose.h"

/* {"to": [...], "subject": "...", "text": "..."}, and "html" where there is one. In memory of the call; "": none left.
 */
patchbay_str preview_json(const patchbay_host *, patchbay_call *, const struct composition *);

#endif
