/* request.h - libmicrohttpd's callbacks for one request, and what the loop does to it. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "http/internal.h"

#include <microhttpd.h>

#define REQUEST_IDLE_S 30u /* keep-alive connections without a request are closed after this */

/* MHD_OPTION_URI_LOG_CALLBACK: the request line is here; returns the request's context. */
void *request_on_line(void *intake, const char *uri, struct MHD_Connection *);
/* MHD_AccessHandlerCallback */
enum MHD_Result request_on_data(void *intake, struct MHD_Connection *, const char *url, const char *method,
				const char *version, const char *data, size_t *data_size, void **request);
/* MHD_RequestCompletedCallback */
void request_on_completed(void *intake, struct MHD_Connection *, void **request, enum MHD_RequestTerminationCode how);

/* Its ticket is back from the journal. */
void request_take_back(struct request *);
void request_resume(struct request *);
/* How long the provider may be left waiting for the journal: well inside its own patience. */
int64_t request_patience_ns(const struct request *);
void request_free(struct request *);    /* keeps it for reuse, unless it is large */
void request_destroy(struct request *); /* for good */

#endif
