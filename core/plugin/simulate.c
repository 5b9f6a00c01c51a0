/* simulate.c - sizes first, as with everything that a plugin hands over. */
#include "plugin/simulate.h"

#include "plugin/ability.h"

#include <string.h>

#define SAMPLE_1_0 (offsetof(patchbay_sample, about) + sizeof(((patchbay_sample *)0)->about))

bool simulate_get(const patchbay_plugin *plugin, patchbay_simulate *ret)
{
	patchbay_simulate ours;

	if (!plugin->source || !ABILITY_GET(plugin->source, PATCHBAY_SIMULATE, &ours, sign) || !ours.body ||
	    (ours.n_samples && (!ours.samples || ours.samples->size < SAMPLE_1_0)))
		return false;
	*ret = ours;
	return true;
}

patchbay_sample simulate_sample(const patchbay_simulate *simulate, uint32_t i)
{
	uint32_t step = simulate->samples->size;
	patchbay_sample sample = { 0 };

	memcpy(&sample, (const char *)simulate->samples + (size_t)i * step,
	       step < sizeof(sample) ? step : sizeof(sample));
	return sample;
}
