// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/dial.h"
#include "ingest/resolve.h"
#include "slow_names.h"

// --- helpers -------------------------------------------------------------------------------------

static union gw_address make_address(const char *text)
{
    struct gw_addresses addresses;
    if (gw_resolve_numeric(text, 554, &addresses) < 0)
        fail_msg("no address: %s", text);
    return addresses.list[0];
}

static struct gw_addresses make_addresses(const char *text)
{
    return (struct gw_addresses){.list = {make_address(text)}, .count = 1};
}

static bool allowed(enum gw_redirects redirects, const char *home, const char *target)
{
    struct gw_addresses own = make_addresses(home);
    union gw_address address = make_address(target);
    return gw_address_allowed(redirects, &address, &own);
}

// A camera's port on loopback. Returns the listening socket.
static int listen_on(const char *host, uint16_t *ret_port)
{
    union gw_address address = make_address(host);
    socklen_t size = gw_address_size(&address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gw_address_set_port(&address, 0);
    assert_int_equal(bind(fd, &address.any, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, &address.any, &size), 0);
    *ret_port = gw_address_port(&address);
    return fd;
}

static int dial(const char *home, const char *host, uint16_t port, int64_t timeout_us)
{
    struct gw_stop stop;
    gw_stop_init(&stop);
    int fd = gw_dial_direct.connect(gw_dial_direct.opaque, home, host, port,
                                    gw_mono_us() + timeout_us, &stop);
    gw_stop_finish(&stop);
    return fd;
}

static int socket_error(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLOUT};
    int error = -1;
    socklen_t size = sizeof(error);
    assert_int_equal(poll(&poller, 1, 5000), 1);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
    return error;
}

// --- the policy ----------------------------------------------------------------------------------

static void the_network_policy_keeps_cameras_from_this_machine_its_link_and_groups(void **state)
{
    const char *const forbidden[] = {
        "127.0.0.1", "127.8.9.1", "0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "239.1.2.3",
        "255.255.255.255", "::1", "::", "fe80::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.1.1", "::ffff:224.0.0.1", "::ffff:0:0", "::127.0.0.1", "febf::1",
        // What getaddrinfo takes for 127.0.0.1 as well.
        "127.1", "0x7f000001", "2130706433", "0177.0.0.1"};
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        if (allowed(GW_REDIRECTS_NETWORK, "10.0.0.1", forbidden[i]))
            fail_msg("%s is allowed", forbidden[i]);
}

static void the_network_policy_lets_cameras_send_us_to_other_hosts(void **state)
{
    const char *const fine[] = {"10.0.0.2",    "192.168.1.1", "8.8.8.8",         "172.16.0.1",
                                "2001:db8::1", "fd00::1",     "::ffff:10.1.1.1", "fec0::1"};
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
        if (!allowed(GW_REDIRECTS_NETWORK, "10.0.0.1", fine[i]))
            fail_msg("%s is forbidden", fine[i]);
}

static void the_registered_hosts_own_address_is_always_allowed(void **state)
{
    for (int redirects = 0; redirects <= GW_REDIRECTS_ANY; redirects++) {
        assert_true(allowed((enum gw_redirects)redirects, "127.0.0.1", "127.0.0.1"));
        assert_true(allowed((enum gw_redirects)redirects, "127.0.0.1", "::ffff:127.0.0.1"));
        assert_true(allowed((enum gw_redirects)redirects, "::1", "::1"));
    }
    assert_false(allowed(GW_REDIRECTS_NETWORK, "127.0.0.1", "127.0.0.2"));
}

static void the_same_host_policy_allows_nothing_else_and_any_allows_all(void **state)
{
    assert_false(allowed(GW_REDIRECTS_SAME_HOST, "10.0.0.1", "10.0.0.2"));
    assert_false(allowed(GW_REDIRECTS_SAME_HOST, "10.0.0.1", "127.0.0.1"));
    assert_true(allowed(GW_REDIRECTS_ANY, "10.0.0.1", "127.0.0.1"));
    assert_true(allowed(GW_REDIRECTS_ANY, "10.0.0.1", "fe80::1"));
}

