// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A bus on made-up facts: prints its endpoint, then publishes a fact every 100 ms, in turn for
// two townships, until it is killed. For the test of the subscriber in docs/ref/bus.md.

#include <stdio.h>
#include <unistd.h>

#include <zmq.h>

#include "bus/publisher.h"
#include "core/clock.h"
#include "core/error.h"

static const char *const topics[] = {"alert/640323101004/gate-07", "event/640323101004/gate-07",
                                     "alert/999999/elsewhere"};
static const char *const kinds[] = {"alert.raised", "event.updated", "alert.raised"};

int main(void)
{
    struct gw_publisher *publisher;
    struct gw_publisher_config config = {.zmq = zmq_ctx_new(),
                                         .endpoint = "tcp://127.0.0.1:*",
                                         .source = "/gridwatch/640323",
                                         .epoch = 1,
                                         .store = "/nonexistent"};
    int error = gw_publisher_create(&publisher, &config);

    if (error) {
        fprintf(stderr, "bus_host: %s\n", gw_strerror(error));
        return GW_EXIT_FAILED;
    }
    puts(gw_publisher_endpoint(publisher));
    fflush(stdout);
    for (uint64_t seq = 1;; seq++) {
        struct gw_committed_fact fact = {.seq = seq,
                                         .wall_us = gw_wall_us(),
                                         .kind = kinds[seq % 3],
                                         .topic = topics[seq % 3],
                                         .camera = "gate-07",
                                         .data = "{\"start\": \"2026-05-04T03:02:01.120000Z\"}",
                                         .thumbnail = ""};
        gw_publisher_send(publisher, &fact);
        gw_publisher_heartbeat(publisher, seq, gw_wall_us());
        usleep(100000);
    }
}
