// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/door.h"
#include "app/door_client.h"
#include "core/clock.h"
#include "core/error.h"
#include "slow_names.h"

enum { WORKERS = 2, CAMERAS = 64 };

// --- a hub with its door, workers at its other side, cameras -------------------------------------

struct rig {
    struct gw_door *door;
    struct gw_assignment assignment;
    struct gw_camera cameras[CAMERAS];
    int count;
    int ends[WORKERS]; // of the workers; -1 once a client has it
};

static const struct gw_log quiet = {.name = "test"};

static int listen_on_loopback(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 256), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void admit(struct rig *rig, int worker)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    gw_door_admit(rig->door, worker, pair[0]);
    rig->ends[worker] = pair[1];
}

// Cameras c00, c01, … live at host and belong to the workers in turn.
static void open_rig(struct rig *rig, enum gw_redirects redirects, const char *host, int count)
{
    struct gw_door_config config = {.workers = WORKERS, .redirects = redirects, .log = &quiet};
    memset(rig, 0, sizeof(*rig));
    rig->count = count;
    for (int i = 0; i < count; i++) {
        struct gw_camera *camera = &rig->cameras[i];
        camera->enabled = true;
        snprintf(camera->id, sizeof(camera->id), "c%02d", i);
        snprintf(camera->record_url, sizeof(camera->record_url), "rtsp://%s/main", host);
    }
    gw_assignment_update(&rig->assignment, rig->cameras, count, WORKERS);
    assert_int_equal(gw_door_create(&rig->door, &config), 0);
    gw_door_assign(rig->door, &rig->assignment);
    for (int i = 0; i < WORKERS; i++)
        admit(rig, i);
}

static void close_rig(struct rig *rig)
{
    gw_door_destroy(&rig->door);
    gw_assignment_finish(&rig->assignment);
    for (int i = 0; i < WORKERS; i++)
        if (rig->ends[i] >= 0)
            close(rig->ends[i]);
}

static int worker_of(const struct rig *rig, int camera)
{
    return rig->assignment.cameras[camera].worker;
}

// A camera of this worker.
static const char *camera_of(const struct rig *rig, int worker)
{
    int i = 0;
    while (worker_of(rig, i) != worker)
        i++;
    return rig->cameras[i].id;
}

static struct gw_door_client *open_client(struct rig *rig, int worker)
{
    struct gw_door_client *client;
    assert_int_equal(gw_door_client_create(&client, rig->ends[worker]), 0);
    rig->ends[worker] = -1;
    return client;
}

static struct gw_door_caller make_caller(struct gw_door_client *client, const char *camera)
{
    struct gw_door_caller caller = {.client = client, .stream = GW_DOOR_RECORD};
    snprintf(caller.camera, sizeof(caller.camera), "%s", camera);
    return caller;
}

static int dial(struct gw_door_caller *caller, const char *host, uint16_t port)
{
    struct gw_dialer dialer = gw_door_dialer(caller);
    struct gw_stop stop;
    gw_stop_init(&stop);
    int fd = dialer.connect(dialer.opaque, host, host, port, gw_mono_us() + 10 * GW_SECOND, &stop);
    gw_stop_finish(&stop);
    return fd;
}

static uint16_t peer_port(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLOUT};
    struct sockaddr_in peer;
    socklen_t size = sizeof(peer);
    assert_int_equal(poll(&poller, 1, 5000), 1);
    assert_int_equal(getpeername(fd, (struct sockaddr *)&peer, &size), 0);
    return ntohs(peer.sin_port);
}

