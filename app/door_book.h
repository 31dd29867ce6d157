// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the door knows of each stream of a camera: whose it is, where it lives, where its last
// connection went, and how many sockets it may still ask for.
//
//   assignment.h -> [door_book] -> door.c
//
// Used with the door's lock held. Private to door.c. Times are mono.
#pragma once

#include "app/assignment.h"
#include "app/door_message.h"
#include "ingest/address.h"

struct gw_door_leaf {
    char home[GW_URL_HOST_SIZE]; // "" when the camera has no such stream
    bool connected;              // once, to the peer and from the local address below
    union gw_address peer, local;
    int pair[2]; // kept until it is aimed; -1
    uint16_t pair_port;
    int64_t pair_until_us;
    int64_t allowance_us; // a second per socket that it may still have
    int64_t counted_us;   // when the allowance was last worked out
};

struct gw_door_entry {
    char camera[GW_CAMERA_ID_SIZE];
    int worker;
    struct gw_door_leaf leaves[GW_DOOR_STREAM_COUNT];
};

// Begins zeroed.
struct gw_door_book {
    struct gw_door_entry *entries; // by camera id
    int count;
};

// Streams whose worker and host stay the same keep what is known of them.
void gw_door_book_assign(struct gw_door_book *book, const struct gw_assignment *assignment,
                         int64_t now_us);
void gw_door_book_finish(struct gw_door_book *book);

// The stream, if the camera has it and this worker has the camera; else NULL.
struct gw_door_leaf *gw_door_book_find(const struct gw_door_book *book, int worker,
                                       const char *camera, enum gw_door_stream stream);
// Takes one socket from what the stream may have: 24 at once, then one more each second, which is
// enough for a session with redirects and a change of transport at every reconnect, and too little
// for searching a network. Returns false when nothing is left.
bool gw_door_leaf_use_allowance(struct gw_door_leaf *leaf, int64_t now_us);

void gw_door_leaf_drop_pair(struct gw_door_leaf *leaf);
// Drops the pairs of all streams of a worker; and those that nobody aimed in time.
void gw_door_book_forget_worker(struct gw_door_book *book, int worker);
void gw_door_book_expire(struct gw_door_book *book, int64_t now_us);
