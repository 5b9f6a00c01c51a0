/* delivered.c - a ring of hashes; the oldest is forgotten first. */
#include "delivered.h"

#include <pthread.h>
#include <string.h>

#define KEY 32 /* hex digits of a hash that are kept */
#define KEYS_MAX 8192

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char keys[KEYS_MAX][KEY]; /* lock */
static size_t next, count;       /* lock; count: keys ever added */

static const char *key_of(const patchbay_crypto_service *crypto, patchbay_call *call, patchbay_str name)
{
	patchbay_str hash = name.n ? crypto->sha256_hex(call, name) : name;
	return hash.n >= KEY ? hash.p : NULL;
}

void delivered_add(const patchbay_crypto_service *crypto, patchbay_call *call, patchbay_str name)
{
	const char *key = key_of(crypto, call, name);
	if (!key)
		return;
	pthread_mutex_lock(&lock);
	memcpy(keys[next], key, KEY);
	next = (next + 1) % KEYS_MAX;
	count++;
	pthread_mutex_unlock(&lock);
}

/* The key's place, or KEYS_MAX. */
static size_t find(const char *key)
{
	size_t i = 0;
	while (i < KEYS_MAX && memcmp(keys[i], key, KEY) != 0)
		i++;
	return i;
}

void delivered_forget(const patchbay_crypto_service *crypto, patchbay_call *call, patchbay_str name)
{
	const char *key = key_of(crypto, call, name);
	if (!key)
		return;
	pthread_mutex_lock(&lock);
	for (size_t i; (i = find(key)) < KEYS_MAX;)
		memset(keys[i], 0, KEY);
	pthread_mutex_unlock(&lock);
}

bool delivered_has(const patchbay_crypto_service *crypto, patchbay_call *call, patchbay_str name)
{
	const char *key = key_of(crypto, call, name);
	if (!key)
		return false;
	pthread_mutex_lock(&lock);
	bool found = find(key) < KEYS_MAX;
	pthread_mutex_unlock(&lock);
	return found;
}

bool delivered_any(void)
{
	pthread_mutex_lock(&lock);
	bool any = count > 0;
	pthread_mutex_unlock(&lock);
	return any;
}
