/* golden.h - golden tests of a configuration, for `patchbay test`: a request, and what is expected to become of it. A
 * test file is read into them, each is run by itself: with no network and no journal, and nothing is written. */
#ifndef CLI_GOLDEN_H
#define CLI_GOLDEN_H

#include "base/arena.h"
#include "config/config.h"
#include "config/loader.h"
#include "plugin/host.h"

enum golden_signed { GOLDEN_SIGNED_RIGHT, GOLDEN_SIGNED_WRONG, GOLDEN_SIGNED_NOT };
enum golden_verdict { GOLDEN_ACCEPTED, GOLDEN_REFUSED, GOLDEN_MALFORMED, GOLDEN_EMPTY, GOLDEN_ANSWERED };
extern const char *const golden_verdicts[]; /* their names */

struct golden_test {
	patchbay_str name, source_name, sample, body, body_file, client, received; /* as in the file */
	int64_t sign;  /* enum golden_signed */
	int64_t event; /* which event of the request is looked at, from 1 */
	const struct config_source *source; /* NULL: Patchbay's own events */
	uint32_t sample_index;
	patchbay_cidr client_addr;
	int64_t received_ns;
	const struct node *set, *headers, *details; /* mappings, or NULL */
	struct {
		int64_t verdict; /* enum golden_verdict */
		int64_t n_events; /* -1: not compared */
		const struct node *node; /* the mapping itself; NULL: only that it is accepted */
		const struct node *why, *events, *sinks, *why_not, *rendered;
	} expect;
	int line, column;
};

struct golden {
	struct node *root; /* of the file; the tests point into it */
	struct golden_test *v;
	size_t n;
	struct loader loader; /* of the test file: its path, its faults, its folder */
};

/* golden_file.c: reads the file. *ret_config: the configuration that it names, to be freed; NULL: none. -1: the faults
 * say why. Close it in any case. */
int golden_open(struct golden *, const char *path, struct config_faults *, char **ret_config);
/* Reads the tests, for this configuration. -1: the faults say why. */
int golden_read(struct golden *, const struct config *);
void golden_close(struct golden *);

/* golden_bench.c: instances of a configuration's sources and sinks, made when they are needed. */
struct golden_bench {
	const struct config *config;
	struct instance **sources, **sinks;
	struct router *router;
	patchbay_call request, event; /* one call for the source, one for expressions and sinks */
};

void golden_bench_init(struct golden_bench *, const struct config *);
void golden_bench_fini(struct golden_bench *);
/* NULL: err says why. */
struct instance *golden_source(struct golden_bench *, const struct config_source *, struct err *err);
struct instance *golden_sink(struct golden_bench *, size_t sink, struct err *err);

/* What became of the request. */
struct golden_outcome {
	enum golden_verdict verdict;
	patchbay_str why; /* the plugin's sentence */
	size_t n_events;
	patchbay_delivery *event; /* the one that is looked at; NULL: there is none */
};

/* golden_request.c: makes the request and hands it to the source. -1: err says why it could not be made. */
int golden_admit(struct golden_bench *, const struct golden_test *, struct golden_outcome *ret, struct err *err);
/* golden_own.c: the same of an event of Patchbay's own, which nobody has to admit. */
int golden_own(struct golden_bench *, const struct golden_test *, struct golden_outcome *ret, struct err *err);
/* golden_request.c: the body of a request, changed as the test says. */
int golden_edit(patchbay_call *, const struct node *set, patchbay_str *body, struct err *err);
/* golden_set.c: a value of YAML as JSON; the text with one value replaced, in the call's memory. */
void golden_json(const struct node *, struct buf *ret);
int golden_set(patchbay_call *, patchbay_str path, patchbay_str json, patchbay_str *text, struct err *err);

/* golden_check.c: runs one test; every expectation that is not met is a fault, at its place. */
void golden_run(struct golden_bench *, const struct golden_test *, struct faults *);
/* golden_rendered.c: what the sink would send, compared with what is expected. */
void golden_check_rendered(struct golden_bench *, const struct golden_outcome *, size_t sink,
			   const struct node *expected, struct faults *);

/* By its name; config->n_sinks: there is none. */
size_t golden_find_sink(const struct config *, patchbay_str name);

#endif