static int count_open_files(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

// The door closes its own copy of a socket behind the answer: the thread that got it may be sooner.
static void expect_open_files(int low, int high)
{
    int count = count_open_files();
    for (int i = 0; (count < low || count > high) && i < 5000; i++) {
        usleep(1000);
        count = count_open_files();
    }
    assert_in_range(count, low, high);
}

static void expect_refused(int result)
{
    if (result >= 0)
        fail_msg("a socket was handed out");
    assert_int_equal(result, GW_ERROR_FORBIDDEN);
}

// --- connections ---------------------------------------------------------------------------------

static void a_worker_gets_a_connection_to_its_own_camera(void **state)
{
    struct rig rig;
    uint16_t port;
    int camera = listen_on_loopback(&port);
    open_rig(&rig, GW_REDIRECTS_NETWORK, "127.0.0.1", 2);
    struct gw_door_client *client = open_client(&rig, 0);
    struct gw_door_caller caller = make_caller(client, camera_of(&rig, 0));
    int fd = dial(&caller, "127.0.0.1", port);
    assert_true(fd >= 0);
    assert_int_equal(peer_port(fd), port);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    int accepted = accept(camera, NULL, NULL);
    assert_true(accepted >= 0);
    // The door keeps no end of it: the camera sees it close.
    close(fd);
    assert_int_equal(recv(accepted, &(char){0}, 1, 0), 0);
    close(accepted);
    gw_door_client_destroy(&client);
    close_rig(&rig);
    close(camera);
}

static void a_worker_gets_nothing_of_a_camera_that_another_one_has(void **state)
{
    struct rig rig;
    uint16_t port;
    int camera = listen_on_loopback(&port);
    open_rig(&rig, GW_REDIRECTS_ANY, "127.0.0.1", 2);
    struct gw_door_client *client = open_client(&rig, 0);
    struct gw_door_caller foreign = make_caller(client, camera_of(&rig, 1));
    struct gw_door_caller unknown = make_caller(client, "nobody");
    struct gw_door_caller no_stream = make_caller(client, camera_of(&rig, 0));
    no_stream.stream = GW_DOOR_DETECT;
    expect_refused(dial(&foreign, "127.0.0.1", port));
    expect_refused(dial(&unknown, "127.0.0.1", port));
    expect_refused(dial(&no_stream, "127.0.0.1", port));
    struct gw_door_counters counters;
    gw_door_count(rig.door, &counters);
    assert_int_equal(counters.refused, 3);
    assert_int_equal(counters.made, 0);
    gw_door_client_destroy(&client);
    close_rig(&rig);
    close(camera);
}

static void a_camera_that_is_taken_from_a_worker_is_closed_to_it(void **state)
{
    struct rig rig;
    uint16_t port;
    int camera = listen_on_loopback(&port);
    open_rig(&rig, GW_REDIRECTS_NETWORK, "127.0.0.1", 2);
    struct gw_door_client *client = open_client(&rig, 0);
    struct gw_door_caller caller = make_caller(client, camera_of(&rig, 0));
    int fd = dial(&caller, "127.0.0.1", port);
    assert_true(fd >= 0);
    close(fd);
    for (int i = 0; i < rig.count; i++)
        rig.cameras[i].enabled = strcmp(rig.cameras[i].id, caller.camera);
    gw_assignment_update(&rig.assignment, rig.cameras, rig.count, WORKERS);
    gw_door_assign(rig.door, &rig.assignment);
    expect_refused(dial(&caller, "127.0.0.1", port));
    gw_door_client_destroy(&client);
    close_rig(&rig);
    close(camera);
}

static void dial_as_redirected(enum gw_redirects redirects, const char *home, const char *host,
                               bool expect)
{
    struct rig rig;
    uint16_t port;
    int camera = listen_on_loopback(&port);
    open_rig(&rig, redirects, home, 2);
    struct gw_door_client *client = open_client(&rig, 0);
    struct gw_door_caller caller = make_caller(client, camera_of(&rig, 0));
    int fd = dial(&caller, host, port);
    if (expect) {
        assert_true(fd >= 0);
        close(fd);
    } else {
        expect_refused(fd);
    }
    gw_door_client_destroy(&client);
    close_rig(&rig);
    close(camera);
}

static void redirects_go_where_the_policy_says(void **state)
{
    dial_as_redirected(GW_REDIRECTS_NETWORK, "10.255.255.1", "127.0.0.1", false);
    dial_as_redirected(GW_REDIRECTS_NETWORK, "10.255.255.1", "::ffff:127.0.0.1", false);
    dial_as_redirected(GW_REDIRECTS_NETWORK, "10.255.255.1", "there.test", false);
    dial_as_redirected(GW_REDIRECTS_NETWORK, "there.test", "127.0.0.1", true);
    dial_as_redirected(GW_REDIRECTS_NETWORK, "gone.test", "127.0.0.1", false);
    dial_as_redirected(GW_REDIRECTS_SAME_HOST, "127.0.0.2", "127.0.0.1", false);
    dial_as_redirected(GW_REDIRECTS_ANY, "127.0.0.2", "127.0.0.1", true);
    dial_as_redirected(GW_REDIRECTS_ANY, "127.0.0.2", "there.test", true);
}

static void a_name_that_does_not_answer_holds_up_nobody_else(void **state)
{
    struct rig rig;
    uint16_t port;
    struct gw_stop stop;
    int camera = listen_on_loopback(&port);
    open_rig(&rig, GW_REDIRECTS_NETWORK, "there.test", 4);
    struct gw_door_client *client = open_client(&rig, 0);
    struct gw_door_caller slow = make_caller(client, camera_of(&rig, 0)), fine = slow;
    struct gw_dialer dialer = gw_door_dialer(&slow);
    gw_stop_init(&stop);
    assert_int_equal(dialer.connect(dialer.opaque, "there.test", "slow.test", port,
                                    gw_mono_us() + GW_SECOND / 10, &stop),
                     -ETIMEDOUT);
    wait_until(&asking, 1);
    int fd = dial(&fine, "there.test", port);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(dial(&fine, "gone.test", port), GW_ERROR_NO_HOST);

    // The answer that nobody waits for any more is not kept.
    int before = count_open_files();
    sem_post(&release);
    wait_until(&asking, 0);
    for (int i = 0; count_open_files() >= before; i++, usleep(1000)) // its question goes
        assert_true(i < 5000);
    gw_stop_finish(&stop);
    gw_door_client_destroy(&client);
    close_rig(&rig);
    close(camera);
}

// --- a client whose hub does not answer ----------------------------------------------------------

static void *stop_soon(void *opaque)
{
    usleep(50000);
    gw_stop_request(opaque);
    return NULL;
}

static void a_silent_hub_costs_no_more_than_the_deadline_or_a_stop(void **state)
{
    int pair[2];
    struct gw_door_client *client;
    struct gw_stop stop;
    pthread_t thread;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(gw_door_client_create(&client, pair[1]), 0);
    struct gw_door_caller caller = make_caller(client, "cam");
    struct gw_dialer dialer = gw_door_dialer(&caller);
    gw_stop_init(&stop);
    int64_t begin_us = gw_mono_us();
    assert_int_equal(dialer.connect(&caller, "h", "h", 554, begin_us + GW_SECOND / 10, &stop),
                     -ETIMEDOUT);
    assert_in_range(gw_mono_us() - begin_us, GW_SECOND / 10, GW_SECOND);
    pthread_create(&thread, NULL, stop_soon, &stop);
    assert_int_equal(dialer.connect(&caller, "h", "h", 554, begin_us + 60 * GW_SECOND, &stop),
                     GW_ERROR_STOPPED);
    pthread_join(thread, NULL);
    gw_stop_finish(&stop);
    close(pair[0]);
    // And when the hub is gone, at once.
    assert_int_equal(dial(&caller, "h", 554), -EPIPE);
    gw_door_client_destroy(&client);
}

// --- many at once --------------------------------------------------------------------------------

struct asker {
    pthread_t thread;
    struct gw_door_caller caller;
    uint16_t port;
    int good;
};

static void *ask_often(void *opaque)
{
    struct asker *asker = opaque;
    for (int i = 0; i < 8; i++) {
        int fd = dial(&asker->caller, "127.0.0.1", asker->port);
        if (fd < 0)
            break;
        asker->good += peer_port(fd) == asker->port;
        close(fd);
    }
    return NULL;
}

static void each_of_many_sessions_gets_its_own_answer(void **state)
{
    enum { ASKERS = 32 };
    struct rig rig;
    struct asker askers[ASKERS] = {0};
    int cameras[ASKERS];
    open_rig(&rig, GW_REDIRECTS_NETWORK, "127.0.0.1", 2 * ASKERS);
    struct gw_door_client *client = open_client(&rig, 0);
    int before = count_open_files();
    for (int i = 0, camera = 0; i < ASKERS; i++, camera++) {
        while (worker_of(&rig, camera) != 0)
            camera++;
        cameras[i] = listen_on_loopback(&askers[i].port);
        askers[i].caller = make_caller(client, rig.cameras[camera].id);
    }
    for (int i = 0; i < ASKERS; i++)
        pthread_create(&askers[i].thread, NULL, ask_often, &askers[i]);
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(askers[i].thread, NULL);
        assert_int_equal(askers[i].good, 8);
        close(cameras[i]);
    }
    expect_open_files(before, before);
    gw_door_client_destroy(&client);
    close_rig(&rig);
}

