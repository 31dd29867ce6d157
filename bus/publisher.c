// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "bus/publisher.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

#include "core/error.h"

enum { QUEUE_LENGTH = 10000, LARGEST_THUMBNAIL = 256 * 1024, LINGER_MS = 200 };

struct gw_publisher {
    void *socket;
    char endpoint[160];
    char source[64];
    uint64_t epoch;
    char store[PATH_MAX];
    struct gw_publisher_counters counters;
};

static void set_option(void *socket, int option, int value)
{
    int error = zmq_setsockopt(socket, option, &value, sizeof(value));
    assert(!error); // only our own constants come here
    (void)error;
}

int gw_publisher_create(struct gw_publisher **ret, const struct gw_publisher_config *config)
{
    struct gw_publisher *publisher = calloc(1, sizeof(*publisher));
    size_t size = sizeof(publisher->endpoint);

    if (!publisher)
        return -ENOMEM;
    publisher->epoch = config->epoch;
    snprintf(publisher->source, sizeof(publisher->source), "%s", config->source);
    snprintf(publisher->store, sizeof(publisher->store), "%s", config->store);
    publisher->socket = zmq_socket(config->zmq, ZMQ_XPUB);
    if (!publisher->socket) {
        free(publisher);
        return -zmq_errno();
    }
    set_option(publisher->socket, ZMQ_SNDHWM,
               config->queue_length ? config->queue_length : QUEUE_LENGTH);
    // At shutdown the last facts get this long to leave; a subscriber that is stuck does not hold
    // us.
    set_option(publisher->socket, ZMQ_LINGER, LINGER_MS);
    if (zmq_bind(publisher->socket, config->endpoint) < 0) {
        int error = -zmq_errno();
        gw_publisher_destroy(&publisher);
        return error;
    }
    zmq_getsockopt(publisher->socket, ZMQ_LAST_ENDPOINT, publisher->endpoint, &size);
    *ret = publisher;
    return 0;
}

void gw_publisher_destroy(struct gw_publisher **publisher)
{
    if (!*publisher)
        return;
    zmq_close((*publisher)->socket);
    free(*publisher);
    *publisher = NULL;
}

const char *gw_publisher_endpoint(const struct gw_publisher *publisher)
{
    return publisher->endpoint;
}

void *gw_publisher_socket(struct gw_publisher *publisher)
{
    return publisher->socket;
}

// An XPUB socket receives what subscribers ask for: 1 and a prefix, or 0 and a prefix.
void gw_publisher_read(struct gw_publisher *publisher)
{
    zmq_msg_t message;

    zmq_msg_init(&message);
    while (zmq_msg_recv(&message, publisher->socket, ZMQ_DONTWAIT) >= 0)
        if (zmq_msg_size(&message) && *(const uint8_t *)zmq_msg_data(&message) == 1)
            publisher->counters.subscriptions++;
    zmq_msg_close(&message);
}

static int send_frame(void *socket, const void *bytes, size_t size, bool more)
{
    return zmq_send(socket, bytes, size, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0 ? -zmq_errno()
                                                                                      : 0;
}

// The thumbnail's bytes, to free(); NULL when the fact has none, or its file is gone or
// unreasonable.
static uint8_t *read_thumbnail(const struct gw_publisher *publisher, const char *path,
                               size_t *ret_size)
{
    char full[PATH_MAX + 256];
    struct stat status;
    uint8_t *bytes = NULL;

    if (!*path)
        return NULL;
    snprintf(full, sizeof(full), "%s/%s", publisher->store, path);
    int file = open(full, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return NULL;
    if (fstat(file, &status) == 0 && status.st_size > 0 && status.st_size <= LARGEST_THUMBNAIL)
        bytes = malloc((size_t)status.st_size);
    if (bytes && read(file, bytes, (size_t)status.st_size) != status.st_size) {
        free(bytes);
        bytes = NULL;
    }
    close(file);
    *ret_size = (size_t)status.st_size;
    return bytes;
}

static int send_message(struct gw_publisher *publisher, const char *topic, uint64_t seq,
                        const char *json, const uint8_t *thumbnail, size_t thumbnail_size)
{
    const struct gw_wire_stamp stamp = {.epoch = publisher->epoch, .seq = seq};
    uint8_t packed[GW_WIRE_STAMP_SIZE];

    gw_wire_pack_stamp(&stamp, packed);
    int error = send_frame(publisher->socket, topic, strlen(topic), true);
    if (!error)
        error = send_frame(publisher->socket, packed, sizeof(packed), true);
    if (!error)
        error = send_frame(publisher->socket, json, strlen(json), thumbnail != NULL);
    if (!error && thumbnail)
        error = send_frame(publisher->socket, thumbnail, thumbnail_size, false);
    return error;
}

int gw_publisher_send(struct gw_publisher *publisher, const struct gw_committed_fact *fact)
{
    size_t thumbnail_size = 0;
    char *json = gw_wire_envelope(publisher->epoch, fact, publisher->source);
    if (!json)
        return GW_ERROR_INVALID;
    uint8_t *thumbnail = read_thumbnail(publisher, fact->thumbnail, &thumbnail_size);
    int error = send_message(publisher, fact->topic, fact->seq, json, thumbnail, thumbnail_size);
    free(thumbnail);
    free(json);
    publisher->counters.published += !error;
    return error;
}

int gw_publisher_heartbeat(struct gw_publisher *publisher, uint64_t head, int64_t wall_us)
{
    const struct gw_wire_stamp stamp = {.epoch = publisher->epoch, .seq = head};
    char *json = gw_wire_heartbeat(&stamp, wall_us, publisher->source);
    if (!json)
        return -ENOMEM;
    int error = send_message(publisher, GW_WIRE_HEARTBEAT_TOPIC, head, json, NULL, 0);
    free(json);
    publisher->counters.heartbeats += !error;
    return error;
}

void gw_publisher_count(const struct gw_publisher *publisher, struct gw_publisher_counters *ret)
{
    *ret = publisher->counters;
}
