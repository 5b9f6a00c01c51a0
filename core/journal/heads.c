/* heads.c - reads the heads of records back to verify a fingerprint: from the segment, or, when that was pruned, from
 * its index. */
#include "journal/internal.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPEN_MAX_SEGMENTS 8u

struct heads {
	struct seglog *log;
	struct {
		uint64_t number;
		int fd;
	} open[OPEN_MAX_SEGMENTS]; /* round robin; number 0: free */
	unsigned next;
	uint64_t indexed; /* number of the segment whose index is loaded; 0 none */
	struct index index;
};

struct heads *heads_create(struct seglog *log)
{
	struct heads *h = xcalloc(1, sizeof *h);
	h->log = log;
	return h;
}

void heads_destroy(struct heads *h)
{
	if (!h)
		return;
	for (unsigned i = 0; i < OPEN_MAX_SEGMENTS; i++)
		if (h->open[i].number)
			close(h->open[i].fd);
	index_free(&h->index);
	free(h);
}

static int descriptor(struct heads *h, uint64_t number)
{
	for (unsigned i = 0; i < OPEN_MAX_SEGMENTS; i++)
		if (h->open[i].number == number)
			return h->open[i].fd;
	struct segment_header header;
	int fd = segment_open(seglog_dir(h->log), number, O_RDONLY, &header, NULL);
	if (fd == -1)
		return -1;
	unsigned i = h->next++ % OPEN_MAX_SEGMENTS;
	if (h->open[i].number)
		close(h->open[i].fd);
	h->open[i].number = number;
	h->open[i].fd = fd;
	return fd;
}

/* A repeat must not become an event because there was no descriptor to look with. */
static bool may_open_later(int why)
{
	return why == EMFILE || why == ENFILE || why == ENOMEM;
}

static int from_index(struct heads *h, struct journal_pos pos, struct index_entry *ret, struct err *err)
{
	if (h->indexed != pos.hi) {
		index_free(&h->index);
		h->indexed = index_load_sidecar(seglog_dir(h->log), pos.hi, &h->index) == 0 ? pos.hi : 0;
		if (!h->indexed && may_open_later(errno))
			return err_set(err, "cannot open an index to look for repeats: %s", strerror(errno));
	}
	size_t low = 0, high = h->index.n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (h->index.v[middle].offset < pos.lo)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == h->index.n || h->index.v[low].offset != pos.lo)
		return 0;
	*ret = h->index.v[low];
	return 1;
}

int heads_at(struct heads *h, uint64_t at, struct index_entry *ret, struct err *err)
{
	struct journal_pos pos = pos_unpack(at);
	int fd = descriptor(h, pos.hi);
	if (fd == -1 && may_open_later(errno))
		return err_set(err, "cannot open a segment to look for repeats: %s", strerror(errno));
	if (fd == -1)
		return from_index(h, pos, ret, err);
	struct record_head head;
	if (pread(fd, &head, sizeof head, (off_t)pos.lo) != (ssize_t)sizeof head || head.magic != RECORD_MAGIC)
		return 0;
	index_entry_of(pos.lo, &head, ret);
	/* a duplicate speaks for its original */
	if (head.kind == JOURNAL_DUPLICATE)
		ret->id = head.original;
	return 1;
}
