/* id.h - event ids: UUIDv7 (RFC 9562), made by the router, in time order within a process. */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <patchbay/plugin.h>

#include <stdbool.h>
#include <stdint.h>

struct id {
	uint8_t b[16];
};
#define ID_TEXT_SIZE 37 /* with the NUL */

struct id id_new(int64_t wall_ns); /* thread-safe */
int64_t id_time_ms(const struct id *);
/* Of an event that Patchbay makes itself (alarm/): its last bytes are always the same, so that whatever became of it
 * can be told from what became of others wherever there is nothing but an id. */
struct id id_new_own(int64_t wall_ns);
bool id_is_own(const struct id *);
void id_format(const struct id *, char out[ID_TEXT_SIZE]);
bool id_parse(patchbay_str text, struct id *ret);

#endif
