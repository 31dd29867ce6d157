// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "bus/subscriber.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "core/clock.h"
#include "core/error.h"

enum { TOPIC, STAMP, JSON, THUMBNAIL, FRAMES };

struct gw_subscriber {
    void *socket;
    zmq_msg_t frames[FRAMES]; // of the message handed out
    char *topic, *json;       // terminated copies of two of them
    uint64_t malformed;
};

int gw_subscriber_create(struct gw_subscriber **ret, void *zmq, const char *endpoint,
                         const char *const *prefixes, int prefix_count)
{
    struct gw_subscriber *subscriber = calloc(1, sizeof(*subscriber));
    int linger = 0;

    if (!subscriber)
        return -ENOMEM;
    for (int i = 0; i < FRAMES; i++)
        zmq_msg_init(&subscriber->frames[i]);
    subscriber->socket = zmq_socket(zmq, ZMQ_SUB);
    assert(subscriber->socket);
    zmq_setsockopt(subscriber->socket, ZMQ_LINGER, &linger, sizeof(linger));
    for (int i = 0; i < prefix_count; i++)
        zmq_setsockopt(subscriber->socket, ZMQ_SUBSCRIBE, prefixes[i], strlen(prefixes[i]));
    zmq_setsockopt(subscriber->socket, ZMQ_SUBSCRIBE, prefix_count ? GW_WIRE_HEARTBEAT_TOPIC : "",
                   prefix_count ? strlen(GW_WIRE_HEARTBEAT_TOPIC) : 0);
    if (zmq_connect(subscriber->socket, endpoint) < 0) {
        int error = -zmq_errno();
        gw_subscriber_destroy(&subscriber);
        return error;
    }
    *ret = subscriber;
    return 0;
}

void gw_subscriber_destroy(struct gw_subscriber **subscriber)
{
    struct gw_subscriber *s = *subscriber;
    if (!s)
        return;
    for (int i = 0; i < FRAMES; i++)
        zmq_msg_close(&s->frames[i]);
    zmq_close(s->socket);
    free(s->topic);
    free(s->json);
    free(s);
    *subscriber = NULL;
}

// Reads one whole message. Returns its number of frames, 0 when there is none; frames beyond the
// ones that we know are read and dropped.
static int receive_frames(struct gw_subscriber *subscriber)
{
    int count = 0;
    bool more = true;

    for (; more; count++) {
        zmq_msg_t extra, *frame = count < FRAMES ? &subscriber->frames[count] : &extra;
        if (frame == &extra)
            zmq_msg_init(&extra);
        // Only the first can be missing: a multipart message arrives whole.
        if (zmq_msg_recv(frame, subscriber->socket, ZMQ_DONTWAIT) < 0)
            return 0;
        more = zmq_msg_more(frame);
        if (frame == &extra)
            zmq_msg_close(&extra);
    }
    return count;
}

// A terminated copy in *text; false when the frame holds a NUL.
static bool copy_text(zmq_msg_t *frame, char **text)
{
    size_t size = zmq_msg_size(frame);
    free(*text);
    *text = malloc(size + 1);
    if (!*text)
        abort();
    memcpy(*text, zmq_msg_data(frame), size);
    (*text)[size] = 0;
    return strlen(*text) == size;
}

static bool parse(struct gw_subscriber *subscriber, int count, struct gw_bus_message *ret)
{
    zmq_msg_t *frames = subscriber->frames;

    if (count < THUMBNAIL || count > FRAMES ||
        gw_wire_parse_stamp(zmq_msg_data(&frames[STAMP]), zmq_msg_size(&frames[STAMP]),
                            &ret->stamp) < 0 ||
        !copy_text(&frames[TOPIC], &subscriber->topic) ||
        !copy_text(&frames[JSON], &subscriber->json))
        return false;
    ret->topic = subscriber->topic;
    ret->json = subscriber->json;
    ret->thumbnail = count == FRAMES ? zmq_msg_data(&frames[THUMBNAIL]) : NULL;
    ret->thumbnail_size = count == FRAMES ? zmq_msg_size(&frames[THUMBNAIL]) : 0;
    return true;
}

int gw_subscriber_receive(struct gw_subscriber *subscriber, int64_t timeout_us,
                          struct gw_bus_message *ret)
{
    int64_t deadline_us = gw_mono_us() + timeout_us;

    while (true) {
        zmq_pollitem_t item = {.socket = subscriber->socket, .events = ZMQ_POLLIN};
        int64_t left_us = deadline_us - gw_mono_us();
        if (zmq_poll(&item, 1, left_us > 0 ? (long)(left_us / 1000) + 1 : 0) < 0)
            return GW_ERROR_STOPPED;
        int count = receive_frames(subscriber);
        if (count && parse(subscriber, count, ret))
            return 1;
        subscriber->malformed += count > 0;
        if (!count && gw_mono_us() >= deadline_us)
            return 0;
    }
}

uint64_t gw_subscriber_malformed(const struct gw_subscriber *subscriber)
{
    return subscriber->malformed;
}