// --- UDP -----------------------------------------------------------------------------------------

static void send_from(int fd, uint16_t port, const char *text)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    assert_int_equal(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof(to)),
                     (ssize_t)strlen(text));
}

// A UDP socket of a camera.
static int open_media(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void a_pair_hears_the_camera_that_it_is_aimed_at_and_nobody_else(void **state)
{
    struct rig rig;
    uint16_t port, local, ports[2], foreign;
    int fds[2];
    char text[16];
    int camera = listen_on_loopback(&port), rtp = open_media(&ports[0]);
    int rtcp = open_media(&ports[1]), stranger = open_media(&foreign);
    open_rig(&rig, GW_REDIRECTS_NETWORK, "127.0.0.1", 2);
    struct gw_door_client *client = open_client(&rig, 0);
    struct gw_door_caller caller = make_caller(client, camera_of(&rig, 0));
    struct gw_dialer dialer = gw_door_dialer(&caller);

    assert_int_equal(dialer.open_udp(&caller, -1, fds, &local), -ENOTCONN);
    int tcp = dial(&caller, "127.0.0.1", port);
    assert_true(tcp >= 0);
    assert_int_equal(dialer.open_udp(&caller, tcp, fds, &local), 0);
    assert_int_equal(local % 2, 0);
    send_from(stranger, local, "early");
    assert_int_equal(dialer.aim_udp(&caller, tcp, fds, ports), 0);
    send_from(stranger, local, "late");
    send_from(rtp, local, "picture");
    send_from(rtcp, (uint16_t)(local + 1), "report");
    assert_int_equal(recv(fds[0], text, sizeof(text), 0), 7);
    assert_int_equal(recv(fds[0], text, sizeof(text), 0), -1);
    assert_int_equal(recv(fds[1], text, sizeof(text), 0), 6);
    // Once aimed it stays so: the door has let go of it.
    ports[0] = foreign;
    assert_int_equal(dialer.aim_udp(&caller, tcp, fds, ports), -ENOENT);
    close(fds[0]);
    close(fds[1]);
    close(tcp);
    gw_door_client_destroy(&client);
    close_rig(&rig);
    close(camera);
    close(rtp);
    close(rtcp);
    close(stranger);
}

// --- a worker in strange hands -------------------------------------------------------------------

static struct gw_door_request make_request(const char *camera, uint16_t port)
{
    struct gw_door_request request = {.kind = GW_DOOR_CONNECT, .ports = {port}};
    snprintf(request.camera, sizeof(request.camera), "%s", camera);
    snprintf(request.host, sizeof(request.host), "127.0.0.1");
    return request;
}

static void expect_still_served(struct rig *rig, int worker, uint16_t port)
{
    struct gw_door_client *client = open_client(rig, worker);
    struct gw_door_caller caller = make_caller(client, camera_of(rig, worker));
    int64_t begin_us = gw_mono_us();
    int fd = dial(&caller, "127.0.0.1", port);
    assert_true(fd >= 0);
    assert_in_range(gw_mono_us() - begin_us, 0, 2 * GW_SECOND);
    close(fd);
    gw_door_client_destroy(&client);
}

static void messages_that_make_no_sense_are_counted_and_dropped(void **state)
{
    struct rig rig;
    uint16_t port;
    struct gw_door_counters counters;
    char large[4096] = {0};
    int camera = listen_on_loopback(&port);
    open_rig(&rig, GW_REDIRECTS_NETWORK, "127.0.0.1", 2);
    const struct gw_door_request good = make_request(camera_of(&rig, 0), port);
    struct gw_door_request bad[7] = {good, good, good, good, good, good, good};
    bad[0].kind = 0;
    bad[1].kind = 77;
    bad[2].stream = GW_DOOR_STREAM_COUNT;
    bad[3].ports[0] = 0;
    memset(bad[4].camera, 'c', sizeof(bad[4].camera)); // no end
    memset(bad[5].host, 'h', sizeof(bad[5].host));
    strcpy(bad[6].camera, "../\n\033[2J");
    for (int i = 0; i < 7; i++)
        assert_true(send(rig.ends[0], &bad[i], sizeof(bad[i]), 0) > 0);
    assert_true(send(rig.ends[0], &good, sizeof(good) - 1, 0) > 0);
    assert_true(send(rig.ends[0], large, sizeof(large), 0) > 0);
    assert_true(send(rig.ends[0], "x", 1, 0) > 0);
    expect_still_served(&rig, 0, port);
    gw_door_count(rig.door, &counters);
    assert_int_equal(counters.malformed, 10);
    assert_int_equal(counters.made, 1);
    close_rig(&rig);
    close(camera);
}

static void descriptors_that_a_worker_sends_are_not_kept(void **state)
{
    struct rig rig;
    uint16_t port;
    int camera = listen_on_loopback(&port), pipe_fds[2];
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    open_rig(&rig, GW_REDIRECTS_NETWORK, "127.0.0.1", 2);
    struct gw_door_request request = make_request("nobody", port);
    struct iovec part = {.iov_base = &request, .iov_len = sizeof(request)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room)};
    assert_int_equal(pipe(pipe_fds), 0);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &pipe_fds[1], sizeof(int));
    assert_true(sendmsg(rig.ends[0], &message, 0) > 0);
    close(pipe_fds[1]);
    expect_still_served(&rig, 0, port);
    assert_int_equal(read(pipe_fds[0], &(char){0}, 1), 0); // nobody holds the other end
    close(pipe_fds[0]);
    close_rig(&rig);
    close(camera);
}

