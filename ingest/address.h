// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Network addresses of cameras, and where a camera may redirect us to.
//
//   resolve.c -> [address] -> dial.c, app/door.c
//
// Plain values and pure functions: they look at numbers, never at the network.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>
#include <sys/socket.h>

union gw_address {
    struct sockaddr any; // any.sa_family tells which
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

// What a name stands for, the best first. More than these are not tried.
enum { GW_ADDRESSES_MAX = 8 };
struct gw_addresses {
    union gw_address list[GW_ADDRESSES_MAX];
    int count;
};

// Where a camera may send us instead of its registered host.
enum gw_redirects {
    GW_REDIRECTS_NETWORK,   // anywhere but to this machine, this link or a group
    GW_REDIRECTS_SAME_HOST, // to another path or port of the registered host
    GW_REDIRECTS_ANY,
};

// "network", "same-host", "any"; -1 when it is none of these.
int gw_redirects_from_name(const char *name);

// The size that connect() and bind() want for this family.
socklen_t gw_address_size(const union gw_address *address);
void gw_address_set_port(union gw_address *address, uint16_t port);
uint16_t gw_address_port(const union gw_address *address);
// The same host, whatever the ports; ::ffff:10.0.0.1 is 10.0.0.1.
bool gw_address_same_host(const union gw_address *a, const union gw_address *b);

// Whether a camera that is registered at home may send us to this address. The registered host's
// own addresses are always allowed. GW_REDIRECTS_NETWORK forbids loopback, link-local, multicast,
// broadcast and unspecified addresses, also where they are written as IPv6 (::ffff:127.0.0.1).
bool gw_address_allowed(enum gw_redirects redirects, const union gw_address *address,
                        const struct gw_addresses *home);
// Keeps those that are allowed. Returns how many.
int gw_addresses_permit(struct gw_addresses *addresses, enum gw_redirects redirects,
                        const struct gw_addresses *home);
