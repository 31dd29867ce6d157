// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "analyze/decode.h"
#include "analyze/jpeg.h"
#include "app/door.h"
#include "app/door_client.h"
#include "app/sandbox.h"
#include "app/sandbox_build.h"
#include "core/clock.h"
#include "storage/clip_writer.h"
#include "storage/media.h"
#include "tests/unit/coded_pictures.h"

#define START_US INT64_C(1777863721120000)

static const struct gw_log quiet = {.name = "test"};
static char store[PATH_MAX];
static struct coded_pictures *pictures;

static int make_store(void **state)
{
    char path[PATH_MAX + 16];
    struct coded_pictures_config config = {"libx264", 50, 25, 10, 0, START_US, 0};
    snprintf(store, sizeof(store), "/tmp/gridwatch-test-XXXXXX");
    if (!mkdtemp(store))
        return -1;
    snprintf(path, sizeof(path), "%s/index.db", store);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    pictures = coded_pictures_make(&config);
    return pictures ? 0 : -1;
}

static int remove_store(void **state)
{
    char command[PATH_MAX + 16];
    snprintf(command, sizeof(command), "rm -rf '%s'", store);
    coded_pictures_free(pictures);
    return system(command);
}

// --- children in the sandbox ---------------------------------------------------------------------

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

// Says in the child which expectation failed; the parent then fails.
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s (errno %s)\n", __FILE__, __LINE__, #condition,              \
                    strerror(errno));                                                              \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

#define EXPECT_ERROR(call, number)                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        EXPECT((call) < 0 && errno == (number));                                                   \
    } while (0)

static struct gw_sandbox_config make_config(void)
{
    return (struct gw_sandbox_config){.store = store, .door_fd = -1, .log = &quiet};
}

static pid_t begin_in_sandbox(struct gw_sandbox_config config, int (*check)(void *), void *opaque)
{
    if (!has_landlock()) {
        print_message("this kernel has no Landlock\n");
        skip();
    }
    pid_t child = fork();
    if (!child) {
        if (gw_sandbox_files(&config) < 0 || gw_sandbox_calls(&config) < 0)
            _exit(2);
        _exit(check(opaque));
    }
    return child;
}

static void expect_success(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail_msg("the child ended with status %x", (unsigned)status);
}

static void expect_in_sandbox(struct gw_sandbox_config config, int (*check)(void *), void *opaque)
{
    expect_success(begin_in_sandbox(config, check, opaque));
}

static int open_in_store(const char *path, int flags)
{
    char full[PATH_MAX + 64];
    snprintf(full, sizeof(full), "%s/%s", store, path);
    return open(full, flags | O_CLOEXEC, 0600);
}

// --- files ---------------------------------------------------------------------------------------

static int touch_what_is_closed(void *opaque)
{
    char from[PATH_MAX + 32], to[PATH_MAX + 32];
    EXPECT_ERROR(open_in_store("index.db", O_RDONLY), EACCES);
    EXPECT_ERROR(open_in_store("index.db", O_RDWR), EACCES);
    EXPECT_ERROR(open_in_store("beside", O_CREAT | O_WRONLY), EACCES);
    EXPECT_ERROR(open("/etc/passwd", O_RDONLY | O_CLOEXEC), EACCES);
    EXPECT_ERROR(open("/tmp/gridwatch-sandbox", O_CREAT | O_WRONLY | O_CLOEXEC, 0600), EACCES);
    EXPECT_ERROR(open("/usr/lib/gridwatch-sandbox", O_CREAT | O_WRONLY | O_CLOEXEC, 0600), EACCES);
    EXPECT_ERROR(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC), EACCES);
    EXPECT_ERROR(open("/dev/null", O_WRONLY | O_CLOEXEC), EACCES);
    snprintf(to, sizeof(to), "%s/folder", store);
    EXPECT_ERROR(mkdir(to, 0700), EACCES);
    // A file of its own does not get out, and nothing else in; links point nowhere.
    int fd = open_in_store("media/clip", O_CREAT | O_RDWR);
    EXPECT(fd >= 0);
    close(fd);
    snprintf(from, sizeof(from), "%s/media/clip", store);
    EXPECT_ERROR(rename(from, to), EACCES);
    EXPECT_ERROR(rename(to, from), ENOENT);
    snprintf(to, sizeof(to), "%s/index.db", store);
    EXPECT_ERROR(rename(to, from), EACCES);
    EXPECT_ERROR(link(to, from), EPERM);
    EXPECT_ERROR(symlink(to, from), EPERM);
    EXPECT_ERROR(unlink(to), EACCES);
    return 0;
}

