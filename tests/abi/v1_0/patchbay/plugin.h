/* patchbay/plugin.h - the whole contract between Patchbay (the host) and a plugin.
 *
 * A plugin is a shared object that exports one constant, `patchbay_plugin_v1`. It describes a source
 * side (verify a provider's request, parse it into events), a sink side (act on events), or both.
 * `plugins:` in routes.yaml lists the folders where the host looks; a plugin is known by the name in
 * its metadata, not by its file name.
 *
 * What only some plugins need has a header of its own, and is asked for by a string id: what the host
 * offers (JSON, HMAC, time, expressions, HTTP) in <patchbay/services.h>; what a source may be able to do
 * besides in <patchbay/simulate.h> and <patchbay/fetch.h>, a sink in <patchbay/checkpoint.h>,
 * <patchbay/idle.h> and <patchbay/preview.h>. Conveniences that are no part of the contract are in
 * <patchbay/sugar.h>, <patchbay/keys.h>, <patchbay/quote.h> and <patchbay/play.h>.
 *
 * Versions  One major, one entry symbol. Within a major nothing is removed, reordered or re-typed:
 *           structs only grow at their end. Every struct that crosses begins with its size, in bytes; who
 *           reads it takes min(theirs, ours) and the rest as zero, and zero always means "the default". Whoever
 *           fills in a struct of the other side (reply, request, value, answer) writes no more of it than its size
 *           says: member by member, never the whole at once; the host zeroes what it does not know of it.
 *           Elements of an array are stepped by the size in element [0]. These have no size, and never
 *           grow: patchbay_str, _strs, _kv, _cidr, _cidrs, _field, _fields, _strs_expr, _list, _emitter,
 *           _result. Fields called `reserved` are zero.
 * Memory    Nobody frees what the other side allocated. What a function is given is borrowed until it
 *           returns. What a plugin hands back is copied before the host goes on, and may point into
 *           what it was given, into static data, or into host->alloc(call, n).
 * Text      patchbay_str is pointer + length; never assume a NUL behind it. Names are UTF-8.
 * Threads   Each function says which of these it is:
 *           [control]  never while another call on the same instance runs. Different instances, of one name too
 *                      (see create), may be made and destroyed at the same time, in whatever thread.
 *           [request]  HTTP threads; several at once on one instance, hence `const void *self`. Only
 *                      computes: no I/O, no sleep, no lock that a slow thread may hold. Budget: 1 ms.
 *           [delivery] may block until the deadline. One at a time per instance.
 *           [any]      thread-safe, from inside any of the above.
 * Deadline  host->left_ms(call) says what is left. [control]: 10 s. [request]: 1 s for verify and parse together.
 *           [delivery]: what the function says. A call that overruns it by far is given up: of a sink's act the
 *           instance is left behind with its thread; for others the process in which it runs is ended, and
 *           started anew. Three times for the same event, and it is a dead letter.
 * Errors    A status, plus at most one sentence through host->explain(). No abort, exit, signal
 *           handlers, setlocale, chdir, output to stdout or stderr, no threads that outlive destroy().
 */
#ifndef PATCHBAY_PLUGIN_H
#define PATCHBAY_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PATCHBAY_ABI_MAJOR 1u
#define PATCHBAY_ABI_MINOR 0u /* +1 whenever a struct grows or an id is added */
#define PATCHBAY_EXPORT __attribute__((visibility("default")))

/* True when *p, a struct of the other side, is long enough to have the field. */
#define PATCHBAY_HAS(p, field) \
	((p)->size >= offsetof(__typeof__(*(p)), field) + sizeof((p)->field))

typedef int32_t patchbay_status; /* constants, never enum types: the width must not be the compiler's */
enum {
	PATCHBAY_OK = 0,
	PATCHBAY_REPLY = 1,         /* verify: answer with *reply and go no further; nothing is stored */
	PATCHBAY_RETRY = 2,         /* act: this event, later; not before result.after_ms, and not before the host's
				     * back-off */
	PATCHBAY_AGAIN = 3,         /* act: nothing done yet; make *checkpoint durable, then call again. On every event
				     * of a call, at most eight times in a row */
	PATCHBAY_DOWN = 4,          /* act: the destination takes nothing now (unreachable, rate-limited, 5xx),
				     * whichever the event; the host waits for after_ms if that is given, and goes on;
				     * else by its back-off, and tries with one event */
	PATCHBAY_UNTOUCHED = 5,     /* act: not attempted in this call, and no attempt is counted; hand it over again
				     * soon. On every event of a call: as RETRY */
	PATCHBAY_EDENIED = -1,      /* verify: not authentic */
	PATCHBAY_EMALFORMED = -2,   /* parse: authentic, but not understood; the host quarantines the bytes */
	PATCHBAY_EBADEVENT = -3,    /* act: this event will never work here; dead letter */
	PATCHBAY_EBADSINK = -4,     /* act: nothing will work here until a person mends it (wrong token, folder gone) */
	PATCHBAY_ECONFIG = -5,      /* check, create: the options are wrong, host->explain() says why. act: as it is
				     * configured the sink must not, or cannot, deliver this event; dead letter */
	PATCHBAY_ENOMEM = -6,       /* a limit of the host was reached; give up this call */
	PATCHBAY_ELIMIT = -7,       /* resume: something outside is missing or busy; tried again later */
	PATCHBAY_EUNSUPPORTED = -8, /* sign: this instance cannot do that; host->explain() says why */
};

