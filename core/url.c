// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/error.h"

static const char *after_scheme(const char *url)
{
    if (!strncasecmp(url, "rtsp://", 7))
        return url + 7;
    if (!strncasecmp(url, "rtsps://", 8))
        return url + 8;
    return NULL;
}

// The last '@' of the authority, which ends the user information; NULL when there is none.
static const char *find_at(const char *authority, size_t length)
{
    for (size_t i = length; i > 0; i--)
        if (authority[i - 1] == '@')
            return authority + i - 1;
    return NULL;
}

// A percent sign that starts no valid escape stands for itself: people paste raw passwords.
static int percent_decode(const char *text, size_t length, char *ret, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '%' && i + 2 < length && isxdigit((unsigned char)text[i + 1]) &&
            isxdigit((unsigned char)text[i + 2])) {
            char hex[3] = {text[i + 1], text[i + 2], 0};
            c = (char)strtol(hex, NULL, 16);
            i += 2;
        }
        if (!c || used + 1 >= size)
            return GW_ERROR_INVALID;
        ret[used++] = c;
    }
    ret[used] = 0;
    return 0;
}

static bool has_control_character(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return true;
    return false;
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text > 0x7e)
            return false;
    return true;
}

// What follows the host's name or address: nothing or a port, then the path.
static bool is_port_and_path(const char *text)
{
    if (*text == ':') {
        char *end = NULL;
        long port = isdigit((unsigned char)text[1]) ? strtol(text + 1, &end, 10) : 0;
        if (port < 1 || port > 65535)
            return false;
        text = end;
    }
    return !*text || strchr("/?", *text);
}

// A raw password with a / ? or # in it ends the authority too early; what is left of it is no host.
// It must not become part of a URL that is shown to people.
static bool is_host(const char *host)
{
    size_t length = *host == '[' ? strcspn(host, "]/?#") : strcspn(host, ":/?#");
    if (*host == '[' && host[length++] != ']')
        return false;
    return length && is_ascii(host) && is_port_and_path(host + length);
}

int gw_url_split(const char *url, char ret_url[GW_URL_SIZE], char ret_username[GW_USERNAME_SIZE],
                 char ret_password[GW_PASSWORD_SIZE])
{
    char username[GW_USERNAME_SIZE] = "", password[GW_PASSWORD_SIZE] = "";
    const char *authority = after_scheme(url);
    if (!authority || has_control_character(url))
        return GW_ERROR_INVALID;

    size_t length = strcspn(authority, "/?#");
    const char *at = find_at(authority, length);
    const char *host = at ? at + 1 : authority;
    if (at) {
        const char *colon = memchr(authority, ':', (size_t)(at - authority));
        const char *name_end = colon ? colon : at;
        if (percent_decode(authority, (size_t)(name_end - authority), username, sizeof(username)) <
            0)
            return GW_ERROR_INVALID;
        if (colon &&
            percent_decode(colon + 1, (size_t)(at - colon - 1), password, sizeof(password)) < 0)
            return GW_ERROR_INVALID;
    }
    if (!is_host(host))
        return GW_ERROR_INVALID;
    if ((size_t)(authority - url) + strlen(host) >= GW_URL_SIZE)
        return GW_ERROR_INVALID;

    memcpy(ret_url, url, (size_t)(authority - url));
    strcpy(ret_url + (authority - url), host);
    strcpy(ret_username, username);
    strcpy(ret_password, password);
    return 0;
}

static size_t percent_encode(const char *text, char *ret, size_t size)
{
    size_t used = 0;
    for (; *text; text++) {
        bool plain = isalnum((unsigned char)*text) || strchr("-._~", *text);
        int n = snprintf(used < size ? ret + used : NULL, used < size ? size - used : 0,
                         plain ? "%c" : "%%%02X", (unsigned char)*text);
        used += (size_t)n;
    }
    return used;
}