static void nothing_but_media_can_be_written_and_the_index_not_even_read(void **state)
{
    expect_in_sandbox(make_config(), touch_what_is_closed, NULL);
}

static int write_media(void *opaque)
{
    struct gw_clip clip = {.id = gw_id_make(START_US), .camera = "gate-07"};
    struct gw_clip_writer *writer;
    char path[GW_MEDIA_PATH_SIZE];

    EXPECT(gw_clip_writer_create(&writer, store, &clip, &pictures->packets[0]) == 0);
    for (int i = 0; i < pictures->count; i++)
        EXPECT(gw_clip_writer_write(writer, &pictures->packets[i]) == 0);
    EXPECT(gw_clip_writer_finish(&writer, &clip) == 0);
    EXPECT(clip.frames == pictures->count);
    // And one that a worker before it left open.
    EXPECT(gw_clip_repair(store, &clip) == 0);
    EXPECT(gw_media_write(store, "media/2026/05/04/a/snapshot.jpg", (const uint8_t *)"jpeg", 4) ==
           0);
    int fd = open_in_store(gw_clip_path(path, &clip), O_RDONLY);
    EXPECT(fd >= 0);
    close(fd);
    return 0;
}

static void clips_and_snapshots_can_be_written(void **state)
{
    expect_in_sandbox(make_config(), write_media, NULL);
}

static int only_read_media(void *opaque)
{
    char path[PATH_MAX + 32];
    int fd = open_in_store("media/shown", O_RDONLY);
    EXPECT(fd >= 0);
    close(fd);
    EXPECT_ERROR(open_in_store("media/shown", O_RDWR), EACCES);
    EXPECT_ERROR(open_in_store("media/new", O_CREAT | O_WRONLY), EACCES);
    EXPECT_ERROR(open_in_store("index.db", O_RDONLY), EACCES);
    snprintf(path, sizeof(path), "%s/media/shown", store);
    EXPECT_ERROR(unlink(path), EACCES);
    return 0;
}

static void who_only_reads_media_changes_nothing_in_it(void **state)
{
    struct gw_sandbox_config config = make_config();
    assert_int_equal(gw_media_write(store, "media/shown", (const uint8_t *)"x", 1), 0);
    config.reads_only = true;
    expect_in_sandbox(config, only_read_media, NULL);
}

// --- decoding and threads ------------------------------------------------------------------------

static void compress(void *opaque, const struct gw_frame *frame)
{
    struct gw_jpeg jpeg = {0};
    *(int *)opaque += gw_jpeg_make(&jpeg, frame, NULL, 320, 80) == 0 && jpeg.size > 100;
    gw_jpeg_free(&jpeg);
}

static void *decode(void *opaque)
{
    int *frames = opaque;
    struct gw_decoder_config config = {.opaque = frames, .frame = compress};
    struct gw_decoder *decoder;

    if (gw_decoder_create(&decoder, &config) < 0)
        return NULL;
    for (int i = 0; i < pictures->count; i++)
        gw_decoder_feed(decoder, &pictures->packets[i]);
    gw_decoder_drain(decoder);
    gw_decoder_destroy(&decoder);
    return NULL;
}

static int decode_in_threads(void *opaque)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    int frames[THREADS] = {0};
    for (int i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, decode, &frames[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        EXPECT(frames[i] == pictures->count);
    }
    char *large = malloc(64 << 20);
    memset(large, 1, 64 << 20);
    free(large);
    pthread_setname_np(pthread_self(), "renamed");
    char name[16] = "";
    pthread_getname_np(pthread_self(), name, sizeof(name));
    EXPECT(!strcmp(name, "renamed"));
    return 0;
}

static void threads_can_be_made_and_pictures_decoded(void **state)
{
    expect_in_sandbox(make_config(), decode_in_threads, NULL);
}

static int try_in_thread(int pipe_fd)
{
    EXPECT(read(pipe_fd, &(char){0}, 1) == 1);
    EXPECT_ERROR(open_in_store("index.db", O_RDONLY), EACCES);
    EXPECT_ERROR(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), EPERM);
    return 0;
}

static void *run_earlier_thread(void *opaque)
{
    int *fd = opaque;
    return (void *)(intptr_t)try_in_thread(*fd);
}