typedef struct { const char *p; size_t n; } patchbay_str;
typedef struct { const patchbay_str *v; size_t n; } patchbay_strs;
typedef struct { patchbay_str key, value; } patchbay_kv;

/* An address or network, IPv4 as ::ffff:a.b.c.d. `bits` counts from the top of the 128. */
typedef struct { uint8_t addr[16]; uint32_t bits; } patchbay_cidr;
typedef struct { const patchbay_cidr *v; size_t n; } patchbay_cidrs;

typedef struct patchbay_call patchbay_call; /* opaque: memory, deadline, sentence and log context of a call */
typedef struct patchbay_expr patchbay_expr; /* opaque: a compiled expression of routes.yaml */

typedef struct { patchbay_str name; const patchbay_expr *expr; } patchbay_field;
typedef struct { const patchbay_field *v; size_t n; } patchbay_fields;
typedef struct { patchbay_strs strs; const patchbay_expr *expr; } patchbay_strs_expr; /* one of them */
typedef struct { const void *v; size_t n; } patchbay_list; /* structs of option.fields_size bytes */

/* ---- What the host offers ------------------------------------------------------------------- */

enum { PATCHBAY_LOG_ERROR = 3, PATCHBAY_LOG_WARNING = 4, PATCHBAY_LOG_INFO = 6, PATCHBAY_LOG_DEBUG = 7 };

typedef struct patchbay_host patchbay_host;
struct patchbay_host {
	uint32_t size;
	uint32_t abi_minor; /* the host's */
	/* [any] A table of <patchbay/services.h> by its id, or NULL. Valid until destroy(). */
	const void *(*service)(const patchbay_host *, const char *id);
	/* [any] One line for the operator, cut at 2048 bytes; the host adds plugin and instance. No secrets. */
	void (*log)(const patchbay_host *, int32_t level, patchbay_str message);
	/* [any] What this call found, one sentence for a person: why it failed, or, from verify, what
	 * proved the request authentic ("HMAC-SHA1, secret 2 of 2"). No secrets. Copied, cut at 2048 bytes; the
	 * last wins. */
	void (*explain)(patchbay_call *, patchbay_str sentence);
	/* [any] Zeroed, 16-byte aligned, gone when the call is over. NULL when over the call's limit. */
	void *(*alloc)(patchbay_call *, size_t n);
	/* [any] Wall clock, nanoseconds since 1970. The host's clock, faked in tests: use no other. */
	int64_t (*now_ns)(const patchbay_host *);
	/* [any] Milliseconds until this call must have returned; 0 when overdue. */
	int64_t (*left_ms)(const patchbay_call *);
	/* [any] How a person calls the index'th value (from 0) of this instance's secret option, to say which
	 * one matched: "env FLEET_SECRET", "file /etc/patchbay/old.key", "written in routes.yaml". Never its value.
	 * Valid until destroy(); "" where there is none. */
	patchbay_str (*secret_name)(const patchbay_host *, const char *option, size_t index);
	patchbay_str instance; /* what this source or sink is called in routes.yaml: [a-z0-9][a-z0-9_-]* */
};

/* ---- Options: declared once; the host parses, checks, documents and fills them in --------------- */

