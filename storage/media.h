// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Small media files (snapshots, thumbnails): written whole or not at all.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Writes store/path by temporary file, fdatasync, rename, folder sync; makes the folders.
// A reader sees the old file or the new one. Returns 0 or -errno. Any thread.
// A writer that was killed leaves a "<path>.<pid>-<n>.part" behind, which nothing refers to.
int gw_media_write(const char *store, const char *path, const uint8_t *bytes, size_t size);

// Whether store/path is there. Any thread.
bool gw_media_exists(const char *store, const char *path);

// Makes the folders above store/path, durably. Returns 0 or -errno.
int gw_media_make_folders(const char *store, const char *path);

// Syncs the folder that holds store/path, so that its names survive a power cut. Returns 0 or
// -errno.
int gw_media_sync_folder(const char *store, const char *path);

// Bytes that the disk has room for, of snapshots and clips alike; UINT64_MAX when it does not say.
// Any thread.
uint64_t gw_media_room(const char *store);
