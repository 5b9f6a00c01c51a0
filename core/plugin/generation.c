/* generation.c - see generation.h. Plugins' tables stay for ever, so a configuration needs no registry any more. */
#include "plugin/generation.h"

#include "base/io.h"
#include "base/mem.h"
#include "guard/guard.h"
#include "plugin/host.h"
#include "plugin/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEPT_TEXT "routes.yaml"

/* What is checked and what is kept must be the same text. -1: it cannot be had; the reader will say why. */
static int copy_text(const char *path)
{
	char piece[4096];
	ssize_t n = -1;
	int from = open(path, O_RDONLY | O_CLOEXEC),
	    to = from == -1 ? -1 : memfd_create("patchbay:config", MFD_CLOEXEC);
	while (to != -1 && ((n = read(from, piece, sizeof piece)) > 0 || (n == -1 && errno == EINTR)))
		if (n > 0 && io_write_all(to, piece, (size_t)n) != 0) {
			n = -1;
			break;
		}
	explicit_bzero(piece, sizeof piece);
	if (from != -1)
		close(from);
	if (n == 0 || to == -1)
		return to;
	close(to);
	return -1;
}

/* Takes over the descriptor of the text. */
static struct generation *load(const char *path, int text, struct config_faults *faults)
{
	char text_path[64];
	struct registry *registry = registry_create();
	struct config_plugins plugins = registry_for_config(registry);
	struct generation *g = xcalloc(1, sizeof *g);
	snprintf(text_path, sizeof text_path, "/proc/self/fd/%d", text);
	g->text = text;
	g->config = g->owned =
		text == -1 ? config_load(path, &plugins, faults) : config_load_copy(path, text_path, &plugins, faults);
	registry_warn(registry, path, faults);
	registry_destroy(registry);
	atomic_init(&g->refs, 1);
	if (g->config)
		return g;
	generation_unref(g);
	return NULL;
}

struct generation *generation_load(const char *path, struct config_faults *faults)
{
	return load(path, copy_text(path), faults);
}

struct generation *generation_load_kept(const char *path, struct config_faults *faults)
{
	int text = guard_kept(KEPT_TEXT);
	if (text == -1)
		return NULL;
	load_kept(true);
	struct generation *g = load(path, text, faults);
	load_kept(false);
	return g;
}

void generation_keep(const struct generation *g)
{
	if (g->text == -1)
		return;
	load_keep();
	guard_keep(KEPT_TEXT, g->text);
}

struct generation *generation_ref(struct generation *g)
{
	atomic_fetch_add(&g->refs, 1);
	return g;
}

void generation_unref(struct generation *g)
{
	if (!g || atomic_fetch_sub(&g->refs, 1) != 1)
		return;
	config_free(g->owned);
	if (g->text != -1)
		close(g->text);
	free(g);
}
