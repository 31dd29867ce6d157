// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/link.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <zmq.h>

#include "core/clock.h"
#include "core/error.h"

enum {
    UPDATES_DROPPED_FROM = 32768, // facts
    WINDOW = 256,                 // facts sent and not yet acked
};
#define RESEND_US (2 * GW_SECOND)

struct gw_link {
    void *zmq, *socket;
    struct gw_id boot;
    char worker[32];

    pthread_mutex_t lock; // guards the queue
    int wake_fd;          // readable: a fact was posted
    // facts[first .. first + count) are unacked; the i-th of them has number first_seq + i.
    struct gw_fact *facts;
    size_t first, count, room;
    uint64_t first_seq;
    size_t sent;         // of them, sent since the last resend
    int64_t progress_us; // mono, when the hub last acked or nothing was in flight
};

int gw_link_create(struct gw_link **ret, const char *endpoint, const char *worker)
{
    struct gw_link *link = calloc(1, sizeof(*link));
    int linger = 0;

    if (!link)
        return -ENOMEM;
    link->boot = gw_id_make(gw_wall_us());
    snprintf(link->worker, sizeof(link->worker), "%s", worker);
    link->first_seq = 1;
    link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&link->lock, NULL);
    link->zmq = zmq_ctx_new();
    link->socket = zmq_socket(link->zmq, ZMQ_DEALER);
    assert(link->wake_fd >= 0 && link->socket);
    zmq_setsockopt(link->socket, ZMQ_ROUTING_ID, link->boot.bytes, sizeof(link->boot.bytes));
    zmq_setsockopt(link->socket, ZMQ_LINGER, &linger, sizeof(linger));
    if (zmq_connect(link->socket, endpoint) < 0) {
        int error = -zmq_errno();
        gw_link_destroy(&link);
        return error;
    }
    gw_protocol_send(link->socket, NULL, gw_protocol_hello(&link->boot, link->worker));
    *ret = link;
    return 0;
}

void gw_link_destroy(struct gw_link **link)
{
    if (!*link)
        return;
    zmq_close((*link)->socket);
    zmq_ctx_term((*link)->zmq);
    close((*link)->wake_fd);
    pthread_mutex_destroy(&(*link)->lock);
    free((*link)->facts);
    free(*link);
    *link = NULL;
}

// Makes room for one more at the end. Called with the lock held.
static void make_room(struct gw_link *link)
{
    if (link->first + link->count < link->room)
        return;
    if (link->first > link->room / 2) {
        memmove(link->facts, link->facts + link->first, link->count * sizeof(*link->facts));
    } else {
        size_t room = link->room ? 2 * link->room : 64;
        struct gw_fact *facts = malloc(room * sizeof(*facts));
        if (!facts)
            abort(); // a fact that cannot be kept must not be lost silently
        if (link->count)
            memcpy(facts, link->facts + link->first, link->count * sizeof(*facts));
        free(link->facts);
        link->facts = facts;
        link->room = room;
    }
    link->first = 0;
}

void gw_link_post(struct gw_link *link, const struct gw_fact *fact)
{
    uint64_t one = 1;

    pthread_mutex_lock(&link->lock);
    if (fact->kind != GW_FACT_EVENT_UPDATED || link->count < UPDATES_DROPPED_FROM) {
        make_room(link);
        link->facts[link->first + link->count++] = *fact;
    }
    pthread_mutex_unlock(&link->lock);
    // Cannot fail but for a counter near 2^64.
    if (write(link->wake_fd, &one, sizeof(one)) < 0)
        assert(errno == EAGAIN);
}

// Sends what the window allows; after RESEND_US without an ack, begins again at the first unacked.
static void send_facts(struct gw_link *link)
{
    int64_t now = gw_mono_us();

    pthread_mutex_lock(&link->lock);
    if (!link->sent)
        link->progress_us = now;
    else if (now - link->progress_us > RESEND_US) {
        link->sent = 0;
        link->progress_us = now;
    }
    while (link->sent < link->count && link->sent < WINDOW) {
        json_t *message =
            gw_protocol_fact(link->first_seq + link->sent, &link->facts[link->first + link->sent]);
        if (gw_protocol_send(link->socket, NULL, message) < 0)
            break;
        link->sent++;
    }
    pthread_mutex_unlock(&link->lock);
}

static void take_ack(struct gw_link *link, uint64_t seq)
{
    pthread_mutex_lock(&link->lock);
    if (seq >= link->first_seq && seq < link->first_seq + link->count) {
        size_t acked = (size_t)(seq - link->first_seq + 1);
        link->first += acked;
        link->count -= acked;
        link->first_seq += acked;
        link->sent = link->sent > acked ? link->sent - acked : 0;
        link->progress_us = gw_mono_us();
    }
    pthread_mutex_unlock(&link->lock);
}

// Hands out the next message that is not an ack.
static int receive(struct gw_link *link, json_t **ret_message)
{
    json_t *message;
    int got;

    while ((got = gw_protocol_receive(link->socket, NULL, &message)) != 0) {
        uint64_t seq;
        if (got < 0)
            continue;
        if (strcmp(gw_protocol_type(message), "ack")) {
            *ret_message = message;
            return 1;
        }
        if (gw_protocol_read_ack(message, &seq) == 0)
            take_ack(link, seq);
        json_decref(message);
    }
    return 0;
}

int gw_link_step(struct gw_link *link, int64_t timeout_us, json_t **ret_message)
{
    zmq_pollitem_t items[] = {{.socket = link->socket, .events = ZMQ_POLLIN},
                              {.fd = link->wake_fd, .events = ZMQ_POLLIN}};
    uint64_t posted;

    send_facts(link);
    if (receive(link, ret_message))
        return 1;
    zmq_poll(items, 2, (long)(timeout_us / 1000));
    if (read(link->wake_fd, &posted, sizeof(posted)) < 0)
        assert(errno == EAGAIN);
    send_facts(link);
    return receive(link, ret_message);
}

void gw_link_send_status(struct gw_link *link, const struct gw_camera_metrics *metrics, int count)
{
    // Lost when the hub is away; the next one says the same.
    gw_protocol_send(link->socket, NULL, gw_protocol_status(metrics, count));
}

void gw_link_send_covered(struct gw_link *link, const struct gw_coverage_stamp *stamps, int count)
{
    gw_protocol_send(link->socket, NULL, gw_protocol_covered(stamps, count));
}

bool gw_link_drained(struct gw_link *link)
{
    pthread_mutex_lock(&link->lock);
    bool drained = link->count == 0;
    pthread_mutex_unlock(&link->lock);
    return drained;
}