enum { /* type: what is stored at `offset` */
	PATCHBAY_T_BOOL = 1,  /* bool */
	PATCHBAY_T_INT = 2,   /* int64_t */
	PATCHBAY_T_REAL = 3,  /* double */
	PATCHBAY_T_STR = 4,   /* patchbay_str */
	PATCHBAY_T_STRS = 5,  /* patchbay_strs; one scalar counts as a list of one */
	PATCHBAY_T_ENUM = 6,  /* int64_t, the index into one_of */
	PATCHBAY_T_MS = 7,    /* int64_t milliseconds, written 500ms, 2s, 5m, 1h, 7d */
	PATCHBAY_T_BYTES = 8, /* int64_t, written 512, 64K, 10M, 1G (powers of 1024) */
	PATCHBAY_T_CIDRS = 9, /* patchbay_cidrs: addresses and networks, IPv4 and IPv6 */
	PATCHBAY_T_EXPR = 10, /* const patchbay_expr *: a jq program */
	PATCHBAY_T_TEXT = 11, /* const patchbay_expr *: what stands between the quotes of a jq string */
	PATCHBAY_T_FIELDS = 12, /* patchbay_fields: list of envelope fields (`id`) or `name: jq` pairs */
	PATCHBAY_T_MAP = 13,    /* const void *: a mapping of its own, by the table `fields`; NULL when absent */
	PATCHBAY_T_LIST = 14,   /* patchbay_list: several of them; a single mapping counts as a list of one */
	PATCHBAY_T_STRS_EXPR = 15, /* patchbay_strs_expr: a list, or a scalar, of plain strings; or, where a scalar
	                            * begins with . ( [ or ", a jq program */
};
enum { /* flags */
	PATCHBAY_F_REQUIRED = 1,
	PATCHBAY_F_SECRET = 2, /* STR, STRS: {env: X}, {file: /path}, {credential: x}; never shown, wiped */
	PATCHBAY_F_PATH = 4,   /* STR, STRS: a path; a relative one starts at the folder of routes.yaml */
};

typedef struct patchbay_option { /* at most 256 in a table, and two tables below the first */
	uint32_t size;
	uint32_t type;
	uint32_t flags;
	uint32_t offset;   /* into the plugin's own options struct, of options_size bytes, 65536 at most */
	const char *name;  /* the key in routes.yaml, [a-z][a-z0-9_]* */
	const char *def;   /* default, written as in YAML; NULL = zero, empty */
	const char *help;  /* one sentence */
	const char *const *one_of; /* PATCHBAY_T_ENUM: NULL-terminated */
	int64_t min, max;  /* numbers, durations, sizes, list lengths; both 0 = unbounded */
	const struct patchbay_option *fields; /* MAP, LIST: its options, offsets into a struct of fields_size bytes */
	uint32_t n_fields;
	uint32_t fields_size;
} patchbay_option;

/* ---- Source side: verify and parse ------------------------------------------------------------ */

typedef struct patchbay_request {
	uint32_t size;
	uint32_t n_headers;
	const patchbay_kv *headers; /* in their order; names in lower case, values trimmed */
	patchbay_str method;
	patchbay_str path;          /* without query; without a path secret */
	patchbay_str query;
	patchbay_str body;          /* exactly the bytes on the wire */
	patchbay_str client;        /* address as text, after trusted proxies; "" for a unix socket */
	uint8_t client_addr[16];    /* the same as a number, IPv4 as ::ffff:a.b.c.d; zero for a unix socket */
	int64_t received_ns;        /* when it came; a signature's time is compared with this, not with now_ns(): a
	                             * request may be verified again later */
} patchbay_request;

typedef struct patchbay_reply { /* the host's, comes zeroed; set what must differ from 200 with a tiny body */
	uint32_t size;
	int32_t http_status; /* 200..599; 0 = 200 */
	patchbay_str content_type, body;
} patchbay_reply;

enum { /* dedupe: how far `key` tells a provider's retry from a new event */
	/* `key` names the event: the same key within the retention window is the same event. (strong) */
	PATCHBAY_DEDUPE_KEY = 0,
	/* `key` names a thing whose whole state is sent: bytes equal to the latest state that was seen
	 * for this key are a repeat; anything else, older states too, is a change. (strong) */
	PATCHBAY_DEDUPE_LATEST = 1,
	/* `key` names a thing; two events may be equal to the byte. Equal bytes are the provider's retry
	 * only if the answer to the latest event of this key did not reach the provider in time (or at
	 * all), and that is no longer ago than the retry horizon. When in doubt: a new event. (weak) */
	PATCHBAY_DEDUPE_UNANSWERED = 2,
	PATCHBAY_DEDUPE_NONE = 3, /* every one is new. (none) */
};
enum { /* flags of an event */
	PATCHBAY_EVENT_TEST = 1, /* the provider's test or enabling call: journaled, routed only on request */
	PATCHBAY_EVENT_ENRICH = 2, /* routed only when enrich() of <patchbay/fetch.h> was asked for its details */
	PATCHBAY_EVENT_TYPE_GUESSED = 4, /* the request names no type, `type` was made up by the plugin */
};

