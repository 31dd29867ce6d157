// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A film, packetised once: each picture is the run of interleaved RTP packets that a camera would
// send for it, ready to be sent to any number of clients.
//
//   elementary stream file -> [farm_film] -> camera_farm.c
//
// What differs between clients (channel, sequence number, time, source, the picture's number) is
// written into the packets just before they are sent. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// "$", channel, length; then an RTP header without extensions.
enum { FARM_FRAME_SIZE = 4, FARM_RTP_SIZE = 12, FARM_CLOCK = 90000, FARM_PAYLOAD_TYPE = 96 };
// Each picture begins with an SEI message (user data, unregistered) of this identifier, followed by
// the picture's number in 16 hexadecimal digits.
#define FARM_NUMBER_UUID "gridwatch-number"

struct farm_picture {
    uint8_t *bytes;
    size_t size;
    size_t *packets; // where each begins
    int packet_count;
    size_t number_at; // the 16 digits
    bool key;
};

struct farm_film {
    bool h265;
    struct farm_picture *pictures;
    int count;
    int *keys; // pictures that are keyframes
    int key_count;
    char media[4096]; // lines of the session description
};

// Reads an Annex B file of H.264 or (by the end of its name, .h265 or .hevc) H.265 without
// B-frames. Says on stderr what is wrong and returns false when it cannot be played.
bool farm_film_load(struct farm_film *film, const char *path);

// What one client's copy of a picture has of its own. seq is of the first packet.
struct farm_stamp {
    uint8_t channel;
    uint16_t seq;
    uint32_t time, ssrc;
    uint64_t number;
};
void farm_picture_stamp(struct farm_picture *picture, const struct farm_stamp *stamp);
