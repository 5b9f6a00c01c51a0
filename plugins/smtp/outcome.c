/* outcome.c - an answer of the server is judged by its code and the stage that it came at; what libcurl says counts
 * only where there is no answer. */
#include "outcome.h"

#include <patchbay/sugar.h>

#include <curl/curl.h>

#define SAY(...) patchbay_fmt(attempt->host, call, __VA_ARGS__)
#define ARG(s) (int)(s).n, (s).p

static const char *why_tls(const struct options *options)
{
	if (options->username.n)
		return "where there is a login";
	return options->tls == TLS_REQUIRED ? "by `tls: required`" : "for a server that is not private";
}

/* This end hung up. */
static struct outcome objected(const struct attempt *attempt, patchbay_call *call)
{
	const struct watch *watch = attempt->watch;
	const char *also = attempt->options->username.n && !watch->offers_auth ? " and no AUTH" : "";
	patchbay_str why;
	switch (watch->objection) {
	case OBJECTION_NO_STARTTLS:
		why = SAY("%.*s offers no STARTTLS%s, so nothing was sent; TLS is required %s: use smtps:// or another "
			  "port or server",
			  ARG(attempt->server), also, why_tls(attempt->options));
		return (struct outcome){ PATCHBAY_ECONFIG, why };
	case OBJECTION_NO_AUTH:
		why = SAY("%.*s offers no AUTH%s%s, so nothing was sent; use a server that takes a login, or remove "
			  "`username` and `password`",
			  ARG(attempt->server), watch->offers_auth ? " by " : "",
			  watch->offers_auth ? watch->mechanisms : "");
		return (struct outcome){ PATCHBAY_ECONFIG, why };
	case OBJECTION_NO_LOGIN:
		why = SAY("%.*s offers AUTH, but the login did not take place, so nothing was sent",
			  ARG(attempt->server));
		return (struct outcome){ PATCHBAY_ECONFIG, why };
	default:
		why = SAY("%.*s cannot take an address with letters outside of ASCII (no SMTPUTF8)",
			  ARG(attempt->server));
		return (struct outcome){ PATCHBAY_EBADEVENT, why };
	}
}

static const char *text_of(const struct attempt *attempt)
{
	const struct watch *watch = attempt->watch;
	patchbay_str password = attempt->options->password;
	bool repeats = password.n && memmem(watch->text, strlen(watch->text), password.p, password.n);
	return repeats ? "(not shown: it repeats the password)" : watch->text;
}

static struct outcome answered(const struct attempt *attempt, patchbay_call *call)
{
	const struct watch *watch = attempt->watch;
	patchbay_status status = reply_status(watch->stage, watch->code);
	if (status == PATCHBAY_OK)
		return (struct outcome){ PATCHBAY_OK, { "", 0 } };
	if (watch->stage != STAGE_AUTH)
		return (struct outcome){ status, SAY("%.*s answered %s with %03d %s", ARG(attempt->server),
						     reply_stage_name(watch->stage), watch->code, text_of(attempt)) };
	/* A server might repeat what it was sent: only the code, and the one behind it, are safe to show. */
	size_t digits = strspn(watch->text, "0123456789.");
	return (struct outcome){ status, SAY("%.*s refused the login of '%.*s' with %03d %.*s%s", ARG(attempt->server),
					     ARG(attempt->options->username), watch->code, (int)digits, watch->text,
					     status == PATCHBAY_EBADSINK ? "; check `username` and `password`" : "") };
}

static bool is_certificate(int code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
	       code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CRL_BADFILE || code == CURLE_SSL_INVALIDCERTSTATUS;
}

/* There is no answer to go by. */
static struct outcome failed(const struct attempt *attempt, patchbay_call *call)
{
	enum stage stage = attempt->watch->stage;
	const char *error = attempt->error[0] ? attempt->error : curl_easy_strerror((CURLcode)attempt->curl);
	patchbay_str what = address_shown(attempt->host, call, patchbay_cstr(error)), why;
	if (attempt->refused_private) {
		why = SAY("%.*s has a loopback, private or link-local address; `allow_private: true` allows that",
			  ARG(attempt->server));
		return (struct outcome){ PATCHBAY_EBADSINK, why };
	}
	if (is_certificate(attempt->curl)) {
		why = SAY(
			"the certificate of %.*s does not prove its name (%.*s); mend it there, or name its authority "
			"in `ca_file`",
			ARG(attempt->server), ARG(what));
		return (struct outcome){ PATCHBAY_EBADSINK, why };
	}
	if (stage == STAGE_BODY) {
		why = SAY("%.*s did not say whether it took the mail (%.*s); it may come twice, with one Message-ID",
			  ARG(attempt->server), ARG(what));
		return (struct outcome){ PATCHBAY_RETRY, why };
	}
	if (stage == STAGE_READY || stage == STAGE_GREETING)
		why = SAY("%.*s cannot be reached: %.*s", ARG(attempt->server), ARG(what));
	else
		why = SAY("%.*s did not answer %s: %.*s", ARG(attempt->server), reply_stage_name(stage), ARG(what));
	return (struct outcome){ PATCHBAY_DOWN, why };
}

struct outcome outcome_of(const struct attempt *attempt, patchbay_call *call)
{
	const struct watch *watch = attempt->watch;
	if (watch->objection != OBJECTION_NONE)
		return objected(attempt, call);
	if (attempt->curl == CURLE_OK)
		return (struct outcome){ PATCHBAY_OK, { "", 0 } };
	if (!watch->in_reply && (watch->code >= 400 || (watch->stage == STAGE_BODY && watch->code / 100 == 2)))
		return answered(attempt, call);
	return failed(attempt, call);
}