typedef struct patchbay_event {
	uint32_t size;
	uint32_t dedupe;      /* PATCHBAY_DEDUPE_*; others: as KEY */
	uint32_t flags;       /* PATCHBAY_EVENT_*; others: nothing */
	uint32_t reserved;
	patchbay_str type;    /* as the provider names it: "fault_code_opened"; 1..255 bytes */
	patchbay_str kind;    /* canonical name where the provider's is unknown or ambiguous; "" = type */
	patchbay_str subject; /* what it is about: "vehicle 123"; orders deliveries; may be empty; cut at 512 bytes */
	patchbay_str key;     /* see dedupe; unique within this source only; "" = SHA-256 of data */
	patchbay_str token;   /* one-time token of the request, or "": coming again with another key is a
	                       * replay, answered 403; with the same key, a retry */
	patchbay_str data;    /* the provider's JSON: the body or a part of it, byte for byte; not checked again */
	int64_t time_ns;      /* when it happened, at the provider; 0 = unknown, the host takes received_ns */
} patchbay_event;

typedef struct patchbay_emitter { /* good during the call that it was given to, in its thread */
	void *ctx;
	/* [request], from poll [delivery]. Copies. PATCHBAY_ENOMEM: more than 10000 events, or one that is not well
	 * formed: return it. What was emitted counts only if that call returns OK. */
	patchbay_status (*emit)(void *ctx, const patchbay_event *);
} patchbay_emitter;

/* What the provider expects of a receiver; for `patchbay plugins NAME`, `patchbay send`, and answers. */
typedef struct patchbay_provider {
	uint32_t size;
	uint32_t answer_ms;        /* it gives up on an answer after this long, connecting included; 0 unknown */
	const uint32_t *retry_s;   /* delays before its 1st, 2nd, ... retry */
	uint32_t n_retry;
	uint32_t retry_horizon_s;  /* no retry comes later than this after the first try */
	const uint16_t *ok;        /* pairs from, to: status codes that it takes as success */
	uint32_t n_ok;             /* number of pairs */
	uint16_t final_refusal;    /* the status after which it never retries; 0 none */
	uint16_t reserved;
	const char *authentication; /* one sentence: what proves that a request is the provider's */
	const char *notes;          /* a few lines on events, tests and traps; NULL none */
	const char *docs_url;
} patchbay_provider;

typedef struct patchbay_source {
	uint32_t size;
	uint32_t n_options;
	const patchbay_option *options;
	uint32_t options_size; /* bytes of the struct that the options are stored in */
	uint32_t reserved;
	const patchbay_provider *provider; /* or NULL */
	/* [control] optional: rules across options, for `patchbay check`. No effects, no network. ECONFIG, explained:
	 * refused. OK: an explained sentence is a warning. */
	patchbay_status (*check)(const patchbay_host *, patchbay_call *, const void *options);
	/* [control] OK: *self is an instance; it may be NULL. options and host stay valid until destroy(). Else
	 * explained (ECONFIG, ENOMEM), and *self is destroyed if it was set. Fast, no network. When the
	 * configuration is read anew, the next instance of a name is made while the last one still works: what only one
	 * may have at a time is not for create(). */
	patchbay_status (*create)(const patchbay_host *, patchbay_call *, const void *options, void **self);
	/* [control] The last call of an instance. NULL and half-made ones are fine. */
	void (*destroy)(void *self);
	/* [request] Is this from the provider? Anything but OK and REPLY refuses it; EDENIED, explained. Fail closed:
	 * without a secret nobody is genuine. *reply counts for REPLY only. */
	patchbay_status (*verify)(const void *self, patchbay_call *, const patchbay_request *, patchbay_reply *);
	/* [request] Only after OK, with the same call and request. Pure: same bytes, same events, same keys. Emits 0..n
	 * events. EMALFORMED, explained: authentic, but not understood. */
	patchbay_status (*parse)(const void *self, patchbay_call *, const patchbay_request *, const patchbay_emitter *);
	/* [any] optional. Further abilities by id (PATCHBAY_SIMULATE, _POLL, _ENRICH, or anybody's own): a static table
	 * that begins with its size, the same at every call; NULL for an id that it does not know. */
	const void *(*extension)(const char *id);
} patchbay_source;

/* ---- Sink side: act ---------------------------------------------------------------------------- */

enum { PATCHBAY_TIME_PROVIDER = 0, PATCHBAY_TIME_RECEIVED = 1 };
enum { PATCHBAY_STRONG = 0, PATCHBAY_WEAK = 1, PATCHBAY_NONE = 2 };

