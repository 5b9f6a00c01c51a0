/* post_url.c - where a post goes to. */
#include "cli/post.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static int resolve(const char *host, const char *port, const char *url, struct post_url *ret, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *found = NULL;
	int r = getaddrinfo(host, port, &hints, &found);
	if (r != 0)
		return err_set(err, "%s: cannot find the address of '%s': %s", url, host, gai_strerror(r));
	memcpy(&ret->addr, found->ai_addr, found->ai_addrlen);
	ret->addr_len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int parse_unix(const char *rest, const char *url, struct post_url *ret, struct err *err)
{
	struct sockaddr_un *addr = (struct sockaddr_un *)&ret->addr;
	const char *colon = strchr(rest, ':');
	size_t n = colon ? (size_t)(colon - rest) : strlen(rest);
	if (!n || n >= sizeof(addr->sun_path))
		return err_set(err, "%s: a unix socket's path has 1 to %zu bytes", url, sizeof(addr->sun_path) - 1);
	addr->sun_family = AF_UNIX;
	memcpy(addr->sun_path, rest, n);
	ret->addr_len = sizeof(*addr);
	snprintf(ret->host, sizeof(ret->host), "localhost");
	snprintf(ret->path, sizeof(ret->path), "%s", colon && colon[1] == '/' ? colon + 1 : "/");
	return 0;
}

int post_url_parse(const char *url, struct post_url *ret, struct err *err)
{
	char authority[sizeof(ret->host)], *host = authority, *port = NULL;
	*ret = (struct post_url){ .path = "/" };
	ret->tls = strncmp(url, "https://", 8) == 0;
	if (!ret->tls && strncmp(url, "http://", 7) != 0)
		return err_set(err, "'%s' is no URL; it is like http://127.0.0.1:8080/in/NAME", url);
	if (strlen(url) >= sizeof(ret->path) || strpbrk(url, " \t\r\n"))
		return err_set(err, "%s: too long, or with spaces in it", url);
	const char *rest = url + (ret->tls ? 8 : 7);
	if (!ret->tls && strncmp(rest, "unix:", 5) == 0)
		return parse_unix(rest + 5, url, ret, err);
	size_t n = strcspn(rest, "/?#");
	if (!n || n >= sizeof(authority))
		return err_set(err, "%s: it names no host", url);
	memcpy(authority, rest, n);
	authority[n] = '\0';
	memcpy(ret->host, authority, n + 1);
	if (rest[n] == '/')
		snprintf(ret->path, sizeof(ret->path), "%.*s", (int)strcspn(rest + n, "#"), rest + n);
	if (*host == '[') {
		char *end = strchr(++host, ']');
		if (!end)
			return err_set(err, "%s: the bracket of the address is not closed", url);
		*end = '\0';
		port = end[1] == ':' ? end + 2 : NULL;
	} else if ((port = strchr(host, ':'))) {
		*port++ = '\0';
	}
	snprintf(ret->name, sizeof(ret->name), "%s", host);
	return resolve(host, port ? port : ret->tls ? "443" : "80", url, ret, err);
}
