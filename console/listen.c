// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/listen.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"

static bool parse_port(const char *text, int *ret)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    long port = strtol(text, &end, 10);
    if (*end || port > 65535)
        return false;
    *ret = (int)port;
    return true;
}

bool gw_listen_split(const char *listen, char host[GW_HOST_SIZE], int *ret_port)
{
    const char *colon = strrchr(listen, ':');

    if (!colon || !parse_port(colon + 1, ret_port))
        return false;
    size_t length = (size_t)(colon - listen);
    bool bracketed = length >= 2 && listen[0] == '[' && colon[-1] == ']';
    if (bracketed) {
        listen++;
        length -= 2;
    }
    if (length >= GW_HOST_SIZE || (!bracketed && memchr(listen, ':', length)))
        return false;
    memcpy(host, listen, length);
    host[length] = '\0';
    return true;
}

static int bind_one(const struct addrinfo *address)
{
    int on = 1, off = 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, 128) == 0)
        return fd;
    int result = -errno;
    close(fd);
    return result;
}

int gw_listen_open(const char *listen, char error[256])
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    char host[GW_HOST_SIZE], service[8];
    int port, result = -EADDRNOTAVAIL;

    if (!gw_listen_split(listen, host, &port)) {
        snprintf(error, 256,
                 "console.listen: \"%.100s\" is no HOST:PORT; write one like 127.0.0.1:8471",
                 listen);
        return GW_ERROR_INVALID;
    }
    snprintf(service, sizeof(service), "%d", port);
    int found = getaddrinfo(host[0] ? host : NULL, service, &hints, &addresses);
    if (found != 0) {
        snprintf(error, 256, "console.listen: no address for %.100s: %s", host,
                 gai_strerror(found));
        return GW_ERROR_INVALID;
    }
    for (const struct addrinfo *address = addresses; address && result < 0;
         address = address->ai_next)
        result = bind_one(address);
    freeaddrinfo(addresses);
    if (result < 0)
        snprintf(
            error, 256,
            "cannot listen on %.100s: %s; is another site running? choose another console.listen",
            listen, gw_strerror(result));
    return result;
}

void gw_listen_address(const char *listen, int port, char *ret, size_t size)
{
    char host[GW_HOST_SIZE];
    int listen_port;

    if (!gw_listen_split(listen, host, &listen_port)) {
        snprintf(ret, size, "http://%s", listen);
        return;
    }
    if (!host[0] || !strcmp(host, "0.0.0.0") || !strcmp(host, "::"))
        if (gethostname(host, sizeof(host)) < 0)
            strcpy(host, "localhost");
    host[GW_HOST_SIZE - 1] = '\0';
    snprintf(ret, size, strchr(host, ':') ? "http://[%s]:%d" : "http://%s:%d", host, port);
}

int gw_listen_port(int socket)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);

    if (getsockname(socket, (struct sockaddr *)&address, &size) < 0)
        return -errno;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}
