/* http_memory.h - what libcurl frees is wiped first: URLs, headers, logins and bodies are copied there many times. */
#ifndef NET_HTTP_MEMORY_H
#define NET_HTTP_MEMORY_H

/* Starts libcurl, for the whole process; before anything else does, plugins included, or nothing is wiped. [any] */
void http_memory_init(void);

#endif
