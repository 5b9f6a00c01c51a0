/* process.h - what a plugin could do to the process that it is loaded into, as seen from inside. */
#ifndef CONFORM_PROCESS_H
#define CONFORM_PROCESS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_SIGNALS 65

struct process_state {
	char folder[1024], locale[256];
	mode_t umask;
	uint64_t environment;
	uint64_t blocked; /* signals, of this thread */
	bool timer;       /* an alarm is set */
	uint64_t files;   /* that may be open */
	bool standard[3]; /* descriptors 0, 1, 2 are open */
	struct {
		uintptr_t handler;
		int flags;
	} signals[PROCESS_SIGNALS];
};

void process_look(struct process_state *);
/* What is different now, "the working directory (it is /tmp now)"; NULL: nothing. */
const char *process_change(const struct process_state *before, struct buf *text);

struct process_size {
	size_t heap, resident; /* bytes */
	size_t descriptors, threads;
};
void process_measure(struct process_size *);
/* "5 -> socket:[1234], 6 -> /tmp/x": the descriptors from `first` on. */
void process_list_descriptors(struct buf *, int first);

/* No network but an own one with nothing in it, if the kernel permits. */
bool process_isolate_network(void);

enum { FORBID_NETWORK = 1, FORBID_CHANGES = 2, FORBID_FILES = 4, FORBID_WAITING = 8 };
/* From now on this thread ends the process, with this exit status, when it makes such a system call; its name is then
 * in `told`. False: not on this machine. */
bool process_forbid(unsigned what, int exit_status, char *told, size_t size);

#endif