int gw_url_join(const char *url, const char *username, const char *password, char *ret, size_t size)
{
    const char *authority = after_scheme(url);
    if (!authority)
        return GW_ERROR_INVALID;
    // Worst case: every byte of both becomes three.
    char user[3 * GW_USERNAME_SIZE] = "", pass[3 * GW_PASSWORD_SIZE] = "";
    percent_encode(username, user, sizeof(user));
    percent_encode(password, pass, sizeof(pass));
    int n = snprintf(ret, size, "%.*s%s%s%s%s%s", (int)(authority - url), url, user,
                     *password ? ":" : "", pass, *user || *pass ? "@" : "", authority);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int gw_url_host(const char *url, char ret_host[GW_URL_HOST_SIZE], uint16_t *ret_port)
{
    const char *authority = after_scheme(url);
    if (!authority)
        return GW_ERROR_INVALID;
    const char *at = find_at(authority, strcspn(authority, "/?#"));
    const char *host = at ? at + 1 : authority;
    if (!is_host(host))
        return GW_ERROR_INVALID;
    bool bracketed = *host == '[';
    host += bracketed;
    size_t length = strcspn(host, bracketed ? "]" : ":/?#");
    const char *rest = host + length + bracketed;
    if (!length || length >= GW_URL_HOST_SIZE)
        return GW_ERROR_INVALID;
    memcpy(ret_host, host, length);
    ret_host[length] = 0;
    // The zone of a link-local address is behind an escaped percent sign (RFC 6874).
    char *zone = bracketed ? strstr(ret_host, "%25") : NULL;
    if (zone)
        memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
    *ret_port = strncasecmp(url, "rtsps", 5) ? 554 : 322;
    if (*rest == ':')
        *ret_port = (uint16_t)strtol(rest + 1, NULL, 10);
    return 0;
}

bool gw_url_same_host(const char *a, const char *b)
{
    char a_host[GW_URL_HOST_SIZE], b_host[GW_URL_HOST_SIZE];
    uint16_t port;

    return gw_url_host(a, a_host, &port) == 0 && gw_url_host(b, b_host, &port) == 0 &&
           !strcasecmp(a_host, b_host);
}

// The length of a word at text behind which a secret stands; 0 when none does.
static size_t secret_word(const char *text)
{
    static const char *const words[] = {"password=", "passwd=", "pass=", "pwd=", "token=", "auth="};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strncasecmp(text, words[i], strlen(words[i])))
            return strlen(words[i]);
    return 0;
}

void gw_url_hide_secrets(char *url)
{
    for (; *url; url++) {
        const size_t length = secret_word(url);
        if (!length)
            continue;
        char *secret = url + length, *rest = secret + strcspn(secret, "&/;?#");
        if (rest - secret >= 3) {
            memcpy(secret, "***", 3);
            memmove(secret + 3, rest, strlen(rest) + 1);
        } else {
            memset(secret, '*', (size_t)(rest - secret));
        }
    }
}

// Where the user information of a URL starting at authority ends, inside running text.
static const char *text_at(const char *authority)
{
    return find_at(authority, strcspn(authority, "/?# \t\r\n\"'<>"));
}

void gw_url_redact(const char *text, char *ret, size_t size)
{
    size_t used = 0;
    if (!size)
        return;
    while (*text && used + 1 < size) {
        const char *at;
        if (!strncmp(text, "://", 3) && (at = text_at(text + 3))) {
            int n = snprintf(ret + used, size - used, "://***@");
            used += (size_t)n < size - used ? (size_t)n : size - used - 1;
            text = at + 1;
            continue;
        }
        ret[used++] = *text++;
    }
    ret[used] = 0;
}

void gw_url_scrub_arguments(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        char *scheme = strstr(argv[i], "://");
        char *at = scheme ? (char *)text_at(scheme + 3) : NULL;
        if (at)
            memset(scheme + 3, '*', (size_t)(at - scheme - 3));
    }
}
