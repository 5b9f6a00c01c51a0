/* runner.h - one test in a process of its own, and what became of it. */
#ifndef CONFORM_RUNNER_H
#define CONFORM_RUNNER_H

#include "conform/kit.h"

struct result {
	const struct conform_test *test;
	enum verdict verdict;
	char sentence[SENTENCE_SIZE];
	char info[sizeof(((struct shared *)0)->info)];
	char state[sizeof(((struct shared *)0)->state)];
	char secret[sizeof(((struct shared *)0)->secret)];
	char printed[1024]; /* what was printed, in which call; "" nothing */
	int64_t took_ms;
};

struct runner {
	const struct conform_order *order;
	char *folder;
	struct shared *shared; /* of all tests, one after the other */
};

/* -1: no folder, no memory; said on stderr. */
int runner_init(struct runner *, const struct conform_order *);
void runner_fini(struct runner *);
void runner_run(struct runner *, const struct conform_test *, struct result *);

#endif
