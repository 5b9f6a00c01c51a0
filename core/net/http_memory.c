/* http_memory.c - see http_memory.h. */
#include "net/http_memory.h"

#include <curl/curl.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void wipe_and_free(void *p)
{
	if (p)
		OPENSSL_cleanse(p, malloc_usable_size(p));
	free(p);
}

/* realloc() would leave the old copy behind. */
static void *move(void *p, size_t n)
{
	size_t had = p ? malloc_usable_size(p) : 0;
	void *to = malloc(n);

	if (to && had)
		memcpy(to, p, had < n ? had : n);
	if (to)
		wipe_and_free(p);
	return to;
}

static void start(void)
{
	curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_and_free, move, strdup, calloc);
}

void http_memory_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start);
}
