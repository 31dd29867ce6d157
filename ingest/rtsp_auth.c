// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/rtsp_auth.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <gnutls/crypto.h>
#include <libavutil/base64.h>

#include "core/error.h"

enum { MOST_CHALLENGES = 8, HASH_TEXT_SIZE = 65 };

// --- challenges ----------------------------------------------------------------------------------

// Reads name=value or name="value" at *at, which moves behind it. Returns whether there was one; if
// not, *at is where the next challenge begins.
static bool next_pair(const char **at, char *name, size_t name_size, char *value, size_t value_size)
{
    size_t i = 0;
    *at += strspn(*at, " \t,");
    size_t length = strcspn(*at, "= \t,");
    const char *equals = *at + length + strspn(*at + length, " \t");
    if (!length || length >= name_size || *equals != '=')
        return false;
    memcpy(name, *at, length);
    name[length] = 0;
    *at = equals + 1;
    *at += strspn(*at, " \t");
    bool quoted = **at == '"';
    *at += quoted;
    for (; **at && (quoted ? **at != '"' : !strchr(" \t,", **at)); ++*at) {
        if (quoted && **at == '\\' && (*at)[1])
            ++*at;
        if (i + 1 < value_size)
            value[i++] = **at;
    }
    value[i] = 0;
    *at += quoted && **at == '"';
    return true;
}

// Text that goes back to the camera within quotes must not end them or the line.
static void copy_quotable(char *dst, size_t size, const char *src)
{
    size_t i = 0;
    for (; *src && i + 1 < size; src++)
        if (*src != '"' && *src != '\\' && !iscntrl((unsigned char)*src))
            dst[i++] = *src;
    dst[i] = 0;
}

// A name within quotes (RFC 7616, 3.4): what would end them is escaped.
static void copy_escaped(char *dst, size_t size, const char *src)
{
    size_t i = 0;
    for (; *src && i + 2 < size; src++) {
        if (*src == '"' || *src == '\\')
            dst[i++] = '\\';
        if (!iscntrl((unsigned char)*src))
            dst[i++] = *src;
    }
    dst[i] = 0;
}

static bool has_word(const char *list, const char *word)
{
    const size_t length = strlen(word);
    while (*list) {
        list += strspn(list, " \t,");
        size_t found = strcspn(list, " \t,");
        if (found == length && !strncasecmp(list, word, length))
            return true;
        list += found;
    }
    return false;
}

static void take_digest_pair(struct gw_rtsp_auth *auth, const char *name, const char *value)
{
    if (!strcasecmp(name, "realm"))
        copy_quotable(auth->realm, sizeof(auth->realm), value);
    else if (!strcasecmp(name, "nonce"))
        copy_quotable(auth->nonce, sizeof(auth->nonce), value);
    else if (!strcasecmp(name, "opaque"))
        copy_quotable(auth->opaque, sizeof(auth->opaque), value);
    else if (!strcasecmp(name, "stale"))
        auth->stale = !strcasecmp(value, "true");
    else if (!strcasecmp(name, "qop"))
        auth->qop = has_word(value, "auth");
    else if (!strcasecmp(name, "algorithm"))
        auth->scheme = !strcasecmp(value, "SHA-256") ? GW_RTSP_SHA256
                       : !strcasecmp(value, "MD5")   ? GW_RTSP_MD5
                                                     : GW_RTSP_NO_LOGIN;
}

// Reads a scheme and its pairs at *at, which moves behind them and is not at its end.
static struct gw_rtsp_auth next_challenge(const char **at)
{
    struct gw_rtsp_auth auth = {0};
    char name[32], value[256];

    const size_t length = strcspn(*at, "= \t,");
    const bool digest = length == 6 && !strncasecmp(*at, "Digest", 6);
    if (digest)
        auth.scheme = GW_RTSP_MD5;
    else if (length == 5 && !strncasecmp(*at, "Basic", 5))
        auth.scheme = GW_RTSP_BASIC;
    *at += length ? length : 1;
    while (next_pair(at, name, sizeof(name), value, sizeof(value)))
        if (digest)
            take_digest_pair(&auth, name, value);
    return auth;
}

