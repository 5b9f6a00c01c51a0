/* sink.h - the sink side of this plugin. */
#ifndef MOTIVATE_SINK_H
#define MOTIVATE_SINK_H

#include <patchbay/plugin.h>

extern const patchbay_sink motivate_sink;

#endif
