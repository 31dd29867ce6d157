// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A joined file that nobody wrote: which bytes it has, and where they are taken from.
//
//   clip_join.h, in a sandboxed process -> [media_plan] -> an HTTP answer, an exported file
//
// Its size and bytes never change, also while a clip of it grows. When a clip's file is removed,
// reading it fails. A plan is shared by reference and never changed; a reader belongs to one thread
// at a time.
#pragma once

#include <sys/types.h>

#include "storage/clip_join.h"

#define GW_MEDIA_TAG_SIZE 36 // 32 digits in quotes: an ETag

struct gw_media_plan {
    int64_t size;         // bytes of the whole
    int64_t memory_bytes; // it takes up so many
    int64_t frames;
    int64_t from_us, to_us;      // UTC of its first picture, and of the end of its last
    char tag[GW_MEDIA_TAG_SIZE]; // the same for the same bytes
    int64_t unreadable;          // clips that were passed over
    const struct gw_media_piece *pieces;
    int64_t piece_count;
    const struct gw_clip *clips; // of the request
    int64_t clip_count;
};

// Checks the result of a join and takes it over, with made_fd; both are gone in every case. Copies
// the rest. Returns 0, -errno, or GW_ERROR_INVALID when it does not fit what is on the disk.
int gw_media_plan_create(struct gw_media_plan **ret, const char *store,
                         const struct gw_join_request *request, struct gw_join *join, int made_fd);
struct gw_media_plan *gw_media_plan_ref(struct gw_media_plan *plan);
// Accepts NULL inside. Sets *plan to NULL.
void gw_media_plan_unref(struct gw_media_plan **plan);

struct gw_media_reader;

// Has a reference of its own. Returns 0 or -ENOMEM.
int gw_media_reader_create(struct gw_media_reader **ret, struct gw_media_plan *plan);
void gw_media_reader_destroy(struct gw_media_reader **reader);

// Up to size bytes from position on. Returns how many, 0 at the end, -errno; -ENODATA when a file
// has become shorter.
ssize_t gw_media_read(struct gw_media_reader *reader, int64_t position, void *bytes, size_t size);
