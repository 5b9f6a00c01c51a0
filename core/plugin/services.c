/* services.c - the tables by their ids. JSON, expressions and HTTP have theirs at home. */
#include "plugin/services.h"

#include "base/call.h"
#include "base/clock.h"
#include "base/json.h"
#include "expr/expr.h"
#include "net/http_client.h"

#include <string.h>

static patchbay_str time_format(patchbay_call *call, int64_t ns)
{
	char text[CLOCK_ISO_SIZE];
	size_t n = clock_format_iso(ns, text);

	return arena_copy(&call->arena, (patchbay_str){ text, n });
}

const patchbay_time_service time_service = {
	.size = sizeof(patchbay_time_service),
	.parse = clock_parse_iso,
	.format = time_format,
};

const void *service_find(const char *id)
{
	static const struct {
		const char *id;
		const void *table;
	} services[] = {
		{ PATCHBAY_JSON, &json_service },
		{ PATCHBAY_CRYPTO, &crypto_service },
		{ PATCHBAY_ED25519, &ed25519_service },
		{ PATCHBAY_TIME, &time_service },
		{ PATCHBAY_EXPR, &expr_service },
		{ PATCHBAY_HTTP, &http_service },
	};

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strcmp(services[i].id, id) == 0)
			return services[i].table;
	return NULL;
}
