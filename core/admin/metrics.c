/* metrics.c - see metrics.h. */
#include "admin/metrics.h"

#include "guard/guard.h"

#include <inttypes.h>
#include <stdlib.h>

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP patchbay_%s %s\n# TYPE patchbay_%s %s\n", name, help, name, type);
}

static void metric(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	head(out, name, type, help);
	buf_addf(out, "patchbay_%s %" PRIu64 "\n", name, value);
}

static void metrics_of_sinks(const struct admin_parts *parts, struct buf *out)
{
	static const char *const names[] = { "done", "retried", "parked", "dead", "skipped" };
	size_t n;
	struct dispatcher_stats *v = dispatcher_stats(parts->dispatcher, &n);
	head(out, "deliveries_total", "counter", "What became of deliveries.");
	for (size_t i = 0; i < n; i++) {
		const uint64_t values[] = { v[i].done, v[i].retried, v[i].parked, v[i].dead, v[i].skipped };
		for (size_t k = 0; k < sizeof names / sizeof *names; k++)
			buf_addf(out, "patchbay_deliveries_total{sink=\"%s\",result=\"%s\"} %" PRIu64 "\n", v[i].sink,
				 names[k], values[k]);
	}
	head(out, "sink_up", "gauge", "1 while the sink works.");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_sink_up{sink=\"%s\"} %d\n", v[i].sink, v[i].trouble_since_ms == 0);
	head(out, "deliveries", "gauge", "Deliveries that wait to be retried (parked), and dead letters (dead), now.");
	for (size_t i = 0; i < n; i++) {
		struct journal_sink_counts counts;
		struct err err;
		if (journal_sink_counts(parts->journal, v[i].sink, &counts, &err) != 0)
			continue;
		buf_addf(out,
			 "patchbay_deliveries{sink=\"%s\",state=\"parked\"} %" PRIu64 "\n"
			 "patchbay_deliveries{sink=\"%s\",state=\"dead\"} %" PRIu64 "\n",
			 v[i].sink, counts.parked, v[i].sink, counts.dead);
	}
	head(out, "sink_stuck_calls", "gauge", "Calls that were abandoned and have not returned.");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_sink_stuck_calls{sink=\"%s\"} %u\n", v[i].sink, v[i].strays);
	head(out, "sink_caught_up", "gauge", "1 when nothing is owed to the sink but what is parked.");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_sink_caught_up{sink=\"%s\"} %d\n", v[i].sink, v[i].at_end);
	free(v);
}

static void metrics_of_fetching(const struct admin_parts *parts, struct buf *out)
{
	size_t n;
	struct poller_stats *v = poller_stats(parts->poller, &n);
	head(out, "poll_steps_total", "counter", "Steps of polling.");
	for (size_t i = 0; i < n; i++)
		buf_addf(out,
			 "patchbay_poll_steps_total{source=\"%s\",result=\"ok\"} %" PRIu64 "\n"
			 "patchbay_poll_steps_total{source=\"%s\",result=\"failed\"} %" PRIu64 "\n",
			 v[i].source, v[i].steps, v[i].source, v[i].failures);
	head(out, "polled_total", "counter", "What polling brought, events known already included.");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_polled_total{source=\"%s\"} %" PRIu64 "\n", v[i].source, v[i].events);
	head(out, "poll_up", "gauge", "1 while polling works.");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_poll_up{source=\"%s\"} %d\n", v[i].source, v[i].trouble_since_ms == 0);
	free(v);
	struct enricher_stats details;
	enricher_stats(parts->enricher, &details);
	head(out, "details_total", "counter", "Events whose details were asked for.");
	buf_addf(out,
		 "patchbay_details_total{result=\"there\"} %" PRIu64 "\n"
		 "patchbay_details_total{result=\"none\"} %" PRIu64 "\n",
		 details.with_details, details.without);
}

