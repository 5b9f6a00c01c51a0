/* sound_http_sink.c - nothing wrong with it.
 * Caught by: nothing. */
#define DELIVER deliver_by_http
#include "sink.h"

HTTP_SINK("sound-http-sink");
