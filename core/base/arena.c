/* arena.c - a chain of blocks, the newest first; allocation moves a mark forward in the first one. */
#include "base/arena.h"

#include "base/mem.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT ((size_t)16)
#define BLOCK_MIN ((size_t)4096)
#define BLOCK_MAX ((size_t)65536) /* what needs more gets a block to itself */

struct arena_block {
	struct arena_block *next;
	size_t room, used;
	alignas(16) char data[];
};

static struct arena_block *block_new(size_t room)
{
	struct arena_block *block = xmalloc(sizeof(*block) + room);
	block->next = NULL;
	block->room = room;
	block->used = 0;
	return block;
}

/* A block with n bytes of room: a new head, or, where n is large, one behind the head, which stays in use. */
static struct arena_block *block_for(struct arena *arena, size_t n)
{
	struct arena_block *head = arena->blocks, *block;

	if (head && head->room - head->used >= n)
		return head;
	if (head && n > BLOCK_MAX / 4) {
		block = block_new(n);
		block->next = head->next;
		head->next = block;
		return block;
	}
	size_t room = head ? head->room * 2 : BLOCK_MIN;
	if (room > BLOCK_MAX)
		room = BLOCK_MAX;
	block = block_new(room < n ? n : room);
	block->next = head;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t n)
{
	size_t total;

	if (n > SIZE_MAX - ALIGNMENT)
		return NULL;
	n = (n + !n + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (__builtin_add_overflow(arena->used, n, &total) || (arena->limit && total > arena->limit))
		return NULL;
	struct arena_block *block = block_for(arena, n);
	void *p = block->data + block->used;
	block->used += n;
	arena->used = total;
	return memset(p, 0, n);
}

patchbay_str arena_copy(struct arena *arena, patchbay_str s)
{
	char *p = s.n < SIZE_MAX ? arena_alloc(arena, s.n + 1) : NULL;

	if (!p)
		return (patchbay_str){ NULL, 0 };
	if (s.n)
		memcpy(p, s.p, s.n);
	return (patchbay_str){ p, s.n };
}

static void free_chain(struct arena_block *block)
{
	while (block) {
		struct arena_block *next = block->next;
		free(block);
		block = next;
	}
}

void arena_reset(struct arena *arena)
{
	struct arena_block *head = arena->blocks;

	arena->used = 0;
	if (!head)
		return;
	if (head->room > BLOCK_MAX) { /* one large call must not hold on to its memory for ever */
		free_chain(head);
		arena->blocks = NULL;
		return;
	}
	free_chain(head->next);
	head->next = NULL;
	head->used = 0;
}

void arena_fini(struct arena *arena)
{
	free_chain(arena->blocks);
	arena->blocks = NULL;
	arena->used = 0;
}