static void forbidden_addresses_of_a_name_are_left_out_and_the_others_kept(void **state)
{
    struct gw_addresses own = make_addresses("10.0.0.1"), addresses = {.count = 3};
    addresses.list[0] = make_address("127.0.0.1");
    addresses.list[1] = make_address("10.0.0.7");
    addresses.list[2] = make_address("::1");
    assert_int_equal(gw_addresses_permit(&addresses, GW_REDIRECTS_NETWORK, &own), 1);
    union gw_address expected = make_address("10.0.0.7");
    assert_true(gw_address_same_host(&addresses.list[0], &expected));
}

static void policies_have_names(void **state)
{
    assert_int_equal(gw_redirects_from_name("network"), GW_REDIRECTS_NETWORK);
    assert_int_equal(gw_redirects_from_name("same-host"), GW_REDIRECTS_SAME_HOST);
    assert_int_equal(gw_redirects_from_name("any"), GW_REDIRECTS_ANY);
    assert_int_equal(gw_redirects_from_name("none"), -1);
}

// --- names ---------------------------------------------------------------------------------------

static void a_name_that_does_not_answer_costs_no_more_than_the_deadline(void **state)
{
    int64_t begin_us = gw_mono_us();
    assert_int_equal(dial("slow.test", "slow.test", 554, GW_SECOND / 5), -ETIMEDOUT);
    assert_in_range(gw_mono_us() - begin_us, GW_SECOND / 5, GW_SECOND);
    sem_post(&release);
    wait_until(&asking, 0);
}

static void *request_soon(void *opaque)
{
    wait_until(&asking, 1);
    gw_stop_request(opaque);
    return NULL;
}

static void a_stop_ends_the_wait_for_a_name(void **state)
{
    struct gw_stop stop;
    pthread_t thread;
    int64_t begin_us = gw_mono_us();
    gw_stop_init(&stop);
    pthread_create(&thread, NULL, request_soon, &stop);
    assert_int_equal(gw_dial_direct.connect(NULL, "slow.test", "slow.test", 554,
                                            begin_us + 60 * GW_SECOND, &stop),
                     GW_ERROR_STOPPED);
    assert_in_range(gw_mono_us() - begin_us, 0, 5 * GW_SECOND);
    pthread_join(thread, NULL);
    gw_stop_finish(&stop);
    sem_post(&release);
    wait_until(&asking, 0);
}

static void no_more_than_sixteen_helpers_ask_and_all_questions_are_answered(void **state)
{
    enum { COUNT = 40 };
    struct gw_resolve *questions[COUNT];
    struct gw_addresses answer;
    atomic_store(&most_asking, 0);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(gw_resolve_begin(&questions[i], "slow.test", 554), 0);
    wait_until(&asking, 16);
    assert_int_equal(gw_resolve_take(&questions[0], &answer), -EAGAIN);
    // Given up: one that is being asked, one that waits.
    gw_resolve_abandon(&questions[1]);
    gw_resolve_abandon(&questions[COUNT - 1]);
    for (int i = 0; i < COUNT; i++)
        sem_post(&release);
    for (int i = 0; i < COUNT - 1; i++) {
        if (!questions[i])
            continue;
        struct pollfd poller = {.fd = gw_resolve_fd(questions[i]), .events = POLLIN};
        assert_int_equal(poll(&poller, 1, 5000), 1);
        assert_int_equal(gw_resolve_take(&questions[i], &answer), 0);
        assert_int_equal(answer.count, 1);
        assert_null(questions[i]);
    }
    assert_int_equal(atomic_load(&most_asking), 16);
    wait_until(&asking, 0);
    sem_trywait(&release); // the one for the question that nobody asked
}

static void an_unknown_name_is_told_apart_from_a_silent_camera(void **state)
{
    assert_int_equal(dial("gone.test", "gone.test", 554, 5 * GW_SECOND), GW_ERROR_NO_HOST);
    assert_int_equal(dial("", "", 554, 5 * GW_SECOND), GW_ERROR_NO_HOST);
}