typedef struct patchbay_delivery { /* an event as a sink sees it */
	uint32_t size;
	uint32_t attempt;     /* 1 for the first; again from 1 after a replay */
	uint32_t time_source; /* PATCHBAY_TIME_* */
	uint32_t dedupe;      /* PATCHBAY_STRONG, _WEAK, _NONE: how surely this is no repeat */
	uint32_t test;        /* 1: a provider's test call */
	uint32_t reserved;
	patchbay_str id;      /* UUID; the idempotency key: the same at every attempt and replay */
	patchbay_str source, plugin, type, kind, subject;
	patchbay_str data;    /* the provider's JSON */
	int64_t time_ns, received_ns;
	patchbay_str route;   /* the route that led here, as a person finds it: "routes.yaml:41" */
	patchbay_str details; /* JSON that the source fetched about the event; "" none */
	patchbay_str details_error; /* why there are no details, if there should be; "" */
} patchbay_delivery;

typedef struct { /* comes as {PATCHBAY_RETRY, 0, ""}: what is forgotten is retried, not lost */
	patchbay_status status; /* OK, RETRY, AGAIN, DOWN, UNTOUCHED, EBADEVENT, ECONFIG or EBADSINK */
	uint32_t after_ms;
	patchbay_str why; /* one sentence for a person, no secrets. OK: what is worth keeping of a success (the address
			   * of what was made there), or nothing */
} patchbay_result;

typedef struct patchbay_sink {
	uint32_t size;
	uint32_t n_options;
	const patchbay_option *options;
	uint32_t options_size; /* bytes of the struct that the options are stored in */
	/* Defaults of what users may say of every sink: */
	uint32_t batch_events;    /* `batch: {events}`; 0 = 1 */
	uint32_t batch_bytes;     /* `batch: {bytes}`; 0 = 1 MiB. One event may be larger */
	uint32_t batch_linger_ms; /* `batch: {linger}` */
	uint32_t timeout_ms;      /* `timeout`, the deadline of each [delivery] call; 0 = 30 s */
	/* How much `concurrency` a user may ask for: so many instances, each with a thread of its own. 0: one, as for
	 * every sink with a checkpoint. */
	uint32_t concurrency_max;
	/* `rate`, written as in routes.yaml: "1/s", "20/min". It counts calls of act. NULL: no limit. */
	const char *rate;
	/* [control] as in patchbay_source */
	patchbay_status (*check)(const patchbay_host *, patchbay_call *, const void *options);
	patchbay_status (*create)(const patchbay_host *, patchbay_call *, const void *options, void **self);
	void (*destroy)(void *self);
	/* [delivery] Decide each of the n results (n is 1 or more). `checkpoint` is for sinks that keep one
	 * (<patchbay/checkpoint.h>); others leave it alone.
	 * DOWN or EBADSINK, or RETRY on all of several, or on five in a row: the destination is in trouble; the host
	 * waits, and then tries with one event. UNTOUCHED: a sink whose messages are counted by `rate` sends one in a
	 * call, for one event or for many, and leaves the others.
	 * A call that outlives its deadline by far (a quarter of it, 100 ms to 5 s) is abandoned, instance and all, and
	 * its events are retried, each by itself; should it return, its results do not count, and its thread calls
	 * destroy(). */
	void (*act)(void *self, patchbay_call *, const patchbay_delivery *const *, size_t n,
	            patchbay_result *results, patchbay_str *checkpoint);
	/* [any] as in patchbay_source: PATCHBAY_CHECKPOINT, _IDLE, _PREVIEW, or anybody's own */
	const void *(*extension)(const char *id);
} patchbay_sink;

/* ---- The plugin ---------------------------------------------------------------------------------- */

typedef struct patchbay_plugin {
	uint32_t size;
	uint32_t abi_minor;      /* PATCHBAY_ABI_MINOR that it was built with */
	uint32_t abi_minor_need; /* the oldest host that it works with */
	uint32_t reserved;
	const char *name;        /* [a-z][a-z0-9-]*, at most 32; `plugin:` in routes.yaml */
	const char *version;
	const char *license;     /* SPDX */
	const char *summary;     /* one line */
	const patchbay_source *source; /* or NULL */
	const patchbay_sink *sink;     /* or NULL */
} patchbay_plugin;

/* The only symbol that a plugin exports. */
PATCHBAY_EXPORT extern const patchbay_plugin patchbay_plugin_v1;

#ifdef __cplusplus
}
#endif
#endif
