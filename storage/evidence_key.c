// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/evidence_key.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/error.h"
#include "storage/key_file.h"

#define HEAD      "gridwatch-evidence-key 1\n" // of the file; then the seed in digits, and a line's end
#define SEED_TEXT (crypto_sign_SEEDBYTES * 2)
#define FILE_SIZE (sizeof(HEAD) - 1 + SEED_TEXT + 1)

static int parse(struct gw_evidence_key *ret, const char text[FILE_SIZE + 1])
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    size_t length = 0;
    if (strncmp(text, HEAD, sizeof(HEAD) - 1) != 0 ||
        sodium_hex2bin(seed, sizeof(seed), text + sizeof(HEAD) - 1, SEED_TEXT, NULL, &length,
                       NULL) != 0 ||
        length != sizeof(seed))
        return GW_ERROR_INVALID;
    crypto_sign_seed_keypair(ret->public_half, ret->secret, seed);
    sodium_memzero(seed, sizeof(seed));
    return 0;
}

static int read_key(struct gw_evidence_key *ret, const char *path)
{
    char text[FILE_SIZE + 1] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    ssize_t got = read(fd, text, FILE_SIZE);
    int result = got < 0 ? -errno : parse(ret, text);
    close(fd);
    sodium_memzero(text, sizeof(text));
    return result;
}

static int make_key(const char *store)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    char text[FILE_SIZE + 1] = HEAD;
    randombytes_buf(seed, sizeof(seed));
    sodium_bin2hex(text + sizeof(HEAD) - 1, SEED_TEXT + 1, seed, sizeof(seed));
    text[FILE_SIZE - 1] = '\n';
    const int result = gw_key_file_make(store, GW_EVIDENCE_KEY_FILE, text, FILE_SIZE);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(text, sizeof(text));
    return result;
}

int gw_evidence_key_load(struct gw_evidence_key *ret, const char *store)
{
    char path[PATH_MAX];
    if (sodium_init() < 0)
        return -EIO;
    if (snprintf(path, sizeof(path), "%s/" GW_EVIDENCE_KEY_FILE, store) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int result = read_key(ret, path);
    if (result != -ENOENT)
        return result;
    result = make_key(store);
    return result ? result : read_key(ret, path);
}

void gw_evidence_key_finish(struct gw_evidence_key *key)
{
    sodium_memzero(key, sizeof(*key));
}

char *gw_evidence_key_format(char buffer[GW_EVIDENCE_KEY_TEXT_SIZE],
                             const uint8_t public_half[GW_EVIDENCE_PUBLIC_SIZE])
{
    return sodium_bin2hex(buffer, GW_EVIDENCE_KEY_TEXT_SIZE, public_half, GW_EVIDENCE_PUBLIC_SIZE);
}

// SubjectPublicKeyInfo of Ed25519 is always these bytes and the key.
static const uint8_t info_prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
#define INFO_SIZE (sizeof(info_prefix) + GW_EVIDENCE_PUBLIC_SIZE)
#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----"
#define PEM_END   "-----END PUBLIC KEY-----"

static bool parse_pem(const char *text, uint8_t ret[GW_EVIDENCE_PUBLIC_SIZE])
{
    uint8_t info[INFO_SIZE];
    size_t length;
    const char *end = strstr(text, PEM_END);
    if (!end ||
        sodium_base642bin(info, sizeof(info), text, (size_t)(end - text), "\r\n", &length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        length != sizeof(info) || memcmp(info, info_prefix, sizeof(info_prefix)) != 0)
        return false;
    memcpy(ret, info + sizeof(info_prefix), GW_EVIDENCE_PUBLIC_SIZE);
    return true;
}

bool gw_evidence_key_parse(const char *text, uint8_t ret[GW_EVIDENCE_PUBLIC_SIZE])
{
    size_t length;
    const char *end;
    while (isspace((unsigned char)*text))
        text++;
    if (!strncmp(text, PEM_BEGIN, strlen(PEM_BEGIN)))
        return parse_pem(text + strlen(PEM_BEGIN), ret);
    if (sodium_hex2bin(ret, GW_EVIDENCE_PUBLIC_SIZE, text, strlen(text), NULL, &length, &end) != 0)
        return false;
    return length == GW_EVIDENCE_PUBLIC_SIZE && end[strspn(end, " \t\r\n")] == 0;
}

char *gw_evidence_key_to_pem(char buffer[GW_EVIDENCE_PEM_SIZE],
                             const uint8_t public_half[GW_EVIDENCE_PUBLIC_SIZE])
{
    uint8_t info[INFO_SIZE];
    char text[sodium_base64_ENCODED_LEN(INFO_SIZE, sodium_base64_VARIANT_ORIGINAL)];
    memcpy(info, info_prefix, sizeof(info_prefix));
    memcpy(info + sizeof(info_prefix), public_half, GW_EVIDENCE_PUBLIC_SIZE);
    sodium_bin2base64(text, sizeof(text), info, sizeof(info), sodium_base64_VARIANT_ORIGINAL);
    snprintf(buffer, GW_EVIDENCE_PEM_SIZE, PEM_BEGIN "\n%s\n" PEM_END "\n", text);
    return buffer;
}
