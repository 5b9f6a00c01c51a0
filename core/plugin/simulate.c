/* simulate.c - sizes first, as with everything that a plugin hands over. */
#include "plugin/simulate.h"

#include "base/sized.h"
#include "plugin/ability.h"

#include <string.h>

#define SAMPLE_1_0 SIZED_END(patchbay_sample, about)

bool simulate_get(const patchbay_plugin *plugin, patchbay_simulate *ret)
{
	patchbay_simulate ours;

	if (!plugin->source || !ABILITY_GET(plugin->source, PATCHBAY_SIMULATE, &ours, sign) || !ours.body ||
	    (ours.n_samples && (!ours.samples || !sized_has(ours.samples, SAMPLE_1_0))))
		return false;
	*ret = ours;
	return true;
}

patchbay_sample simulate_sample(const patchbay_simulate *simulate, uint32_t i)
{
	uint32_t step = simulate->samples->size;
	const char *theirs = (const char *)simulate->samples + (size_t)i * step;
	patchbay_sample sample = { 0 };

	memcpy(&sample, theirs, step < sizeof(sample) ? step : sizeof(sample));
	sample.size = sizeof(sample);
	return sample;
}
