/* metrics.h - what the parts of the daemon count, in the Prometheus text format. */
#ifndef ADMIN_METRICS_H
#define ADMIN_METRICS_H

#include "admin/admin.h"
#include "base/str.h"

#define METRICS_CRASHED_MAX 64 /* instances that crashed, of which is told */

void metrics_write(const struct admin_parts *, struct buf *);

#endif
