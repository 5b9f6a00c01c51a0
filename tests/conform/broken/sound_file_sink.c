/* sound_file_sink.c - nothing wrong with it.
 * Caught by: nothing. */
#define DELIVER deliver_to_file
#include "sink.h"

FILE_SINK("sound-file-sink");