static void threads_of_before_the_filter_are_held_as_well(void **state)
{
    struct gw_sandbox_config config = make_config();
    int status, fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (!child) {
        pthread_t thread;
        void *result;
        int error = gw_sandbox_files(&config);
        pthread_create(&thread, NULL, run_earlier_thread, &fds[0]);
        error = error ? error : gw_sandbox_calls(&config);
        error = write(fds[1], "", 1) == 1 ? error : -EIO;
        pthread_join(thread, &result);
        _exit(error ? 2 : (int)(intptr_t)result);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(fds[0]);
    close(fds[1]);
}

// --- other processes, other machines -------------------------------------------------------------

static int call_what_is_forbidden(void *opaque)
{
    char *const arguments[] = {(char *)"/bin/true", NULL};
    EXPECT_ERROR(execve("/bin/true", arguments, NULL), EPERM);
    EXPECT_ERROR(syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, NULL, 0), EPERM);
    EXPECT_ERROR(syscall(SYS_clone3, NULL, 0), ENOSYS);
    EXPECT_ERROR(mount("none", "/mnt", "tmpfs", 0, NULL), EPERM);
    EXPECT_ERROR(syscall(SYS_unshare, 0), EPERM);
    EXPECT_ERROR(syscall(SYS_bpf, 0, NULL, 0), EPERM);
    EXPECT_ERROR(syscall(SYS_io_uring_setup, 1, NULL), EPERM);
    EXPECT_ERROR(syscall(SYS_keyctl, 0, 0, 0, 0, 0), EPERM);
    EXPECT_ERROR(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0), EPERM);
    EXPECT_ERROR(syscall(SYS_userfaultfd, 0), EPERM);
    EXPECT_ERROR(syscall(SYS_memfd_create, "m", 0), EPERM);
    EXPECT_ERROR(chmod(store, 0777), EPERM);
    EXPECT_ERROR(setuid(0), EPERM);
#if !SANITIZED // sanitizers need these
    EXPECT_ERROR(fork(), EPERM);
    EXPECT_ERROR(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL), EPERM);
    EXPECT_ERROR(prctl(PR_SET_DUMPABLE, 1), EPERM);
    EXPECT_ERROR(kill(getppid(), 0), EPERM);
    EXPECT_ERROR(syscall(SYS_tgkill, getppid(), getppid(), 0), EPERM);
#endif
    struct rlimit limit;
    EXPECT(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max <= 1);
    return 0;
}

static void no_program_is_started_and_no_other_process_touched(void **state)
{
    expect_in_sandbox(make_config(), call_what_is_forbidden, NULL);
}

// Sockets that were there before: a bound UDP one, an unconnected TCP one, a connected pair.
struct sockets {
    int udp, tcp, pair[2];
    struct sockaddr_in target;
};

static int use_sockets(void *opaque)
{
    struct sockets *sockets = opaque;
    const struct sockaddr *to = (struct sockaddr *)&sockets->target;
    struct iovec part = {.iov_base = (void *)"x", .iov_len = 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    char byte;

    EXPECT_ERROR(socket(AF_INET, SOCK_STREAM, 0), EPERM);
    EXPECT_ERROR(socket(AF_NETLINK, SOCK_RAW, 0), EPERM);
    EXPECT_ERROR(socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}), EPERM);
    EXPECT_ERROR(connect(sockets->tcp, to, sizeof(sockets->target)), EPERM);
    EXPECT_ERROR(connect(sockets->udp, to, sizeof(sockets->target)), EPERM);
    EXPECT_ERROR(bind(sockets->tcp, to, sizeof(sockets->target)), EPERM);
    EXPECT_ERROR(listen(sockets->tcp, 1), EPERM);
    EXPECT_ERROR(accept(sockets->tcp, NULL, NULL), EPERM);
    EXPECT_ERROR(sendto(sockets->udp, "x", 1, 0, to, sizeof(sockets->target)), EPERM);
    EXPECT_ERROR(sendmsg(sockets->pair[0], &message, 0), EPERM);
    EXPECT_ERROR(recvmsg(sockets->pair[1], &message, MSG_DONTWAIT), EPERM);
    EXPECT_ERROR(setsockopt(sockets->tcp, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2), EPERM);
    // What a session does with a connection.
    EXPECT(send(sockets->pair[0], "y", 1, MSG_NOSIGNAL) == 1);
    EXPECT(recv(sockets->pair[1], &byte, 1, 0) == 1 && byte == 'y');
    EXPECT(setsockopt(sockets->tcp, IPPROTO_TCP, 1 /* TCP_NODELAY */, &(int){1}, sizeof(int)) == 0);
    EXPECT(setsockopt(sockets->udp, SOL_SOCKET, SO_RCVBUF, &(int){65536}, sizeof(int)) == 0);
    return 0;
}

