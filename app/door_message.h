// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a worker and the hub's door say to each other: one struct per message, over a pair of
// SOCK_SEQPACKET sockets; descriptors travel with the answers. Both ends are the same program.
// Private to door.c, door_client.c and their tests.
#pragma once

#include <stdint.h>

#include "core/camera.h"
#include "core/url.h"

enum gw_door_kind { GW_DOOR_CONNECT = 1, GW_DOOR_OPEN_UDP, GW_DOOR_AIM_UDP };
enum gw_door_stream { GW_DOOR_RECORD, GW_DOOR_DETECT, GW_DOOR_STREAM_COUNT };

struct gw_door_request {
    uint32_t ticket; // comes back with the answer
    uint8_t kind, stream;
    uint16_t local_port; // aim: what the pair's opening gave
    uint16_t ports[2];   // connect: the first; aim: both, of the camera
    char camera[GW_CAMERA_ID_SIZE];
    char host[GW_URL_HOST_SIZE]; // connect; without brackets
};

struct gw_door_answer {
    uint32_t ticket;
    int32_t error;       // 0: connect comes with one descriptor, open with two, aim with none
    uint16_t local_port; // open: the even one
};
