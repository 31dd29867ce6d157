// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/credentials.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/error.h"
#include "storage/key_file.h"

enum {
    VERSION = 1, // of a sealed row: version, nonce, box
    KEY_SIZE = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};

struct secret {
    char username[GW_USERNAME_SIZE], password[GW_PASSWORD_SIZE]; // padded with zeros
};
static_assert(GW_SEALED_SIZE == 1 + NONCE_SIZE + sizeof(struct secret) + TAG_SIZE,
              "as the header says");

struct gw_credentials {
    char store[PATH_MAX], path[PATH_MAX];
    bool loaded;
    uint8_t key[KEY_SIZE];
    char error[GW_CREDENTIALS_ERROR_SIZE];
};

#define KEY_FILE "registry.key"
#define REMEDY   "put the right one back, or import the camera sheet with its passwords again"

void gw_credentials_create(struct gw_credentials **ret, const char *store)
{
    struct gw_credentials *credentials = calloc(1, sizeof(*credentials));

    if (!credentials || sodium_init() < 0)
        abort();
    snprintf(credentials->store, sizeof(credentials->store), "%s", store);
    snprintf(credentials->path, sizeof(credentials->path), "%s/" KEY_FILE, store);
    *ret = credentials;
}

void gw_credentials_destroy(struct gw_credentials **credentials)
{
    if (*credentials)
        sodium_memzero(*credentials, sizeof(**credentials));
    free(*credentials);
    *credentials = NULL;
}

const char *gw_credentials_error(const struct gw_credentials *credentials)
{
    return credentials->error;
}

static int fail(struct gw_credentials *credentials, int error, const char *what)
{
    snprintf(credentials->error, sizeof(credentials->error), "the registry's key %.90s %s",
             credentials->path, what);
    return error;
}

// --- the key file --------------------------------------------------------------------------------

static int fail_to_read(struct gw_credentials *credentials, int error)
{
    char what[120];

    if (error == -ENOENT)
        return fail(credentials, error, "is not there; " REMEDY);
    snprintf(what, sizeof(what), "cannot be read: %.90s", gw_strerror(error));
    return fail(credentials, error, what);
}

static int load(struct gw_credentials *credentials)
{
    uint8_t key[KEY_SIZE + 1]; // one more shows that it is too long
    int fd = open(credentials->path, O_RDONLY | O_CLOEXEC);

    credentials->loaded = false;
    if (fd < 0)
        return fail_to_read(credentials, -errno);
    const ssize_t size = read(fd, key, sizeof(key));
    const int error = size < 0 ? -errno : 0;
    close(fd);
    if (error)
        return fail_to_read(credentials, error);
    if (size != KEY_SIZE)
        return fail(credentials, GW_ERROR_INVALID, "is no key of 32 bytes; " REMEDY);
    memcpy(credentials->key, key, KEY_SIZE);
    sodium_memzero(key, sizeof(key));
    credentials->loaded = true;
    return 0;
}

static int make(struct gw_credentials *credentials)
{
    uint8_t key[KEY_SIZE];

    randombytes_buf(key, sizeof(key));
    const int error = gw_key_file_make(credentials->store, KEY_FILE, key, sizeof(key));
    sodium_memzero(key, sizeof(key));
    if (error) {
        char what[120];
        snprintf(what, sizeof(what), "cannot be made: %.90s", gw_strerror(error));
        return fail(credentials, error, what);
    }
    return load(credentials);
}

// --- sealing -------------------------------------------------------------------------------------

int gw_credentials_seal(struct gw_credentials *credentials, const struct gw_camera *camera,
                        uint8_t ret[GW_SEALED_SIZE])
{
    uint8_t *nonce = ret + 1, *box = nonce + NONCE_SIZE;
    struct secret secret = {0};
    unsigned long long size;
    // Read each time: whoever seals with a key that was replaced makes rows that nobody opens.
    int error = load(credentials);

    if (error == -ENOENT)
        error = make(credentials);
    if (error)
        return error;
    snprintf(secret.username, sizeof(secret.username), "%s", camera->username);
    snprintf(secret.password, sizeof(secret.password), "%s", camera->password);
    ret[0] = VERSION;
    randombytes_buf(nonce, NONCE_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(box, &size, (const uint8_t *)&secret, sizeof(secret),
                                               (const uint8_t *)camera->id, strlen(camera->id),
                                               NULL, nonce, credentials->key);
    sodium_memzero(&secret, sizeof(secret));
    credentials->error[0] = 0;
    return 0;
}

static bool try_open(const struct gw_credentials *credentials, const uint8_t *sealed,
                     struct gw_camera *camera)
{
    const uint8_t *nonce = sealed + 1, *box = nonce + NONCE_SIZE;
    struct secret secret;

    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            (uint8_t *)&secret, NULL, NULL, box, sizeof(secret) + TAG_SIZE,
            (const uint8_t *)camera->id, strlen(camera->id), nonce, credentials->key) < 0)
        return false;
    memcpy(camera->username, secret.username, sizeof(camera->username));
    memcpy(camera->password, secret.password, sizeof(camera->password));
    camera->username[GW_USERNAME_SIZE - 1] = camera->password[GW_PASSWORD_SIZE - 1] = 0;
    sodium_memzero(&secret, sizeof(secret));
    return true;
}

int gw_credentials_open(struct gw_credentials *credentials, const void *sealed, size_t size,
                        struct gw_camera *camera)
{
    const bool fits = size == GW_SEALED_SIZE && *(const uint8_t *)sealed == VERSION;
    int error = 0;

    camera->username[0] = camera->password[0] = 0;
    credentials->error[0] = 0;
    if (fits && credentials->loaded && try_open(credentials, sealed, camera))
        return 0;
    error = load(credentials); // it may have been made, or put back
    if (error)
        return error;
    if (fits && try_open(credentials, sealed, camera))
        return 0;
    return fail(credentials, GW_ERROR_INVALID,
                "is not the one that the cameras' passwords were sealed with; " REMEDY);
}
