// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/address.h"

#include <string.h>

static const char *const redirect_names[] = {[GW_REDIRECTS_NETWORK] = "network",
                                             [GW_REDIRECTS_SAME_HOST] = "same-host",
                                             [GW_REDIRECTS_ANY] = "any"};

int gw_redirects_from_name(const char *name)
{
    for (int i = 0; i <= GW_REDIRECTS_ANY; i++)
        if (!strcmp(redirect_names[i], name))
            return i;
    return -1;
}

socklen_t gw_address_size(const union gw_address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

void gw_address_set_port(union gw_address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET6)
        address->v6.sin6_port = htons(port);
    else
        address->v4.sin_port = htons(port);
}

uint16_t gw_address_port(const union gw_address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

// The IPv4 address that this one is, or is written around (::ffff:a.b.c.d, and the older
// ::a.b.c.d), in host order. Returns false when it is IPv6 proper.
static bool find_v4(const union gw_address *address, uint32_t *ret)
{
    if (address->any.sa_family == AF_INET) {
        *ret = ntohl(address->v4.sin_addr.s_addr);
        return true;
    }
    const struct in6_addr *v6 = &address->v6.sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(v6) && !IN6_IS_ADDR_V4COMPAT(v6))
        return false;
    memcpy(ret, v6->s6_addr + 12, sizeof(*ret));
    *ret = ntohl(*ret);
    return true;
}

bool gw_address_same_host(const union gw_address *a, const union gw_address *b)
{
    uint32_t a4 = 0, b4 = 0;
    bool a_is_v4 = find_v4(a, &a4), b_is_v4 = find_v4(b, &b4);
    if (a_is_v4 || b_is_v4)
        return a_is_v4 && b_is_v4 && a4 == b4;
    return IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr) &&
           a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}

static bool is_special_v4(uint32_t address)
{
    return address >> 24 == 0 ||      // "this host"
           address >> 24 == 127 ||    // loopback
           address >> 16 == 0xa9fe || // 169.254.0.0/16, link-local
           address >> 28 == 14 ||     // multicast
           address == INADDR_BROADCAST;
}

static bool is_special(const union gw_address *address)
{
    const struct in6_addr *v6 = &address->v6.sin6_addr;
    uint32_t v4;

    if (find_v4(address, &v4))
        return is_special_v4(v4);
    return IN6_IS_ADDR_LOOPBACK(v6) || IN6_IS_ADDR_UNSPECIFIED(v6) || IN6_IS_ADDR_LINKLOCAL(v6) ||
           IN6_IS_ADDR_MULTICAST(v6);
}

bool gw_address_allowed(enum gw_redirects redirects, const union gw_address *address,
                        const struct gw_addresses *home)
{
    for (int i = 0; i < home->count; i++)
        if (gw_address_same_host(address, &home->list[i]))
            return true;
    switch (redirects) {
    case GW_REDIRECTS_SAME_HOST: return false;
    case GW_REDIRECTS_NETWORK: return !is_special(address);
    case GW_REDIRECTS_ANY: return true;
    }
    return false;
}

int gw_addresses_permit(struct gw_addresses *addresses, enum gw_redirects redirects,
                        const struct gw_addresses *home)
{
    int kept = 0;
    for (int i = 0; i < addresses->count; i++)
        if (gw_address_allowed(redirects, &addresses->list[i], home))
            addresses->list[kept++] = addresses->list[i];
    return addresses->count = kept;
}