static void draw_client_nonce(char ret[17])
{
    uint8_t bytes[8];
    // Without randomness a login can at worst be replayed against the same nonce.
    if (gnutls_rnd(GNUTLS_RND_NONCE, bytes, sizeof(bytes)) < 0)
        memset(bytes, 0x5a, sizeof(bytes));
    for (int i = 0; i < 8; i++)
        snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

bool gw_rtsp_auth_challenge(struct gw_rtsp_auth *auth, const struct gw_rtsp_message *answer)
{
    struct gw_rtsp_auth best = {0};
    char text[1024];

    for (int n = 0; n < MOST_CHALLENGES; n++) {
        if (!gw_rtsp_message_header(answer, "WWW-Authenticate", n, text, sizeof(text)))
            break;
        for (const char *at = text; *at;) { // one header may hold several (RFC 9110, 11.6.1)
            struct gw_rtsp_auth offered = next_challenge(&at);
            if (offered.scheme > best.scheme)
                best = offered;
        }
    }
    *auth = best;
    draw_client_nonce(auth->client);
    return auth->scheme != GW_RTSP_NO_LOGIN;
}

// --- answers -------------------------------------------------------------------------------------

// The hash of the parts, in hexadecimal digits.
static int hash(enum gw_rtsp_scheme scheme, char ret[HASH_TEXT_SIZE], const char *const *parts)
{
    const gnutls_digest_algorithm_t algorithm =
        scheme == GW_RTSP_SHA256 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_MD5;
    uint8_t digest[32];
    gnutls_hash_hd_t state;

    // MD5 is what cameras speak; it protects no more than they do.
    GNUTLS_FIPS140_SET_LAX_MODE();
    if (gnutls_hash_init(&state, algorithm) < 0)
        return GW_ERROR_INVALID;
    for (int i = 0; parts[i]; i++)
        gnutls_hash(state, parts[i], strlen(parts[i]));
    gnutls_hash_deinit(state, digest);
    for (unsigned i = 0; i < gnutls_hash_get_len(algorithm); i++)
        snprintf(ret + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

static int compute_response(const struct gw_rtsp_auth *auth, const char *username,
                            const char *password, const char *method, const char *uri,
                            const char *count, char ret[HASH_TEXT_SIZE])
{
    char a1[HASH_TEXT_SIZE], a2[HASH_TEXT_SIZE];
    const char *who[] = {username, ":", auth->realm, ":", password, NULL};
    const char *what[] = {method, ":", uri, NULL};
    const char *plain[] = {a1, ":", auth->nonce, ":", a2, NULL};
    const char *with_qop[] = {a1,           ":", auth->nonce, ":", count, ":",
                              auth->client, ":", "auth",      ":", a2,    NULL};
    int error = hash(auth->scheme, a1, who);
    if (!error)
        error = hash(auth->scheme, a2, what);
    if (!error)
        error = hash(auth->scheme, ret, auth->qop ? with_qop : plain);
    explicit_bzero(a1, sizeof(a1));
    return error;
}

// Appends to text of size GW_RTSP_LOGIN_SIZE. Returns false when it is full.
static bool append(char *text, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(text + used, GW_RTSP_LOGIN_SIZE - used, format, arguments);
    va_end(arguments);
    return written >= 0 && (size_t)written < GW_RTSP_LOGIN_SIZE - used;
}

static int write_digest(struct gw_rtsp_auth *auth, const char *username, const char *password,
                        const char *method, const char *uri, char *ret)
{
    char count[16], response[HASH_TEXT_SIZE], user[2 * GW_USERNAME_SIZE];

    snprintf(count, sizeof(count), "%08x", ++auth->count);
    copy_escaped(user, sizeof(user), username);
    int error = compute_response(auth, username, password, method, uri, count, response);
    if (error < 0)
        return error;
    bool fits = append(ret,
                       "Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", "
                       "uri=\"%s\", response=\"%s\"",
                       user, auth->realm, auth->nonce, uri, response);
    if (*auth->opaque)
        fits = fits && append(ret, ", opaque=\"%s\"", auth->opaque);
    if (auth->scheme == GW_RTSP_SHA256)
        fits = fits && append(ret, ", algorithm=SHA-256");
    if (auth->qop)
        fits = fits && append(ret, ", qop=auth, nc=%s, cnonce=\"%s\"", count, auth->client);
    return fits && append(ret, "\r\n") ? 0 : GW_ERROR_INVALID;
}

static int write_basic(const char *username, const char *password, char *ret)
{
    char both[GW_USERNAME_SIZE + GW_PASSWORD_SIZE + 2];
    char text[AV_BASE64_SIZE(sizeof(both))];

    int length = snprintf(both, sizeof(both), "%s:%s", username, password);
    bool fits = length >= 0 && (size_t)length < sizeof(both) &&
                av_base64_encode(text, sizeof(text), (const uint8_t *)both, length) &&
                append(ret, "Authorization: Basic %s\r\n", text);
    explicit_bzero(both, sizeof(both));
    explicit_bzero(text, sizeof(text));
    return fits ? 0 : GW_ERROR_INVALID;
}

int gw_rtsp_auth_write(struct gw_rtsp_auth *auth, const char *username, const char *password,
                       const char *method, const char *uri, char ret[GW_RTSP_LOGIN_SIZE])
{
    *ret = 0;
    switch (auth->scheme) {
    case GW_RTSP_NO_LOGIN: break;
    case GW_RTSP_BASIC: return write_basic(username, password, ret);
    case GW_RTSP_MD5:
    case GW_RTSP_SHA256: return write_digest(auth, username, password, method, uri, ret);
    }
    return 0;
}