static void open_sockets(struct sockets *sockets)
{
    socklen_t size = sizeof(sockets->target);
    sockets->target =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sockets->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockets->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(sockets->udp, (struct sockaddr *)&sockets->target, size), 0);
    assert_int_equal(getsockname(sockets->udp, (struct sockaddr *)&sockets->target, &size), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets->pair), 0);
}

static void close_sockets(const struct sockets *sockets)
{
    close(sockets->udp);
    close(sockets->tcp);
    close(sockets->pair[0]);
    close(sockets->pair[1]);
}

static void no_connection_is_made_and_nothing_sent_elsewhere(void **state)
{
    struct sockets sockets;
    open_sockets(&sockets);
    expect_in_sandbox(make_config(), use_sockets, &sockets);
    close_sockets(&sockets);
}

// --- with and without a door ---------------------------------------------------------------------

static int listen_on_loopback(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

struct caller {
    int door_fd;
    uint16_t port;
};

static int use_dialer(const struct gw_dialer *dialer, uint16_t port)
{
    struct gw_stop stop;
    struct pollfd poller = {.events = POLLOUT};
    uint16_t local;
    int pair[2], error = -1;
    socklen_t size = sizeof(error);

    gw_stop_init(&stop);
    poller.fd = dialer->connect(dialer->opaque, "127.0.0.1", "127.0.0.1", port,
                                gw_mono_us() + 5 * GW_SECOND, &stop);
    EXPECT(poller.fd >= 0);
    EXPECT(poll(&poller, 1, 5000) == 1);
    EXPECT(getsockopt(poller.fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && !error);
    EXPECT(send(poller.fd, "OPTIONS", 7, MSG_NOSIGNAL) == 7);
    EXPECT(dialer->open_udp(dialer->opaque, poller.fd, pair, &local) == 0);
    EXPECT(dialer->aim_udp(dialer->opaque, poller.fd, pair, (const uint16_t[]){5000, 5001}) == 0);
    EXPECT(send(pair[0], "hole", 4, 0) == 4);
    return 0;
}

static int go_through_the_door(void *opaque)
{
    const struct caller *caller = opaque;
    struct gw_door_client *client;
    EXPECT(gw_door_client_create(&client, caller->door_fd) == 0);
    struct gw_door_caller camera = {.client = client, .camera = "cam"};
    struct gw_dialer dialer = gw_door_dialer(&camera);
    return use_dialer(&dialer, caller->port);
}

static void a_session_reaches_its_camera_through_the_door(void **state)
{
    struct gw_camera camera = {.id = "cam", .enabled = true, .record_url = "rtsp://127.0.0.1/main"};
    struct gw_assignment assignment = {0};
    struct gw_door_config door_config = {.workers = 1, .log = &quiet};
    struct gw_sandbox_config config = make_config();
    struct gw_door *door;
    struct caller caller;
    int ends[2], listening = listen_on_loopback(&caller.port);

    // The child is made before the door, whose thread may hold a lock of the allocator just then.
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    config.door_fd = caller.door_fd = ends[1];
    const pid_t child = begin_in_sandbox(config, go_through_the_door, &caller);
    close(ends[1]);
    gw_assignment_update(&assignment, &camera, 1, 1);
    assert_int_equal(gw_door_create(&door, &door_config), 0);
    gw_door_assign(door, &assignment);
    gw_door_admit(door, 0, ends[0]);
    expect_success(child);
    gw_door_destroy(&door);
    gw_assignment_finish(&assignment);
    close(listening);
}

static int go_directly(void *opaque)
{
    const struct caller *caller = opaque;
    return use_dialer(&gw_dial_direct, caller->port);
}

static void a_worker_without_a_door_may_connect(void **state)
{
    struct gw_sandbox_config config = make_config();
    struct caller caller;
    int listening = listen_on_loopback(&caller.port);
    config.sockets = true;
    expect_in_sandbox(config, go_directly, &caller);
    close(listening);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_but_media_can_be_written_and_the_index_not_even_read),
        cmocka_unit_test(clips_and_snapshots_can_be_written),
        cmocka_unit_test(who_only_reads_media_changes_nothing_in_it),
        cmocka_unit_test(threads_can_be_made_and_pictures_decoded),
        cmocka_unit_test(threads_of_before_the_filter_are_held_as_well),
        cmocka_unit_test(no_program_is_started_and_no_other_process_touched),
        cmocka_unit_test(no_connection_is_made_and_nothing_sent_elsewhere),
        cmocka_unit_test(a_session_reaches_its_camera_through_the_door),
        cmocka_unit_test(a_worker_without_a_door_may_connect),
    };
    return cmocka_run_group_tests(tests, make_store, remove_store);
}
