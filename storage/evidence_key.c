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

#define HEAD      "gridwatch-evidence-key 1\n" // of the file; then the seed in digits, and a line's end
#define SEED_TEXT (crypto_sign_SEEDBYTES * 2)
#define FILE_SIZE (sizeof(HEAD) - 1 + SEED_TEXT + 1)

static int join(char path[PATH_MAX], const char *store, const char *suffix)
{
    int length = snprintf(path, PATH_MAX, "%s/" GW_EVIDENCE_KEY_FILE "%s", store, suffix);
    return length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

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

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return result;
}

// When root makes it, it goes to the store's owner, as all in it.
static int write_seed(int fd, const char *store)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    char text[FILE_SIZE + 1] = HEAD;
    struct stat owner;
    randombytes_buf(seed, sizeof(seed));
    sodium_bin2hex(text + sizeof(HEAD) - 1, SEED_TEXT + 1, seed, sizeof(seed));
    strcat(text, "\n");
    ssize_t put = write(fd, text, FILE_SIZE);
    int result = put < 0 ? -errno : put < (ssize_t)FILE_SIZE ? -ENOSPC : 0;
    if (!result && geteuid() == 0 && stat(store, &owner) == 0 &&
        fchown(fd, owner.st_uid, owner.st_gid) < 0)
        result = -errno;
    if (!result && fsync(fd) < 0)
        result = -errno;
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(text, sizeof(text));
    return result;
}

// A link, not a rename: whoever was first keeps its key.
static int make_key(const char *store, const char *path)
{
    char temporary[PATH_MAX];
    int result = join(temporary, store, ".XXXXXX");
    if (result < 0)
        return result;
    int fd = mkostemp(temporary, O_CLOEXEC); // mode 0600
    if (fd < 0)
        return -errno;
    result = write_seed(fd, store);
    if (close(fd) < 0 && !result)
        result = -errno;
    if (!result && link(temporary, path) < 0 && errno != EEXIST)
        result = -errno;
    unlink(temporary);
    return result ? result : sync_folder(store);
}

int gw_evidence_key_load(struct gw_evidence_key *ret, const char *store)
{
    char path[PATH_MAX];
    if (sodium_init() < 0)
        return -EIO;
    int result = join(path, store, "");
    if (!result)
        result = read_key(ret, path);
    if (result != -ENOENT)
        return result;
    result = make_key(store, path);
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
