/* delivery.h - a journaled event in the form in which expressions and sinks see it. */
#ifndef DELIVER_DELIVERY_H
#define DELIVER_DELIVERY_H

#include "base/arena.h"
#include "base/id.h"
#include "journal/journal.h"

/* Borrows the record's strings and `id_text`, which it fills in. */
void delivery_from_record(const struct journal_record *, char id_text[ID_TEXT_SIZE], patchbay_delivery *ret);

/* A copy of everything, in the arena. */
patchbay_delivery *delivery_copy(struct arena *, const patchbay_delivery *);

/* How much of a batch's bytes it takes. */
size_t delivery_bytes(const patchbay_delivery *);

#endif
