/* quarantine.h - what the journal keeps of a request that was refused or not understood, so that it can be verified
 * again once the secret, or the plugin, was mended. record.request is text:
 *
 *   POST /in/fleet?a=b
 *   :refused-by: path_secret          which check it failed: path_secret, verify, parse
 *   :path-secret: sha256 SALT HASH    path_secret only: hex; the hash of SALT followed by what was presented
 *   x-signature: 0123...              the headers in their order, without those that hold a secret
 *
 * No header's name begins with ':', so these lines cannot come from outside. The body is record.data. */
#ifndef SOURCE_QUARANTINE_H
#define SOURCE_QUARANTINE_H

#include "base/call.h"
#include "config/config.h"
#include "journal/journal.h"

enum quarantine_check { QUARANTINE_UNKNOWN, QUARANTINE_PATH_SECRET, QUARANTINE_VERIFY, QUARANTINE_PARSE };

struct quarantine {
	enum quarantine_check check; /* that it failed */
	const patchbay_request *request;
	patchbay_str path_secret; /* PATH_SECRET: as it was presented; never stored */
	patchbay_str why;
};

/* Makes the request the ticket's one record: JOURNAL_MALFORMED if it failed PARSE, else JOURNAL_REFUSED. */
void quarantine_put(struct journal_ticket *, const struct config_source *, patchbay_call *, const struct quarantine *);

struct quarantined {
	enum quarantine_check check;
	patchbay_request request; /* as it came */
	patchbay_str salt, hash;  /* PATH_SECRET */
};

/* The request of such a record, in the call's memory; it borrows the record's strings. False: err says why it
 * cannot be verified again. */
bool quarantine_read(patchbay_call *, const struct journal_record *, struct quarantined *ret, struct err *err);

/* Was what it presented a secret that the source has now? True also if another check refused it. */
bool quarantine_path_secret_is_right(patchbay_call *, const struct quarantined *, const struct config_source *);

#endif