// --- TCP -----------------------------------------------------------------------------------------

static void a_connection_is_begun_and_its_socket_is_as_a_session_needs_it(void **state)
{
    const char *const hosts[] = {"127.0.0.1", "::1", "there.test"};
    for (int i = 0; i < 3; i++) {
        uint16_t port;
        int camera = listen_on(i == 1 ? "::1" : "127.0.0.1", &port), no_delay = 0;
        socklen_t size = sizeof(no_delay);
        int fd = dial(hosts[i], hosts[i], port, 5 * GW_SECOND);
        assert_true(fd >= 0);
        assert_int_equal(socket_error(fd), 0);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
        assert_true(no_delay);
        int accepted = accept(camera, NULL, NULL);
        assert_true(accepted >= 0);
        close(accepted);
        close(fd);
        close(camera);
    }
}

static void nobody_listening_is_told_as_refused(void **state)
{
    uint16_t port;
    close(listen_on("127.0.0.1", &port));
    int fd = dial("127.0.0.1", "127.0.0.1", port, 5 * GW_SECOND);
    if (fd >= 0) {
        assert_int_equal(socket_error(fd), ECONNREFUSED);
        close(fd);
    } else {
        assert_int_equal(fd, -ECONNREFUSED);
    }
}

static void the_next_address_is_tried_when_one_cannot_be_reached(void **state)
{
    uint16_t port;
    int camera = listen_on("127.0.0.1", &port);
    struct gw_addresses addresses = {.count = 2};
    union gw_address peer;
    addresses.list[0] = make_address("255.255.255.255"); // TCP to all: refused at once
    addresses.list[1] = make_address("127.0.0.1");
    gw_address_set_port(&addresses.list[1], port);
    int fd = gw_dial_begin(&addresses, &peer);
    assert_true(fd >= 0);
    assert_true(gw_address_same_host(&peer, &addresses.list[1]));
    close(fd);
    close(camera);
}

static void a_redirect_to_loopback_is_refused_unless_the_camera_is_there(void **state)
{
    uint16_t port;
    int camera = listen_on("127.0.0.1", &port);
    enum gw_redirects any = GW_REDIRECTS_ANY;
    struct gw_stop stop;
    assert_int_equal(dial("10.255.255.1", "127.0.0.1", port, 5 * GW_SECOND), GW_ERROR_FORBIDDEN);
    assert_int_equal(dial("10.255.255.1", "there.test", port, 5 * GW_SECOND), GW_ERROR_FORBIDDEN);
    assert_int_equal(dial("gone.test", "127.0.0.1", port, 5 * GW_SECOND), GW_ERROR_FORBIDDEN);
    int fd = dial("there.test", "127.0.0.1", port, 5 * GW_SECOND);
    assert_true(fd >= 0);
    close(fd);
    gw_stop_init(&stop);
    fd = gw_dial_direct.connect(&any, "10.255.255.1", "127.0.0.1", port, gw_mono_us() + GW_SECOND,
                                &stop);
    assert_true(fd >= 0);
    close(fd);
    gw_stop_finish(&stop);
    close(camera);
}

// --- UDP -----------------------------------------------------------------------------------------

// A connection to a camera on loopback, and the camera's two UDP sockets.
struct udp_camera {
    int listening, tcp, media[2];
    uint16_t ports[2];
};

static void open_udp_camera(struct udp_camera *camera)
{
    union gw_address local = make_address("127.0.0.1");
    uint16_t port;
    camera->listening = listen_on("127.0.0.1", &port);
    camera->tcp = dial("127.0.0.1", "127.0.0.1", port, 5 * GW_SECOND);
    assert_int_equal(socket_error(camera->tcp), 0);
    assert_int_equal(gw_dial_open_pair(&local, camera->media, &camera->ports[0]), 0);
    camera->ports[1] = (uint16_t)(camera->ports[0] + 1);
}

static void close_udp_camera(const struct udp_camera *camera)
{
    close(camera->listening);
    close(camera->tcp);
    close(camera->media[0]);
    close(camera->media[1]);
}

