/* delivered.h - who has an event already that is still owed to others, so that nobody gets it again when it is retried.
 * In memory, shared by all instances: after a restart, or when very many are owed, somebody does, with the same
 * Message-ID. */
#ifndef SMTP_DELIVERED_H
#define SMTP_DELIVERED_H

#include <patchbay/services.h>

/* `name` says which event, sent to whom, by what: any text, "" where there was no memory for it. */
void delivered_add(const patchbay_crypto_service *, patchbay_call *, patchbay_str name);
void delivered_forget(const patchbay_crypto_service *, patchbay_call *, patchbay_str name);
bool delivered_has(const patchbay_crypto_service *, patchbay_call *, patchbay_str name);
bool delivered_any(void); /* is there anything to ask for? */

#endif
