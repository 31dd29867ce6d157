// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// User names and passwords of cameras, sealed for the index with a key that lies beside it.
//
//   index_registry.c -> [credentials] -> STORE/registry.key
//
// XChaCha20-Poly1305 of libsodium with a random nonce; the camera's id is authenticated with it, so
// that nobody can put one camera's credentials into another's row. All are sealed to one length.
// The key file holds 32 random bytes, is readable by its owner only, and is made when the first
// credentials are sealed. It is read when it is first needed, and again when it does not fit.
// One thread at a time; any number of processes.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/camera.h"

struct gw_credentials;

#define GW_SEALED_SIZE (1 + 24 + GW_USERNAME_SIZE + GW_PASSWORD_SIZE + 16)

#define GW_CREDENTIALS_ERROR_SIZE 256

// Touches no file.
void gw_credentials_create(struct gw_credentials **ret, const char *store);
// Accepts NULL. Wipes the key. Sets *credentials to NULL.
void gw_credentials_destroy(struct gw_credentials **credentials);

// Seals a camera's user name and password. Makes the key file when there is none; one that is there
// is never changed. Returns 0, or an error with a line for people in gw_credentials_error().
int gw_credentials_seal(struct gw_credentials *credentials, const struct gw_camera *camera,
                        uint8_t ret[GW_SEALED_SIZE]);

// The reverse, by the camera's id. Returns 0; GW_ERROR_INVALID when the key is not the one that
// sealed them, or -errno when it cannot be read, both with the outputs empty and a line as above.
int gw_credentials_open(struct gw_credentials *credentials, const void *sealed, size_t size,
                        struct gw_camera *camera);

// What went wrong last: names the key file and says what to do. "" when nothing did.
const char *gw_credentials_error(const struct gw_credentials *credentials);
