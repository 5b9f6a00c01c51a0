/* simulate.c - plays Motive: the documented payloads, signed. */
#include "motive.h"

#include <patchbay/play.h>

#include "samples.h"

#define SAMPLE(sample_name, sample_about)                                                                              \
	{                                                                                                              \
		.size = sizeof(patchbay_sample), .name = #sample_name, .about = (sample_about)                         \
	}
#define TEXT(sample_name)                                                                                              \
	{                                                                                                              \
		sample_##sample_name, sizeof(sample_##sample_name) - 1                                                 \
	}

static const patchbay_sample samples[] = {
	SAMPLE(vehicle_location_updated, "a vehicle's current location"),
	SAMPLE(vehicle_location_received, "a location, newer or older than the current"),
	SAMPLE(vehicle_upserted, "a vehicle was created or changed"),
	SAMPLE(user_upserted, "a user was created or changed"),
	SAMPLE(fault_code_opened, "a fault was seen"),
	SAMPLE(fault_code_closed, "a fault is gone"),
	SAMPLE(inspection_report_upserted, "a driver's vehicle inspection report"),
	SAMPLE(hos_violation_upserted, "a driver drove too long"),
	SAMPLE(vehicle_geofence_event, "a vehicle left a geofence"),
	SAMPLE(asset_geofence_event, "an asset left a geofence"),
	SAMPLE(engine_toggle_event, "an engine was switched on"),
	SAMPLE(engine_toggle_event_off, "an engine was switched off"),
	SAMPLE(driver_performance_event_created, "hard brake, without the video"),
	SAMPLE(driver_performance_event_updated, "hard brake, the video has come"),
	SAMPLE(speeding_event_created, "too fast"),
	SAMPLE(speeding_event_updated, "too fast, reviewed"),
	SAMPLE(ping, "the test request when a webhook is enabled, as JSON"),
	SAMPLE(ping_bare, "the test request as Motive's manual prints it"),
};
static const patchbay_str texts[] = {
	/* in the same order */
	TEXT(vehicle_location_updated),
	TEXT(vehicle_location_received),
	TEXT(vehicle_upserted),
	TEXT(user_upserted),
	TEXT(fault_code_opened),
	TEXT(fault_code_closed),
	TEXT(inspection_report_upserted),
	TEXT(hos_violation_upserted),
	TEXT(vehicle_geofence_event),
	TEXT(asset_geofence_event),
	TEXT(engine_toggle_event),
	TEXT(engine_toggle_event_off),
	TEXT(driver_performance_event_created),
	TEXT(driver_performance_event_updated),
	TEXT(speeding_event_created),
	TEXT(speeding_event_updated),
	TEXT(ping),
	TEXT(ping_bare),
};
#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))
_Static_assert(sizeof(texts) / sizeof(texts[0]) == N_SAMPLES, "each sample has its text");

static const char *const times[] = { "located_at",
				     "first_observed_at",
				     "last_observed_at",
				     "start_time",
				     "end_time",
				     "driver_signed_at",
				     "mechanic_signed_at",
				     "reviewer_signed_at",
				     "camera_media.start_time",
				     "camera_media.uploaded_at" };

static patchbay_status body(const void *self, patchbay_call *call, uint32_t i, uint64_t serial, patchbay_str *out)
{
	const struct motive *m = self;
	patchbay_edits edits = { .host = m->host, .json = m->json, .time = m->time, .call = call };

	if (i >= N_SAMPLES) {
		m->host->explain(call, PATCHBAY_S("there is no such sample"));
		return PATCHBAY_EUNSUPPORTED;
	}
	*out = texts[i];
	if (serial == 0 || motive_is_ping(m, call, texts[i])) /* the test request is always the same */
		return PATCHBAY_OK;
	if (patchbay_edits_begin(&edits, texts[i])) {
		if (!patchbay_edit_id(&edits, "id", serial))
			patchbay_edit_id(&edits, "vehicle_id", serial); /* engine_toggle_event */
		for (size_t t = 0; t < sizeof(times) / sizeof(times[0]); t++)
			patchbay_edit_time(&edits, times[t], serial);
	}
	return patchbay_edits_apply(&edits, out);
}

static patchbay_status sign(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct motive *m = self;
	patchbay_str hex = m->crypto->hmac_hex(call, m->keys.v[0], &r->body, 1);

	(void)try_; /* a retry is the same request again */
	if (flags & PATCHBAY_SIGN_WRONG)
		hex = patchbay_wrong_hex(m->host, call, hex);
	return patchbay_set_header(m->host, call, r, PATCHBAY_S(MOTIVE_SIGNATURE), hex);
}

const patchbay_simulate motive_simulate = {
	.size = sizeof(motive_simulate),
	.n_samples = N_SAMPLES,
	.samples = samples,
	.body = body,
	.sign = sign,
};
