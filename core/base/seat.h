/* seat.h - at most one at a time: who replaces another waits for its seat, which the other leaves when all that it did
 * is on record. */
#ifndef BASE_SEAT_H
#define BASE_SEAT_H

#include <stdbool.h>
#include <stdint.h>

struct seat;

struct seat *seat_create(void);
struct seat *seat_ref(struct seat *);
void seat_unref(struct seat *);                 /* NULL is fine */
bool seat_take(struct seat *, int64_t wait_ms); /* false: after so long somebody still has it */
void seat_leave(struct seat *);

#endif
