/* api.h - a client of Motivate Cloud's REST API: logs in, keeps the token, and says of every request what its answer
 * means. One thread at a time for each client. No secret is ever part of a URL or of a sentence. */
#ifndef MOTIVATE_API_H
#define MOTIVATE_API_H

#include <patchbay/plugin.h>
#include <patchbay/services.h>
#include <patchbay/sugar.h>

enum { API_LOGIN_JSON, API_LOGIN_FORM };

struct api_options {
	patchbay_str api_url, client_id, username, password, secret_key, ca_file;
	int64_t login;
	bool allow_private;
};

extern const char *const api_logins[];

/* The lines of an options table for a struct with a member `api`; `need` is PATCHBAY_F_REQUIRED or 0. */
#define API_OPTION(type_, kind_, field_, ...)                                                                          \
	{                                                                                                              \
		.size = sizeof(patchbay_option), .type = (kind_), .name = #field_,                                     \
		.offset = (uint32_t)offsetof(type_, api.field_), __VA_ARGS__                                           \
	}
#define API_OPTIONS(type_, need_)                                                                                      \
	API_OPTION(type_, PATCHBAY_T_STR, api_url, .def = "https://www.motivatecloud.com/api",                         \
		   .help = "Where the API is."),                                                                       \
		API_OPTION(type_, PATCHBAY_T_STR, client_id, .flags = (need_),                                         \
			   .help = "Client ID of the application (Settings, Developer)."),                             \
		API_OPTION(type_, PATCHBAY_T_STR, username, .flags = (need_),                                          \
			   .help = "Login ID of a user with the permission 'Access API'."),                            \
		API_OPTION(type_, PATCHBAY_T_STR, secret_key, .flags = (need_) | PATCHBAY_F_SECRET,                    \
			   .help = "The user's secret key ('Generate Secret Key', under that permission)."),           \
		API_OPTION(type_, PATCHBAY_T_STR, password, .flags = PATCHBAY_F_SECRET,                                \
			   .help = "The user's password, if the application requires it besides the secret key."),     \
		API_OPTION(type_, PATCHBAY_T_ENUM, login, .def = "json", .one_of = api_logins,                         \
			   .help = "How the login is sent: as JSON, as the manual says, or as an OAuth2 form."),       \
		API_OPTION(type_, PATCHBAY_T_BOOL, allow_private, .def = "false",                                      \
			   .help = "Admit loopback, private and link-local addresses, and http:// to them."),          \
		API_OPTION(type_, PATCHBAY_T_STR, ca_file, .flags = PATCHBAY_F_PATH,                                   \
			   .help = "Certificates to trust instead of the system's, a PEM file.")

struct api; /* opaque: a client */

/* For check(): ECONFIG is explained. */
patchbay_status api_check(const patchbay_host *, patchbay_call *, const struct api_options *);
/* [control] Borrows the options. Anything but OK: explained. */
patchbay_status api_create(const patchbay_host *, patchbay_call *, const struct api_options *, struct api **ret);
void api_destroy(struct api *); /* wipes the token; NULL is fine */

struct api_request {
	const char *method;
	patchbay_str target; /* from api_target() or api_follow() */
	patchbay_str body;   /* JSON, or "" */
	patchbay_str key;    /* Idempotency-Key, or "" */
	uint64_t answer_max; /* 0 = the host's default */
};

struct api_answer {
	patchbay_status status; /* OK: 2xx. DOWN: later. EBADEVENT: this request never. EBADSINK: none, until mended */
	int32_t http_status;    /* of the answer to this request; 0: it came to none */
	int64_t after_ms;       /* DOWN: not before; 0 = no matter */
	patchbay_str why;       /* unless OK: one sentence */
	patchbay_str location;  /* OK: the Location header, fit to be shown */
	patchbay_str link, type, body; /* OK: headers Link and Content-Type, and the contents */
};

/* Logs in where there is no good token; on a 401 once more, and then repeats the request once. */
void api_send(struct api *, patchbay_call *, const struct api_request *, struct api_answer *ret);

/* The target of a path below api_url ("/users" -> "/api/users"); both from the origin on. */
patchbay_str api_target(const struct api *, patchbay_call *, patchbay_str path);
/* The target that a link of an answer leads to; "" where it leads to another server, or is no good. */
patchbay_str api_follow(const struct api *, patchbay_call *, patchbay_str link);
/* Printable ASCII that begins with one '/', and has no fragment, backslash or quotes; else what is wrong with it. */
const char *api_path_wrong(patchbay_str path);

const patchbay_http_service *api_http(const struct api *);

#endif
