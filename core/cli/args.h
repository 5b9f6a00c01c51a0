/* args.h - the command line of a command: what its options are, and where their values go. Every command has
 * -h, --help. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stddef.h>
#include <stdint.h>

enum arg_kind {
	ARG_FLAG,   /* bool */
	ARG_TEXT,   /* const char * */
	ARG_NUMBER, /* uint64_t */
	ARG_TIME,   /* int64_t, wall clock in ns: a time in ISO 8601, or how long ago: 90s, 2h, 7d */
	ARG_LIST,   /* struct arg_list: an option that may come several times */
};

struct arg_list { /* the caller frees it, whatever args_parse() says */
	const char **v;
	size_t n;
};

struct arg {
	const char *name; /* "limit": --limit */
	char letter;      /* 'n': -n; 0: there is only the long name */
	enum arg_kind kind;
	void *value; /* stays as it is when the option is not given */
};

struct args {
	const char *command; /* "events", for what is said on stderr */
	const char *help;    /* for --help */
	const struct arg *v;
	size_t n;
	int min, max;     /* how many operands; max -1: any number */
	const char *what; /* what to say when there are too few or too many: "one ID, please" */
};

#define ARG_CONFIG(variable)                                                                                           \
	{                                                                                                              \
		"config", 'c', ARG_TEXT, variable                                                                      \
	}
#define ARG_JSON(variable)                                                                                             \
	{                                                                                                              \
		"json", 0, ARG_FLAG, variable                                                                          \
	}

/* -1: go on; the operands are those from argv[optind] on. Else the exit status: help was printed to stdout (0), or
 * what is wrong to stderr (2). */
int args_parse(const struct args *, int argc, char **argv);
/* Says on stderr what is wrong with the command line, and where to read about it. Returns 2. */
int args_wrong(const struct args *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void arg_list_free(struct arg_list *);

#endif
