// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/supervisor.h"

// States that a supervisor reported, under a lock because its thread reports them.
struct reports {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int count;
    struct gw_camera_state last;
};

static void note_state(void *opaque, const struct gw_camera_state *state)
{
    struct reports *reports = opaque;
    pthread_mutex_lock(&reports->lock);
    reports->count++;
    reports->last = *state;
    pthread_cond_signal(&reports->changed);
    pthread_mutex_unlock(&reports->lock);
}

static struct gw_camera_state wait_for_report(struct reports *reports, int number)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&reports->lock);
    while (reports->count < number)
        assert_int_equal(pthread_cond_timedwait(&reports->changed, &reports->lock, &until), 0);
    struct gw_camera_state last = reports->last;
    pthread_mutex_unlock(&reports->lock);
    return last;
}

// A socket on a free port of this machine; listening or merely keeping the port from others.
static int open_port(bool listening, int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    if (listening)
        assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static struct gw_supervisor_config make_config(struct gw_ring **ring, struct reports *reports,
                                               int port)
{
    struct gw_supervisor_config config = {
        .session = gw_session_defaults, .opaque = reports, .state = note_state};
    pthread_mutex_init(&reports->lock, NULL);
    pthread_cond_init(&reports->changed, NULL);
    assert_int_equal(gw_ring_create(ring, &gw_ring_defaults), 0);
    config.ring = *ring;
    snprintf(config.camera.id, sizeof(config.camera.id), "cam-1");
    snprintf(config.camera.record_url, sizeof(config.camera.record_url), "rtsp://127.0.0.1:%d/a",
             port);
    return config;
}

static void backoff_doubles_from_one_second_to_a_minute(void **state)
{
    assert_int_equal(gw_supervisor_backoff_us(1, GW_ERROR_STALLED, 1), 1 * GW_SECOND);
    assert_int_equal(gw_supervisor_backoff_us(2, GW_ERROR_STALLED, 1), 2 * GW_SECOND);
    assert_int_equal(gw_supervisor_backoff_us(5, GW_ERROR_STALLED, 1), 16 * GW_SECOND);
    assert_int_equal(gw_supervisor_backoff_us(7, GW_ERROR_STALLED, 1), 60 * GW_SECOND);
    assert_int_equal(gw_supervisor_backoff_us(1000000, GW_ERROR_STALLED, 1), 60 * GW_SECOND);
}

static void each_wait_is_drawn_from_the_upper_half(void **state)
{
    for (int failures = 1; failures < 10; failures++) {
        int64_t most = gw_supervisor_backoff_us(failures, GW_ERROR_STALLED, 1);
        assert_int_equal(gw_supervisor_backoff_us(failures, GW_ERROR_STALLED, 0), most / 2);
        assert_int_equal(gw_supervisor_backoff_us(failures, GW_ERROR_STALLED, 0.5), most * 3 / 4);
    }
}

static void a_refused_password_waits_at_least_thirty_seconds(void **state)
{
    for (int failures = 1; failures < 10; failures++)
        assert_true(gw_supervisor_backoff_us(failures, GW_ERROR_UNAUTHORIZED, 0) >= 30 * GW_SECOND);
    assert_true(gw_supervisor_backoff_us(20, GW_ERROR_UNAUTHORIZED, 1) <= 60 * GW_SECOND);
}

static void a_camera_that_is_not_there_is_reported_offline_once(void **state)
{
    struct reports reports = {0};
    struct gw_supervisor *supervisor;
    struct gw_supervisor_counters counters;
    struct gw_ring *ring;
    int port, fd = open_port(false, &port);
    struct gw_supervisor_config config = make_config(&ring, &reports, port);

    assert_int_equal(gw_supervisor_create(&supervisor, &config), 0);
    struct gw_camera_state seen = wait_for_report(&reports, 1);
    assert_int_equal(seen.status, GW_CAMERA_OFFLINE);
    assert_string_equal(seen.camera, "cam-1");
    assert_string_equal(seen.reason, gw_session_reason(GW_ERROR_REFUSED));
    do { // until it has tried at least twice more
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        gw_supervisor_count(supervisor, &counters);
    } while (counters.reconnects < 2);
    gw_supervisor_destroy(&supervisor);
    assert_null(supervisor);
    assert_int_equal(reports.count, 1);
    assert_false(counters.online);
    assert_int_equal(counters.last_packet_mono_us, 0);
    gw_ring_destroy(&ring);
    close(fd);
}

static void another_reason_is_reported_again(void **state)
{
    struct reports reports = {0};
    struct gw_supervisor *supervisor;
    struct gw_ring *ring;
    int port, fd = open_port(false, &port);
    struct gw_supervisor_config config = make_config(&ring, &reports, port);

    config.session.connect_timeout_us = GW_SECOND / 5;
    assert_int_equal(gw_supervisor_create(&supervisor, &config), 0);
    wait_for_report(&reports, 1);
    listen(fd, 5); // now something accepts the connection and never says a word
    struct gw_camera_state seen = wait_for_report(&reports, 2);
    assert_string_equal(seen.reason, gw_session_reason(-ETIMEDOUT));
    gw_supervisor_destroy(&supervisor);
    gw_ring_destroy(&ring);
    close(fd);
}

static enum gw_gap_cause last_cause; // written before the report that waiting for it reads

static void note_broke(void *opaque, enum gw_gap_cause cause)
{
    struct reports *reports = opaque;
    pthread_mutex_lock(&reports->lock);
    last_cause = cause;
    pthread_mutex_unlock(&reports->lock);
}

static void the_cause_of_a_gap_is_told_before_the_camera_is_offline(void **state)
{
    struct reports reports = {0};
    struct gw_supervisor *supervisor;
    struct gw_ring *ring;
    int port, fd = open_port(false, &port);
    struct gw_supervisor_config config = make_config(&ring, &reports, port);

    config.session.connect_timeout_us = GW_SECOND / 5;
    config.broke = note_broke;
    assert_int_equal(gw_supervisor_create(&supervisor, &config), 0);
    wait_for_report(&reports, 1);
    assert_string_equal(gw_gap_cause_name(last_cause), "refused");
    listen(fd, 5);
    wait_for_report(&reports, 2);
    assert_string_equal(gw_gap_cause_name(last_cause), "unreachable");
    gw_supervisor_destroy(&supervisor);
    gw_ring_destroy(&ring);
    close(fd);
}

// Stopping is quick, whatever the supervisor waits for.
static void assert_stops_quickly(bool listening, int64_t after_us)
{
    struct reports reports = {0};
    struct gw_supervisor *supervisor;
    struct gw_ring *ring;
    int port, fd = open_port(listening, &port);
    struct gw_supervisor_config config = make_config(&ring, &reports, port);

    assert_int_equal(gw_supervisor_create(&supervisor, &config), 0);
    nanosleep(&(struct timespec){.tv_nsec = after_us * 1000}, NULL);
    int64_t asked_us = gw_mono_us();
    gw_supervisor_destroy(&supervisor);
    assert_true(gw_mono_us() - asked_us < GW_SECOND / 2); // 0.2 s and a busy machine
    gw_ring_destroy(&ring);
    close(fd);
}

static void stopping_is_quick_while_a_silent_server_is_waited_for(void **state)
{
    assert_stops_quickly(true, 300000);
}

static void stopping_is_quick_between_two_sessions(void **state)
{
    assert_stops_quickly(false, 300000);
}

static void stopping_is_quick_right_after_the_start(void **state)
{
    assert_stops_quickly(true, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff_doubles_from_one_second_to_a_minute),
        cmocka_unit_test(each_wait_is_drawn_from_the_upper_half),
        cmocka_unit_test(a_refused_password_waits_at_least_thirty_seconds),
        cmocka_unit_test(a_camera_that_is_not_there_is_reported_offline_once),
        cmocka_unit_test(another_reason_is_reported_again),
        cmocka_unit_test(the_cause_of_a_gap_is_told_before_the_camera_is_offline),
        cmocka_unit_test(stopping_is_quick_while_a_silent_server_is_waited_for),
        cmocka_unit_test(stopping_is_quick_between_two_sessions),
        cmocka_unit_test(stopping_is_quick_right_after_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
