// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

#include "bus/publisher.h"
#include "bus/subscriber.h"
#include "core/clock.h"

// A publisher on a free port, with a store in a folder of its own.
struct bus {
    void *zmq;
    struct gw_publisher *publisher;
    char store[32];
};

static int set_up(void **state)
{
    static struct bus bus;
    strcpy(bus.store, "/tmp/test_bus_XXXXXX");
    assert_non_null(mkdtemp(bus.store));
    bus.zmq = zmq_ctx_new();
    struct gw_publisher_config config = {.zmq = bus.zmq,
                                         .endpoint = "tcp://127.0.0.1:*",
                                         .source = "/gridwatch/640323",
                                         .epoch = 9,
                                         .store = bus.store};
    assert_int_equal(gw_publisher_create(&bus.publisher, &config), 0);
    *state = &bus;
    return 0;
}

static int tear_down(void **state)
{
    struct bus *bus = *state;
    char path[64];
    gw_publisher_destroy(&bus->publisher);
    zmq_ctx_term(bus->zmq);
    snprintf(path, sizeof(path), "%s/a.jpg", bus->store);
    unlink(path);
    rmdir(bus->store);
    return 0;
}

static struct gw_subscriber *subscribe(struct bus *bus, const char *prefix)
{
    struct gw_subscriber *subscriber;
    struct gw_publisher_counters counters = {0};
    assert_int_equal(gw_subscriber_create(&subscriber, bus->zmq,
                                          gw_publisher_endpoint(bus->publisher), &prefix,
                                          prefix ? 1 : 0),
                     0);
    // Its own prefix and the heartbeat's, or the empty one: wait until the publisher knows them.
    uint64_t wanted = prefix ? 2 : 1;
    for (int i = 0; i < 5000 && counters.subscriptions < wanted; i++, usleep(1000)) {
        gw_publisher_read(bus->publisher);
        gw_publisher_count(bus->publisher, &counters);
    }
    assert_int_equal(counters.subscriptions, wanted);
    return subscriber;
}

static void send(struct bus *bus, uint64_t seq, const char *topic, const char *thumbnail)
{
    struct gw_committed_fact fact = {.seq = seq,
                                     .wall_us = 1777863721120000,
                                     .kind = "event.opened",
                                     .topic = topic,
                                     .camera = "a",
                                     .data = "{}",
                                     .thumbnail = thumbnail};
    assert_int_equal(gw_publisher_send(bus->publisher, &fact), 0);
}

static void facts_arrive_in_order_with_their_numbers(void **state)
{
    struct gw_subscriber *subscriber = subscribe(*state, NULL);
    struct gw_bus_message message;
    for (uint64_t seq = 1; seq <= 100; seq++)
        send(*state, seq, "event/640323101/a", "");
    for (uint64_t seq = 1; seq <= 100; seq++) {
        assert_int_equal(gw_subscriber_receive(subscriber, 5 * GW_SECOND, &message), 1);
        assert_int_equal(message.stamp.seq, seq);
        assert_int_equal(message.stamp.epoch, 9);
        assert_null(message.thumbnail);
    }
    gw_subscriber_destroy(&subscriber);
}

static void a_prefix_selects_a_township_and_the_heartbeat_always_comes(void **state)
{
    struct bus *bus = *state;
    struct gw_subscriber *subscriber = subscribe(bus, "alert/640323101");
    struct gw_bus_message message;
    send(bus, 1, "alert/640323102001/b", "");
    send(bus, 2, "event/640323101001/a", "");
    send(bus, 3, "alert/640323101001/a", "");
    gw_publisher_heartbeat(bus->publisher, 3, 1777863721120000);
    assert_int_equal(gw_subscriber_receive(subscriber, 5 * GW_SECOND, &message), 1);
    assert_string_equal(message.topic, "alert/640323101001/a");
    assert_int_equal(gw_subscriber_receive(subscriber, 5 * GW_SECOND, &message), 1);
    assert_string_equal(message.topic, GW_WIRE_HEARTBEAT_TOPIC);
    assert_int_equal(message.stamp.seq, 3);
    gw_subscriber_destroy(&subscriber);
}

