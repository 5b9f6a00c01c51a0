/* preview_text.c - its preview is no JSON.
 * Caught by: sink.preview. */
#define EXTENSION broken_extension
#define DELIVER deliver_to_file
#include "sink.h"

static patchbay_status show(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
			    patchbay_str *out)
{
	struct sound *s = self;
	(void)n;

	*out = patchbay_fmt(s->host, call, "%.*s", (int)events[0]->id.n, events[0]->id.p);
	return PATCHBAY_OK;
}

static const void *EXTENSION(const char *id)
{
	static const patchbay_preview ability = { .size = sizeof(ability), .preview = show };

	return strcmp(id, PATCHBAY_PREVIEW) == 0 ? &ability : NULL;
}

FILE_SINK("preview-text");
