// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Where the console listens: "host:port" to a listening socket.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define GW_HOST_SIZE 128

// Splits "127.0.0.1:8471", "[::1]:8471", "console.example:8471" or ":8471" (every address).
// Returns whether it is one; the host is without brackets and may be "".
bool gw_listen_split(const char *listen, char host[GW_HOST_SIZE], int *ret_port);

// Binds and listens. Returns the socket, or an error with one line for people in error.
int gw_listen_open(const char *listen, char error[256]);

// "http://HOST:PORT" under which others reach this socket, with the port it really has.
// An address that means "all of this machine's" becomes the machine's name.
void gw_listen_address(const char *listen, int port, char *ret, size_t size);
// The port of a bound socket, or -errno.
int gw_listen_port(int socket);
