/* poll.h - events that Motivate Cloud is asked for: GETs on a schedule, page by page, every item an event. */
#ifndef MOTIVATE_POLL_H
#define MOTIVATE_POLL_H

#include "motivate.h"

#include <patchbay/fetch.h>

struct poll_options {
	patchbay_str path, type, id, time, subject;
	int64_t every, page_size;
};

#define POLLS_MAX 16

#define POLL_N_OPTIONS 7
extern const patchbay_option poll_option_table[POLL_N_OPTIONS];

patchbay_status poll_check(const patchbay_host *, patchbay_call *, patchbay_list polls);

extern const patchbay_poll motivate_poll;

#endif
