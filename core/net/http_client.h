/* http_client.h - the service PATCHBAY_HTTP of <patchbay/services.h>. */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <patchbay/services.h>

extern const patchbay_http_service http_service;

#endif
