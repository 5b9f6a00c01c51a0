/* metrics.c - see metrics.h. */
#include "admin/metrics.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

#define SINKS_MAX 1024u
#define POLLED_MAX 1024u

struct dispatcher_stats *metrics_sinks(const struct admin_parts *parts, size_t *ret_n)
{
	struct dispatcher_stats *v = xcalloc(SINKS_MAX, sizeof *v);
	size_t n = dispatcher_stats(parts->dispatcher, v, SINKS_MAX);
	*ret_n = n < SINKS_MAX ? n : SINKS_MAX;
	return v;
}

struct poller_stats *metrics_polled(const struct admin_parts *parts, size_t *ret_n)
{
	struct poller_stats *v = xcalloc(POLLED_MAX, sizeof *v);
	size_t n = poller_stats(parts->poller, v, POLLED_MAX);
	*ret_n = n < POLLED_MAX ? n : POLLED_MAX;
	return v;
}

static void metric(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	buf_addf(out, "# HELP patchbay_%s %s\n# TYPE patchbay_%s %s\npatchbay_%s %" PRIu64 "\n", name, help, name, type, name, value);
}

static void metrics_of_sinks(const struct admin_parts *parts, struct buf *out)
{
	static const char *const names[] = { "done", "retried", "parked", "dead", "skipped" };
	size_t n;
	struct dispatcher_stats *sinks = metrics_sinks(parts, &n);
	buf_addf(out, "# HELP patchbay_deliveries_total What became of deliveries.\n# TYPE patchbay_deliveries_total counter\n");
	for (size_t i = 0; i < n; i++) {
		const uint64_t values[] = { sinks[i].done, sinks[i].retried, sinks[i].parked, sinks[i].dead, sinks[i].skipped };
		for (size_t k = 0; k < sizeof names / sizeof *names; k++)
			buf_addf(out, "patchbay_deliveries_total{sink=\"%s\",result=\"%s\"} %" PRIu64 "\n", sinks[i].sink, names[k], values[k]);
	}
	buf_addf(out, "# HELP patchbay_sink_up 1 while the sink works.\n# TYPE patchbay_sink_up gauge\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_sink_up{sink=\"%s\"} %d\n", sinks[i].sink, sinks[i].trouble_since_ms == 0);
	buf_addf(out, "# HELP patchbay_deliveries Deliveries that wait to be retried (parked), and dead letters (dead), now.\n"
		      "# TYPE patchbay_deliveries gauge\n");
	for (size_t i = 0; i < n; i++) {
		struct journal_sink_counts counts;
		struct err err;
		if (journal_sink_counts(parts->journal, sinks[i].sink, &counts, &err) != 0)
			continue;
		buf_addf(out,
			 "patchbay_deliveries{sink=\"%s\",state=\"parked\"} %" PRIu64 "\n"
			 "patchbay_deliveries{sink=\"%s\",state=\"dead\"} %" PRIu64 "\n",
			 sinks[i].sink, counts.parked, sinks[i].sink, counts.dead);
	}
	buf_addf(out, "# HELP patchbay_sink_stuck_calls Calls that were abandoned and have not returned.\n"
		      "# TYPE patchbay_sink_stuck_calls gauge\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_sink_stuck_calls{sink=\"%s\"} %u\n", sinks[i].sink, sinks[i].strays);
	buf_addf(out, "# HELP patchbay_sink_caught_up 1 when nothing is owed to the sink but what is parked.\n# TYPE patchbay_sink_caught_up gauge\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_sink_caught_up{sink=\"%s\"} %d\n", sinks[i].sink, sinks[i].at_end);
	free(sinks);
}

static void metrics_of_polling(const struct admin_parts *parts, struct buf *out)
{
	size_t n;
	struct poller_stats *polled = metrics_polled(parts, &n);
	buf_addf(out, "# HELP patchbay_poll_steps_total Steps of polling.\n# TYPE patchbay_poll_steps_total counter\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(out,
			 "patchbay_poll_steps_total{source=\"%s\",result=\"ok\"} %" PRIu64 "\n"
			 "patchbay_poll_steps_total{source=\"%s\",result=\"failed\"} %" PRIu64 "\n",
			 polled[i].source, polled[i].steps, polled[i].source, polled[i].failures);
	buf_addf(out, "# HELP patchbay_polled_total What polling brought, events known already included.\n# TYPE patchbay_polled_total counter\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_polled_total{source=\"%s\"} %" PRIu64 "\n", polled[i].source, polled[i].events);
	buf_addf(out, "# HELP patchbay_poll_up 1 while polling works.\n# TYPE patchbay_poll_up gauge\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_poll_up{source=\"%s\"} %d\n", polled[i].source, polled[i].trouble_since_ms == 0);
	free(polled);
	struct enricher_stats details;
	enricher_stats(parts->enricher, &details);
	buf_addf(out,
		 "# HELP patchbay_details_total Events whose details were asked for.\n# TYPE patchbay_details_total counter\n"
		 "patchbay_details_total{result=\"there\"} %" PRIu64 "\npatchbay_details_total{result=\"none\"} %" PRIu64 "\n",
		 details.with_details, details.without);
}

void metrics_write(const struct admin_parts *parts, struct buf *out)
{
	struct journal_stats j;
	struct intake_stats in;
	journal_stats(parts->journal, &j);
	intake_stats(parts->intake, &in);
	metric(out, "requests_total", "counter", "Requests received.", in.requests);
	buf_addf(out, "# HELP patchbay_answers_total Answers by class of status.\n# TYPE patchbay_answers_total counter\n");
	for (size_t i = 1; i < 6; i++)
		buf_addf(out, "patchbay_answers_total{class=\"%zuxx\"} %" PRIu64 "\n", i, in.answered[i]);
	metric(out, "shed_total", "counter", "Requests answered 503 because the journal was slow or the daemon stopping.", in.shed);
	metric(out, "connections", "gauge", "Open connections.", in.connections);
	metric(out, "waiting", "gauge", "Requests that wait for their commit.", in.waiting);
	metric(out, "events_total", "counter", "Events made durable.", j.appended);
	metric(out, "duplicates_total", "counter", "Providers' repeats recognised.", j.duplicates);
	metric(out, "quarantined_malformed_total", "counter", "Authentic requests that were not understood.", j.malformed);
	metric(out, "quarantined_refused_total", "counter", "Requests that were not authentic.", j.refused);
	metric(out, "replays_total", "counter", "Requests refused because their one-time token came before.", j.replayed);
	metric(out, "unavailable_total", "counter", "Requests that could not be made durable.", j.unavailable);
	metric(out, "commits_total", "counter", "Group commits.", j.commits);
	metric(out, "journal_bytes", "gauge", "Size of the event segments.", j.bytes);
	metric(out, "quarantine_bytes", "gauge", "Size of the quarantine.", j.quarantine_bytes);
	metric(out, "dedupe_keys", "gauge", "Keys and tokens remembered.", j.dedupe_keys);
	metrics_of_sinks(parts, out);
	metrics_of_polling(parts, out);
}
