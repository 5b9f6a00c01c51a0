/* request.h - libmicrohttpd's callbacks for a connection and for a request, and what the loop does to both. */
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

/* ---- connection.c */

/* MHD_NotifyConnectionCallback */
void connection_on_change(void *intake, struct MHD_Connection *, void **socket_context,
			  enum MHD_ConnectionNotificationCode);
void connection_set_deadline(struct MHD_Connection *, int64_t deadline_ns); /* steady clock: cut off when later */
void connection_cut_off_slow(struct intake *);
bool connection_is_closed(struct MHD_Connection *); /* by the peer */
/* Did what was sent arrive? A reset shows at once on this machine; over a network, a peer that had closed before it was
 * sent is taken as gone while bytes are not acknowledged. */
bool connection_has_delivered(struct MHD_Connection *, bool was_closed);

#endif