static void a_thumbnail_is_the_fourth_frame_and_a_missing_one_is_no_frame(void **state)
{
    struct bus *bus = *state;
    struct gw_subscriber *subscriber = subscribe(bus, NULL);
    struct gw_bus_message message;
    char path[64];
    snprintf(path, sizeof(path), "%s/a.jpg", bus->store);
    FILE *file = fopen(path, "w");
    fputs("JPEG bytes", file);
    fclose(file);
    send(bus, 1, "event/1/a", "a.jpg");
    send(bus, 2, "event/1/a", "gone.jpg");
    assert_int_equal(gw_subscriber_receive(subscriber, 5 * GW_SECOND, &message), 1);
    assert_int_equal(message.thumbnail_size, 10);
    assert_memory_equal(message.thumbnail, "JPEG bytes", 10);
    assert_int_equal(gw_subscriber_receive(subscriber, 5 * GW_SECOND, &message), 1);
    assert_int_equal(message.stamp.seq, 2);
    assert_null(message.thumbnail);
    gw_subscriber_destroy(&subscriber);
}

// Messages that break the wire format, from a publisher that is not ours.
static void malformed_messages_are_counted_and_skipped(void **state)
{
    struct bus *bus = *state;
    void *socket = zmq_socket(bus->zmq, ZMQ_PUB);
    struct gw_subscriber *subscriber;
    struct gw_bus_message message;
    uint8_t stamp[GW_WIRE_STAMP_SIZE] = {0};
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
    assert_int_equal(zmq_bind(socket, "inproc://malformed"), 0);
    assert_int_equal(gw_subscriber_create(&subscriber, bus->zmq, "inproc://malformed", NULL, 0), 0);
    usleep(100000);
    zmq_send(socket, "only a topic", 12, 0);
    zmq_send(socket, "event/1/a", 9, ZMQ_SNDMORE);
    zmq_send(socket, stamp, 5, ZMQ_SNDMORE);
    zmq_send(socket, "{}", 2, 0);
    for (int i = 0; i < 5; i++)
        zmq_send(socket, stamp, sizeof(stamp), i < 4 ? ZMQ_SNDMORE : 0);
    zmq_send(socket, "event/1/good", 12, ZMQ_SNDMORE);
    zmq_send(socket, stamp, sizeof(stamp), ZMQ_SNDMORE);
    zmq_send(socket, "{}", 2, 0);
    assert_int_equal(gw_subscriber_receive(subscriber, 5 * GW_SECOND, &message), 1);
    assert_string_equal(message.topic, "event/1/good");
    assert_int_equal(gw_subscriber_malformed(subscriber), 3);
    gw_subscriber_destroy(&subscriber);
    zmq_close(socket);
}

static void a_subscriber_that_does_not_read_never_blocks_the_publisher(void **state)
{
    struct bus *bus = *state;
    struct gw_subscriber *subscriber = subscribe(bus, NULL);
    int64_t start_us = gw_mono_us();
    for (uint64_t seq = 1; seq <= 50000; seq++)
        send(bus, seq, "event/1/a", "");
    assert_true(gw_mono_us() - start_us < 30 * GW_SECOND);
    gw_subscriber_destroy(&subscriber);
}

static void a_port_in_use_is_said_so(void **state)
{
    struct bus *bus = *state;
    struct gw_publisher *second;
    struct gw_publisher_config config = {.zmq = bus->zmq,
                                         .endpoint = gw_publisher_endpoint(bus->publisher),
                                         .source = "",
                                         .store = ""};
    assert_int_equal(gw_publisher_create(&second, &config), -EADDRINUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(facts_arrive_in_order_with_their_numbers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_prefix_selects_a_township_and_the_heartbeat_always_comes,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_thumbnail_is_the_fourth_frame_and_a_missing_one_is_no_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(malformed_messages_are_counted_and_skipped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_subscriber_that_does_not_read_never_blocks_the_publisher,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_port_in_use_is_said_so, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