static void metrics_of_crashes(struct buf *out)
{
	struct guard_instance_stats v[METRICS_CRASHED_MAX];
	size_t n = guard_instances(v, METRICS_CRASHED_MAX);
	metric(out, "worker_restarts_total", "counter", "How often the worker ended by itself and was started anew.",
	       guard_restarts());
	head(out, "plugin_crashes_total", "counter", "Crashes, and calls that had to be ended, by instance.");
	for (size_t i = 0; i < n && i < METRICS_CRASHED_MAX; i++) {
		buf_addf(out, "patchbay_plugin_crashes_total{");
		if (v[i].side != GUARD_PLUGIN)
			buf_addf(out, "%s=\"%s\",", guard_side_name(v[i].side), v[i].instance);
		if (v[i].side == GUARD_POLLING || v[i].side == GUARD_DETAILS)
			buf_addf(out, "part=\"%s\",", v[i].side == GUARD_POLLING ? "polling" : "details");
		buf_addf(out, "plugin=\"%s\"} %" PRIu64 "\n", v[i].plugin, v[i].crashes);
	}
}

static void metrics_of_certificates(const struct intake *in, struct buf *out)
{
	head(out, "certificate_expires_seconds", "gauge", "When the certificate of a listener expires, in Unix time.");
	for (size_t i = 0; intake_address(in, i); i++) {
		struct intake_certificate c;
		if (intake_certificate(in, i, &c))
			buf_addf(out, "patchbay_certificate_expires_seconds{listen=\"%s\"} %" PRId64 "\n", c.address,
				 c.not_after_ms / 1000);
	}
}

static void metrics_of_reloads(const struct admin_reloads *r, struct buf *out)
{
	head(out, "reloads_total", "counter", "Reloads of the configuration.");
	buf_addf(out,
		 "patchbay_reloads_total{result=\"ok\"} %" PRIu64 "\n"
		 "patchbay_reloads_total{result=\"refused\"} %" PRIu64 "\n",
		 r->ok, r->refused);
	metric(out, "generation", "gauge", "Number of the configuration at work; 1 is that of the start.",
	       r->generation);
	head(out, "generation_start_time_seconds", "gauge", "When the configuration at work was taken up.");
	buf_addf(out, "patchbay_generation_start_time_seconds %" PRId64 ".%03d\n", r->last_ms / 1000,
		 (int)(r->last_ms % 1000));
}

void metrics_write(const struct admin_parts *parts, struct buf *out)
{
	struct journal_stats j;
	struct intake_stats in;
	journal_stats(parts->journal, &j);
	intake_stats(parts->intake, &in);
	head(out, "build_info", "gauge", "1, with the version that runs.");
	buf_addf(out, "patchbay_build_info{version=\"" PATCHBAY_VERSION "\"} 1\n");
	metric(out, "requests_total", "counter", "Requests received.", in.requests);
	head(out, "answers_total", "counter", "Answers by class of status.");
	for (size_t i = 1; i < 6; i++)
		buf_addf(out, "patchbay_answers_total{class=\"%zuxx\"} %" PRIu64 "\n", i, in.answered[i]);
	metric(out, "shed_total", "counter",
	       "Requests answered 503 because the journal was slow or the daemon stopping.", in.shed);
	metric(out, "connections", "gauge", "Open connections.", in.connections);
	metric(out, "waiting", "gauge", "Requests that wait for their commit.", in.waiting);
	metric(out, "events_total", "counter", "Events made durable.", j.appended);
	metric(out, "duplicates_total", "counter", "Providers' repeats recognised.", j.duplicates);
	metric(out, "quarantined_malformed_total", "counter", "Authentic requests that were not understood.",
	       j.malformed);
	metric(out, "quarantined_refused_total", "counter", "Requests that were not authentic.", j.refused);
	metric(out, "replays_total", "counter", "Requests refused because their one-time token came before.",
	       j.replayed);
	metric(out, "unavailable_total", "counter", "Requests that could not be made durable.", j.unavailable);
	metric(out, "commits_total", "counter", "Group commits.", j.commits);
	metric(out, "journal_bytes", "gauge", "Size of the event segments.", j.bytes);
	metric(out, "quarantine_bytes", "gauge", "Size of the quarantine.", j.quarantine_bytes);
	metric(out, "dedupe_keys", "gauge", "Keys and tokens remembered.", j.dedupe_keys);
	metrics_of_reloads(parts->reloads, out);
	metrics_of_certificates(parts->intake, out);
	metrics_of_sinks(parts, out);
	metrics_of_fetching(parts, out);
	metrics_of_crashes(out);
	alarms_metrics(parts->alarms, out);
}