static void send_to(int fd, uint16_t port, const char *text)
{
    union gw_address to = make_address("127.0.0.1");
    gw_address_set_port(&to, port);
    assert_int_equal(sendto(fd, text, strlen(text), 0, &to.any, gw_address_size(&to)),
                     (ssize_t)strlen(text));
}

static void pairs_lie_on_an_even_port_and_the_next_one(void **state)
{
    enum { PAIRS = 100 };
    union gw_address local = make_address("127.0.0.1");
    int fds[PAIRS][2];
    for (int i = 0; i < PAIRS; i++) {
        uint16_t port;
        assert_int_equal(gw_dial_open_pair(&local, fds[i], &port), 0);
        assert_int_equal(port % 2, 0);
        for (int j = 0; j < 2; j++) {
            union gw_address bound;
            socklen_t size = sizeof(bound);
            assert_int_equal(getsockname(fds[i][j], &bound.any, &size), 0);
            assert_int_equal(gw_address_port(&bound), port + j);
            assert_true(fcntl(fds[i][j], F_GETFL) & O_NONBLOCK);
            assert_true(fcntl(fds[i][j], F_GETFD) & FD_CLOEXEC);
        }
    }
    for (int i = 0; i < PAIRS; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
}

static void an_aimed_pair_hears_its_camera_and_nobody_else(void **state)
{
    struct udp_camera camera;
    struct udp_camera stranger;
    uint16_t port;
    int fds[2];
    char text[16] = "";
    open_udp_camera(&camera);
    open_udp_camera(&stranger);
    assert_int_equal(gw_dial_direct.open_udp(NULL, camera.tcp, fds, &port), 0);
    send_to(stranger.media[0], port, "early");
    assert_int_equal(gw_dial_direct.aim_udp(NULL, camera.tcp, fds, camera.ports), 0);
    send_to(stranger.media[0], port, "late");
    send_to(camera.media[0], port, "picture");
    assert_int_equal(recv(fds[0], text, sizeof(text), MSG_DONTWAIT), 7);
    assert_memory_equal(text, "picture", 7);
    assert_int_equal(recv(fds[0], text, sizeof(text), MSG_DONTWAIT), -1);
    send_to(camera.media[1], (uint16_t)(port + 1), "report");
    assert_int_equal(recv(fds[1], text, sizeof(text), MSG_DONTWAIT), 6);
    close(fds[0]);
    close(fds[1]);
    close_udp_camera(&camera);
    close_udp_camera(&stranger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_network_policy_keeps_cameras_from_this_machine_its_link_and_groups),
        cmocka_unit_test(the_network_policy_lets_cameras_send_us_to_other_hosts),
        cmocka_unit_test(the_registered_hosts_own_address_is_always_allowed),
        cmocka_unit_test(the_same_host_policy_allows_nothing_else_and_any_allows_all),
        cmocka_unit_test(forbidden_addresses_of_a_name_are_left_out_and_the_others_kept),
        cmocka_unit_test(policies_have_names),
        cmocka_unit_test(a_name_that_does_not_answer_costs_no_more_than_the_deadline),
        cmocka_unit_test(a_stop_ends_the_wait_for_a_name),
        cmocka_unit_test(no_more_than_sixteen_helpers_ask_and_all_questions_are_answered),
        cmocka_unit_test(an_unknown_name_is_told_apart_from_a_silent_camera),
        cmocka_unit_test(a_connection_is_begun_and_its_socket_is_as_a_session_needs_it),
        cmocka_unit_test(nobody_listening_is_told_as_refused),
        cmocka_unit_test(the_next_address_is_tried_when_one_cannot_be_reached),
        cmocka_unit_test(a_redirect_to_loopback_is_refused_unless_the_camera_is_there),
        cmocka_unit_test(pairs_lie_on_an_even_port_and_the_next_one),
        cmocka_unit_test(an_aimed_pair_hears_its_camera_and_nobody_else),
    };
    slow_names_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
