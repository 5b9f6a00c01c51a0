/* send.h - playing a provider: what `patchbay send` was asked for, and doing it. */
#ifndef CLI_SEND_H
#define CLI_SEND_H

#include "cli/post.h"
#include "config/config.h"

#include <patchbay/simulate.h>

struct send_order {
	const struct config_source *source;
	patchbay_simulate simulate;
	uint32_t sample; /* index */
	struct post_url url;
	uint64_t serial, count;
	bool bad_signature, retry, json;
};

/* Sends, and prints what was answered. Returns the exit status. */
int send_play(const struct send_order *);

const struct config_address *send_default_address(const struct config *);
/* send_own.c: has the running daemon make an event of Patchbay's own. Returns the exit status. */
int send_own(const char *config_path, const char *alarm, bool json);
void send_list_own(bool json);

/* "http://127.0.0.1:8080/in/fleet": where the configuration listens for this source. The caller frees. */
char *send_default_url(const struct config *, const struct config_source *);

#endif
