/* metrics.h - what the parts of the daemon count, in the Prometheus text format. */
#ifndef ADMIN_METRICS_H
#define ADMIN_METRICS_H

#include "admin/admin.h"
#include "base/str.h"

#define METRICS_CRASHED_MAX 64 /* instances that crashed, of which is told */

void metrics_write(const struct admin_parts *, struct buf *);

/* Of every sink, and of every source that polls. The caller frees. */
struct dispatcher_stats *metrics_sinks(const struct admin_parts *, size_t *ret_n);
struct poller_stats *metrics_polled(const struct admin_parts *, size_t *ret_n);

#endif
