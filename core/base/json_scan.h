/* json_scan.h - checks a JSON text in one pass, and notes the members of a top-level object on its way. */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include "base/arena.h"
#include "base/err.h"

#include <patchbay/services.h>

struct json_index {
	struct json_member *v; /* NULL: not an object, or too many members to be worth it */
	uint32_t n;
};

struct json_position { /* where json_at() left off, so that a walk over an array is linear */
	uint32_t index;
	const char *at;
};

struct patchbay_json {
	const char *p; /* the value's own text, from its first byte to its last */
	size_t n;
	struct json_position *position; /* arrays made by json.c */
	struct json_index index;        /* the root */
	int32_t type;
};

struct json_member {
	patchbay_str key; /* between the quotes, as it stands */
	patchbay_str value;
	bool escaped; /* the key */
};

/* What a value that begins with this character is. */
static inline int32_t json_type_of(char first)
{
	switch (first) {
	case '{':
		return PATCHBAY_JSON_OBJECT;
	case '[':
		return PATCHBAY_JSON_ARRAY;
	case '"':
		return PATCHBAY_JSON_STRING;
	case 't':
		return PATCHBAY_JSON_TRUE;
	case 'f':
		return PATCHBAY_JSON_FALSE;
	case 'n':
		return PATCHBAY_JSON_NULL;
	default:
		return PATCHBAY_JSON_NUMBER;
	}
}

static inline struct patchbay_json json_value(const char *p, size_t n)
{
	return (struct patchbay_json){ .p = p, .n = n, .type = json_type_of(*p) };
}

/* Fills in the root; its index is in the arena. False: err says what was found at which byte. */
bool json_scan(struct arena *, patchbay_str text, struct patchbay_json *root, struct err *err);

#endif
