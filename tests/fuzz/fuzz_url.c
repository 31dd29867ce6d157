// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: cameras' URLs and the secrets in them (core/url.h).

#include <assert.h>

#include "core/error.h"
#include "core/url.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

static void check_parts(const char *url, const char *username, const char *password)
{
    char joined[GW_URL_SIZE + 3 * (GW_USERNAME_SIZE + GW_PASSWORD_SIZE)], host[GW_URL_HOST_SIZE];
    char again[GW_URL_SIZE], name[GW_USERNAME_SIZE], secret[GW_PASSWORD_SIZE];
    uint16_t port;

    // Joined and split again they are the same.
    assert(gw_url_join(url, username, password, joined, sizeof(joined)) == 0);
    assert(gw_url_split(joined, again, name, secret) == 0);
    assert(!strcmp(again, url) && !strcmp(name, username) && !strcmp(secret, password));
    if (gw_url_host(url, host, &port) == 0)
        assert(*host && port && !strpbrk(host, "/@"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char url[GW_URL_SIZE], username[GW_USERNAME_SIZE], password[GW_PASSWORD_SIZE];
    char host[GW_URL_HOST_SIZE], redacted[64];
    char *text = take_text(data, size), *copy = take_text(data, size);
    uint16_t port;

    int error = gw_url_split(text, url, username, password);
    assert(error == 0 || error == GW_ERROR_INVALID);
    if (!error)
        check_parts(url, username, password);
    gw_url_host(text, host, &port);
    gw_url_redact(text, redacted, sizeof(redacted));
    assert(strlen(redacted) < sizeof(redacted));
    gw_url_scrub_arguments(1, &copy);
    assert(strlen(copy) == strlen(text));
    free(copy);
    free(text);
    return 0;
}
