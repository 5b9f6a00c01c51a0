/* watch.c - which stage a session is at, what the server offered, and what it answered. */
#include "watch.h"

#include <string.h>
#include <strings.h>

void watch_connected(struct watch *watch, bool tls)
{
	watch->stage = STAGE_GREETING;
	watch->tls = tls;
	watch->login = watch->in_reply = watch->quitting = false;
	watch->offers_starttls = watch->offers_utf8 = watch->offers_login = watch->offers_auth = false;
}

void watch_begin(struct watch *watch)
{
	watch->stage = STAGE_READY;
	watch->objection = OBJECTION_NONE;
	watch->code = 0;
	watch->text[0] = '\0';
	watch->text_n = 0;
	watch->in_reply = watch->quitting = false;
}

void watch_sent(struct watch *watch, const char *p, size_t n)
{
	static const struct {
		const char *verb;
		enum stage stage;
	} verbs[] = {
		{ "EHLO ", STAGE_EHLO },    { "HELO ", STAGE_EHLO },      { "STARTTLS\r\n", STAGE_STARTTLS },
		{ "AUTH ", STAGE_AUTH },    { "MAIL FROM:", STAGE_MAIL }, { "RCPT TO:", STAGE_RCPT },
		{ "DATA\r\n", STAGE_DATA },
	};
	watch->quitting = n >= 4 && memcmp(p, "QUIT", 4) == 0;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		size_t length = strlen(verbs[i].verb);
		if (n >= length && memcmp(p, verbs[i].verb, length) == 0)
			watch->stage = verbs[i].stage;
	}
	if (watch->stage == STAGE_EHLO && !watch->quitting) /* what it said before TLS does not count */
		watch->offers_starttls = watch->offers_utf8 = watch->offers_login = watch->offers_auth = false;
}

/* Is the word in this list, which is separated by spaces? */
static bool lists(const char *list, const char *word, size_t n)
{
	for (const char *at = list; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");
		if (length == n && strncasecmp(at, word, n) == 0)
			return true;
		at += length;
	}
	return false;
}

static void note_capability(struct watch *watch, const char *p, size_t n)
{
	size_t word = 0;
	while (word < n && p[word] != ' ')
		word++;
	if (lists("STARTTLS", p, word))
		watch->offers_starttls = true;
	else if (lists("SMTPUTF8", p, word))
		watch->offers_utf8 = true;
	else if (lists("AUTH", p, word))
		watch->offers_auth = true;
	if (!lists("AUTH", p, word))
		return;
	while (word < n) {
		size_t start = ++word;
		while (word < n && p[word] != ' ')
			word++;
		if (lists(watch->mechanisms, p + start, word - start))
			watch->offers_login = true;
	}
}

static void note_text(struct watch *watch, const char *p, size_t n)
{
	if (watch->text_n && n && watch->text_n < WATCH_TEXT_MAX)
		watch->text[watch->text_n++] = ' ';
	for (size_t i = 0; i < n && watch->text_n < WATCH_TEXT_MAX; i++)
		watch->text[watch->text_n++] = p[i] >= ' ' && p[i] <= '~' ? p[i] : '?';
	watch->text[watch->text_n] = '\0';
}

/* The last line of an answer. */
static bool answered(struct watch *watch)
{
	bool good = watch->code / 100 == 2;
	switch (watch->stage) {
	case STAGE_EHLO:
		if (good && watch->need_tls && !watch->tls && !watch->offers_starttls)
			watch->objection = OBJECTION_NO_STARTTLS;
		else if (good && watch->need_login && watch->tls && !watch->offers_login)
			watch->objection = OBJECTION_NO_AUTH;
		break;
	case STAGE_STARTTLS:
		watch->tls = good;
		break;
	case STAGE_AUTH:
		watch->login = watch->login || good;
		break;
	case STAGE_DATA:
		if (watch->code == 354)
			watch->stage = STAGE_BODY;
		break;
	default:
		break;
	}
	return watch->objection == OBJECTION_NONE;
}

bool watch_line(struct watch *watch, const char *p, size_t n)
{
	while (n && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	if (watch->quitting || n < 3)
		return true;
	for (size_t i = 0; i < 3; i++)
		if (p[i] < '0' || p[i] > '9')
			return true; /* libcurl will not like it either */
	bool more = n > 3 && p[3] == '-';
	bool first = !watch->in_reply;
	if (first)
		watch->text_n = 0;
	watch->code = 100 * (p[0] - '0') + 10 * (p[1] - '0') + (p[2] - '0');
	note_text(watch, p + (n > 4 ? 4 : n), n > 4 ? n - 4 : 0);
	if (watch->stage == STAGE_EHLO && watch->code == 250 && !first && n > 4)
		note_capability(watch, p + 4, n - 4);
	watch->in_reply = more;
	return more || answered(watch);
}

bool watch_may_mail(struct watch *watch)
{
	watch->stage = STAGE_READY;
	if (watch->need_tls && !watch->tls)
		watch->objection = OBJECTION_NO_STARTTLS;
	else if (watch->need_login && !watch->login)
		watch->objection = watch->offers_login ? OBJECTION_NO_LOGIN : OBJECTION_NO_AUTH;
	else if (watch->need_utf8 && !watch->offers_utf8)
		watch->objection = OBJECTION_NO_SMTPUTF8;
	return watch->objection == OBJECTION_NONE;
}
