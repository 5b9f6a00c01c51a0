/* quarantine.c - see quarantine.h. */
#include "source/quarantine.h"

#include "plugin/services.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define SALT_BYTES 16
#define HEADERS_MAX 100u

static const char *const check_names[] = { "", "path_secret", "verify", "parse" };

/* ---- Keeping */

static bool keeps_a_secret(patchbay_str header)
{
	return str_is(header, "authorization") || str_is(header, "proxy-authorization") || str_is(header, "cookie");
}

static patchbay_str salted_hash(patchbay_call *call, patchbay_str salt, patchbay_str secret)
{
	char *both = arena_alloc(&call->arena, salt.n + secret.n + 1);
	if (!both)
		return STR("");
	memcpy(both, salt.p, salt.n);
	if (secret.n)
		memcpy(both + salt.n, secret.p, secret.n);
	patchbay_str hash = crypto_service.sha256_hex(call, (patchbay_str){ both, salt.n + secret.n });
	explicit_bzero(both, salt.n + secret.n);
	return hash;
}

static void add_path_secret(struct buf *text, patchbay_call *call, patchbay_str secret)
{
	unsigned char salt[SALT_BYTES];
	char hex[2 * SALT_BYTES + 1];
	ssize_t got;
	do
		got = getrandom(salt, sizeof salt, 0);
	while (got == -1 && errno == EINTR);
	if (got != sizeof salt)
		return; /* it cannot be verified again, then */
	for (size_t i = 0; i < SALT_BYTES; i++) {
		static const char digits[] = "0123456789abcdef";
		hex[2 * i] = digits[salt[i] >> 4];
		hex[2 * i + 1] = digits[salt[i] & 15];
	}
	patchbay_str salt_text = { hex, 2 * SALT_BYTES };
	patchbay_str hash = salted_hash(call, salt_text, secret);
	if (hash.n)
		buf_addf(text, ":path-secret: sha256 %.*s %.*s\n", STR_ARG(salt_text), STR_ARG(hash));
}

static void add_header(struct buf *text, const patchbay_kv *header)
{
	if (header->key.n == 0 || header->key.p[0] == ':' || keeps_a_secret(header->key) ||
	    (header->value.n && memchr(header->value.p, '\n', header->value.n)))
		return;
	buf_add_str(text, header->key);
	buf_add(text, ": ", 2);
	buf_add_str(text, header->value);
	buf_add(text, "\n", 1);
}

void quarantine_put(struct journal_ticket *ticket, const struct config_source *source, patchbay_call *call,
		    const struct quarantine *q)
{
	const patchbay_request *in = q->request;
	struct buf text = { 0 };
	buf_add_str(&text, in->method);
	buf_add(&text, " ", 1);
	buf_add_str(&text, in->path);
	if (in->query.n) {
		buf_add(&text, "?", 1);
		buf_add_str(&text, in->query);
	}
	buf_addf(&text, "\n:refused-by: %s\n", check_names[q->check]);
	if (q->check == QUARANTINE_PATH_SECRET)
		add_path_secret(&text, call, q->path_secret);
	for (uint32_t i = 0; i < in->n_headers; i++)
		add_header(&text, &in->headers[i]);
	struct journal_record record = {
		.id = id_new(in->received_ns),
		.kind = q->check == QUARANTINE_PARSE ? JOURNAL_MALFORMED : JOURNAL_REFUSED,
		.dedupe = PATCHBAY_DEDUPE_NONE,
		.received_ns = in->received_ns,
		.source = str_c(source->name),
		.plugin = str_c(source->plugin->name),
		.client = in->client,
		.note = q->why.n ? q->why : STR("the plugin gave no reason"),
		.request = buf_str(&text),
		.data = in->body,
	};
	ticket->records.n = 0;
	journal_encode(&ticket->records, &record);
	ticket->n = 1;
	buf_free(&text);
}

/* ---- And back */

/* Up to the separator, which is taken off, too; all of it if there is none. */
static patchbay_str cut(patchbay_str *text, char separator)
{
	const char *end = text->n ? memchr(text->p, separator, text->n) : NULL;
	patchbay_str part = { text->p, end ? (size_t)(end - text->p) : text->n };
	size_t taken = part.n + (end ? 1 : 0);
	*text = (patchbay_str){ text->p + taken, text->n - taken };
	return part;
}

static void read_pseudo(struct quarantined *q, patchbay_str line)
{
	static const patchbay_str by = { ":refused-by: ", 13 }, secret = { ":path-secret: sha256 ", 21 };
	if (str_starts(line, by)) {
		line = (patchbay_str){ line.p + by.n, line.n - by.n };
		for (size_t i = QUARANTINE_PATH_SECRET; i <= QUARANTINE_PARSE; i++)
			if (str_is(line, check_names[i]))
				q->check = (enum quarantine_check)i;
	} else if (str_starts(line, secret)) {
		line = (patchbay_str){ line.p + secret.n, line.n - secret.n };
		q->salt = cut(&line, ' ');
		q->hash = line;
	}
}

static void read_client(patchbay_request *request, patchbay_str client)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN + 1] = "";
	request->client = client;
	if (client.n == 0 || client.n >= sizeof text)
		return;
	memcpy(text, client.p, client.n);
	uint8_t v4[4], v6[16];
	if (inet_pton(AF_INET, text, v4) == 1) {
		memcpy(request->client_addr, mapped, sizeof mapped);
		memcpy(request->client_addr + 12, v4, sizeof v4);
	} else if (inet_pton(AF_INET6, text, v6) == 1) {
		memcpy(request->client_addr, v6, sizeof v6);
	}
}

bool quarantine_read(patchbay_call *call, const struct journal_record *record, struct quarantined *ret, struct err *err)
{
	*ret = (struct quarantined){
		.request = { .size = sizeof ret->request, .body = record->data, .received_ns = record->received_ns }
	};
	patchbay_request *request = &ret->request;
	if (record->request.n == 0) { /* of a replay only the event is kept */
		err_set(err, "%.*s", STR_ARG(record->note));
		return false;
	}
	patchbay_str text = record->request, line = cut(&text, '\n');
	request->method = cut(&line, ' ');
	request->path = cut(&line, '?');
	request->query = line;
	read_client(request, record->client);
	patchbay_kv *headers = arena_alloc(&call->arena, HEADERS_MAX * sizeof *headers);
	while (headers && text.n) {
		line = cut(&text, '\n');
		if (line.n && line.p[0] == ':') {
			read_pseudo(ret, line);
		} else if (request->n_headers < HEADERS_MAX) {
			patchbay_kv *header = &headers[request->n_headers++];
			header->key = cut(&line, ':');
			header->value = line.n ? (patchbay_str){ line.p + 1, line.n - 1 } : line;
		}
	}
	request->headers = headers;
	if (ret->check == QUARANTINE_UNKNOWN) {
		err_set(err, "it was kept without what it takes to verify it again");
		return false;
	}
	return true;
}

bool quarantine_path_secret_is_right(patchbay_call *call, const struct quarantined *q,
				     const struct config_source *source)
{
	if (q->check != QUARANTINE_PATH_SECRET)
		return true;
	const patchbay_strs *secrets = &source->path_secret;
	bool right = false;
	for (size_t i = 0; i < secrets->n && q->hash.n; i++)
		right |= crypto_service.equal(salted_hash(call, q->salt, secrets->v[i]), q->hash);
	return right;
}