static void a_flood_of_one_worker_costs_the_others_nothing(void **state)
{
    struct rig rig;
    uint16_t port;
    struct gw_door_counters counters;
    int camera = listen_on_loopback(&port);
    open_rig(&rig, GW_REDIRECTS_NETWORK, "127.0.0.1", 2);
    int before = count_open_files();
    const struct gw_door_request request = make_request(camera_of(&rig, 0), port);
    // It never takes an answer.
    for (int i = 0; i < 20000; i++)
        send(rig.ends[0], &request, sizeof(request), MSG_DONTWAIT);
    expect_still_served(&rig, 1, port);
    for (int i = 0; i < 20000; i++)
        send(rig.ends[0], &request, sizeof(request), 0);
    gw_door_count(rig.door, &counters);
    // An allowance of 24, and one for each second that this took.
    assert_in_range(counters.made, 1, 24 + 1 + 30);
    assert_true(counters.refused > 10000);
    expect_open_files(before - 2, before); // the client's pair is gone
    close_rig(&rig);
    close(camera);
}

static void names_under_way_are_bounded(void **state)
{
    struct rig rig;
    uint16_t port;
    int camera = listen_on_loopback(&port);
    open_rig(&rig, GW_REDIRECTS_NETWORK, "127.0.0.1", CAMERAS);
    int before = count_open_files();
    for (int i = 0; i < 1000; i++) {
        struct gw_door_request request = make_request(rig.cameras[i % CAMERAS].id, port);
        strcpy(request.host, "slow.test");
        send(rig.ends[0], &request, sizeof(request), MSG_DONTWAIT);
    }
    expect_still_served(&rig, 1, port);
    expect_open_files(before, before + 64);
    // A new process of this worker is served at once; what the old one asked is forgotten.
    close(rig.ends[0]);
    admit(&rig, 0);
    expect_still_served(&rig, 0, port);
    close_rig(&rig);
    for (int i = 0; i < 100; i++)
        sem_post(&release);
    wait_until(&asking, 0);
    close(camera);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_gets_a_connection_to_its_own_camera),
        cmocka_unit_test(a_worker_gets_nothing_of_a_camera_that_another_one_has),
        cmocka_unit_test(a_camera_that_is_taken_from_a_worker_is_closed_to_it),
        cmocka_unit_test(redirects_go_where_the_policy_says),
        cmocka_unit_test(a_name_that_does_not_answer_holds_up_nobody_else),
        cmocka_unit_test(a_silent_hub_costs_no_more_than_the_deadline_or_a_stop),
        cmocka_unit_test(each_of_many_sessions_gets_its_own_answer),
        cmocka_unit_test(a_pair_hears_the_camera_that_it_is_aimed_at_and_nobody_else),
        cmocka_unit_test(messages_that_make_no_sense_are_counted_and_dropped),
        cmocka_unit_test(descriptors_that_a_worker_sends_are_not_kept),
        cmocka_unit_test(a_flood_of_one_worker_costs_the_others_nothing),
        cmocka_unit_test(names_under_way_are_bounded),
    };
    slow_names_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
