// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Sessions against a real RTSP server that this project did not write (rtsp_server.py).

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/supervisor.h"

#define SKIPPED 77
#define USER    "operator"
#define SECRET  "p@ss:w/rd"

struct server {
    pid_t pid;
    int stdin_fd; // it ends when this is closed
    int port;
};
static struct server server;

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static void exec_server(int in, int out, int port)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", port);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    execl("/usr/bin/python3", "python3", GW_RTSP_SERVER, text, (char *)NULL);
    fprintf(stderr, "skipped: /usr/bin/python3 is absent\n");
    _exit(SKIPPED);
}

// Returns false when something it needs is absent; it then said so.
static bool start_server(int port)
{
    int in[2], out[2];
    assert_int_equal(pipe(in) | pipe(out), 0);
    server.pid = fork();
    assert_true(server.pid >= 0);
    if (!server.pid)
        exec_server(in[0], out[1], port);
    close(in[0]);
    close(out[1]);
    server.stdin_fd = in[1];
    FILE *lines = fdopen(out[0], "r");
    bool started = fscanf(lines, "port %d", &server.port) == 1;
    fclose(lines);
    return started;
}

static int end_server(void)
{
    int status;
    kill(server.pid, SIGCONT);
    close(server.stdin_fd);
    assert_int_equal(waitpid(server.pid, &status, 0), server.pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// What a session gave to its sink, checked as it came.
struct take {
    struct gw_stop stop;
    int enough; // packets, then it is asked to stop; 0: never
    int packets, streams;
    struct gw_stream *stream;
    int64_t newest_us, last_dts_us, last_mono_us;
    int64_t longest_gap_us; // between the arrivals of two packets
    bool reordered;
    char codec[8];
    int width, height, reorder;
};

static void take_online(void *opaque, const struct gw_stream *stream)
{
    struct take *take = opaque;
    assert_int_equal(take->packets, 0);
    snprintf(take->codec, sizeof(take->codec), "%s", gw_stream_codec_name(stream));
    take->width = stream->parameters->width;
    take->height = stream->parameters->height;
    take->reorder = stream->reorder;
    assert_true(stream->parameters->extradata_size > 0);
}

static void begin_take_stream(struct take *take, const struct gw_packet *packet)
{
    assert_true(gw_packet_is_key(packet));
    gw_stream_unref(&take->stream);
    take->stream = gw_stream_ref(packet->stream);
    take->streams++;
    take->newest_us = take->last_dts_us = GW_NO_TIME;
}

static void take_packet(void *opaque, struct gw_packet *packet)
{
    struct take *take = opaque;
    int64_t pts_us = gw_packet_wall_us(packet);

    if (packet->stream != take->stream)
        begin_take_stream(take, packet);
    assert_true(packet->av->dts <= pts_us && packet->av->dts > take->last_dts_us);
    assert_true(llabs(pts_us - gw_wall_us()) < GW_SECOND);
    take->last_dts_us = packet->av->dts;
    take->reordered |= pts_us < take->newest_us;
    if (pts_us > take->newest_us)
        take->newest_us = pts_us;
    if (take->packets && packet->mono_us - take->last_mono_us > take->longest_gap_us)
        take->longest_gap_us = packet->mono_us - take->last_mono_us;
    take->last_mono_us = packet->mono_us;
    if (++take->packets == take->enough)
        gw_stop_request(&take->stop);
}

static void begin_take(struct take *take, int enough)
{
    *take = (struct take){.enough = enough};
    gw_stop_init(&take->stop);
}

static void end_take(struct take *take)
{
    gw_stream_unref(&take->stream);
    gw_stop_finish(&take->stop);
}

static int run_session(struct take *take, const char *name, const char *user, const char *password)
{
    char url[GW_URL_SIZE];
    const struct gw_session_sink sink = {take, take_packet, take_online};
    struct gw_session_config config = gw_session_defaults;

    snprintf(url, sizeof(url), "rtsp://127.0.0.1:%d/%s", server.port, name);
    config.url = url;
    config.username = user;
    config.password = password;
    config.stall_timeout_us = GW_SECOND;
    return gw_session_run(&config, &sink, NULL, &take->stop);
}

static struct take watch(const char *name)
{
    struct take take;
    begin_take(&take, 60);
    assert_int_equal(run_session(&take, name, "", ""), GW_ERROR_STOPPED);
    assert_int_equal(take.packets, 60);
    assert_int_equal(take.streams, 1);
    assert_int_equal(take.width, 320);
    assert_int_equal(take.height, 240);
    end_take(&take);
    return take;
}

static void a_camera_gives_pictures_in_order_from_a_keyframe_on(void **state)
{
    struct take take = watch("h264");
    assert_string_equal(take.codec, "h264");
    assert_false(take.reordered);
}

static void b_frames_arrive_in_decoding_order_with_their_own_times(void **state)
{
    struct take take = watch("b-frames");
    assert_true(take.reordered);
    assert_true(take.reorder > 0);
}

static void h265_is_understood_and_its_keyframes_are_told_apart(void **state)
{
    struct take take = watch("h265");
    assert_string_equal(take.codec, "h265");
}

static void audio_beside_the_video_is_ignored(void **state)
{
    watch("audio-and-video");
}

static void assert_fails(const char *name, const char *user, const char *password, int error)
{
    struct take take;
    begin_take(&take, 1);
    assert_int_equal(run_session(&take, name, user, password), error);
    assert_int_equal(take.packets, 0);
    end_take(&take);
}

static void a_camera_without_video_is_said_to_have_none(void **state)
{
    assert_fails("audio-only", "", "", GW_ERROR_NO_VIDEO);
}

static void an_unknown_path_is_not_found(void **state)
{
    assert_fails("nowhere", "", "", GW_ERROR_NOT_FOUND);
}

static void a_camera_that_fails_is_told_apart_from_one_that_is_not_there(void **state)
{
    assert_fails("fails", "", "", GW_ERROR_BUSY);
    assert_non_null(strstr(gw_session_reason(GW_ERROR_BUSY), "check its state"));
}

static void the_right_password_opens_and_every_other_is_refused(void **state)
{
    struct take take;
    begin_take(&take, 1);
    assert_int_equal(run_session(&take, "secret", USER, SECRET), GW_ERROR_STOPPED);
    end_take(&take);
    assert_fails("secret", USER, "wrong", GW_ERROR_UNAUTHORIZED);
    assert_fails("secret", "", "", GW_ERROR_UNAUTHORIZED);
}

static void no_password_reaches_the_log_even_at_its_most_talkative(void **state)
{
    static const char *const secrets[] = {SECRET, "hunter2", "p%40ss", "Authorization",
                                          "response="};
    char text[65536] = "";
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);

    dup2(fileno(file), STDERR_FILENO);
    gw_log_setup(GW_LOG_TRACE, 0);
    struct take take;
    begin_take(&take, 1);
    run_session(&take, "secret", USER, SECRET);
    end_take(&take);
    assert_fails("secret", USER, "hunter2", GW_ERROR_UNAUTHORIZED);
    gw_log_setup(GW_LOG_INFO, 0);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    assert_non_null(strstr(text, "401"));
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
        assert_null(strstr(text, secrets[i]));
}

static void a_camera_that_stops_sending_is_noticed_after_the_stall_timeout(void **state)
{
    struct take take;
    begin_take(&take, 0);
    pid_t helper = fork(); // stops the server in a second
    if (!helper) {
        pause_ms(1000);
        kill(server.pid, SIGSTOP);
        _exit(0);
    }
    assert_int_equal(run_session(&take, "h264", "", ""), GW_ERROR_STALLED);
    int64_t silence_us = gw_mono_us() - take.last_mono_us;
    kill(server.pid, SIGCONT);
    waitpid(helper, NULL, 0);
    assert_true(take.packets > 5);
    // What libavformat still has when it is interrupted is no frame, and no sign of life.
    assert_true(take.longest_gap_us < GW_SECOND * 4 / 5);
    assert_true(silence_us >= GW_SECOND && silence_us < 2 * GW_SECOND);
    end_take(&take);
}

struct stopper {
    struct gw_stop *stop;
    int after_ms;
    int64_t asked_us;
};

static void *request_stop(void *opaque)
{
    struct stopper *stopper = opaque;
    pause_ms(stopper->after_ms);
    stopper->asked_us = gw_mono_us();
    gw_stop_request(stopper->stop);
    return NULL;
}

static void assert_stops_within_half_a_second(int after_ms)
{
    struct take take;
    pthread_t thread;
    begin_take(&take, 0);
    struct stopper stopper = {&take.stop, after_ms, 0};
    pthread_create(&thread, NULL, request_stop, &stopper);
    assert_int_equal(run_session(&take, "h264", "", ""), GW_ERROR_STOPPED);
    int64_t ended_us = gw_mono_us();
    pthread_join(thread, NULL);
    assert_true(ended_us - stopper.asked_us < GW_SECOND / 2);
    end_take(&take);
}

static void a_stop_request_ends_a_playing_session_at_once(void **state)
{
    assert_stops_within_half_a_second(0);
    assert_stops_within_half_a_second(500);
}

static void a_stop_request_ends_a_connecting_session_at_once(void **state)
{
    kill(server.pid, SIGSTOP);
    assert_stops_within_half_a_second(300);
    kill(server.pid, SIGCONT);
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

static void twenty_sessions_leave_no_file_open(void **state)
{
    int before = count_open_files();
    for (int i = 0; i < 20; i++) {
        struct take take;
        begin_take(&take, 1 + i % 3);
        assert_int_equal(run_session(&take, i % 2 ? "h265" : "h264", "", ""), GW_ERROR_STOPPED);
        end_take(&take);
    }
    assert_int_equal(count_open_files(), before);
}

// Written by the supervisor's thread, read by the test's.
static _Atomic int online_count, offline_count;

static void count_state(void *opaque, const struct gw_camera_state *state)
{
    if (state->status == GW_CAMERA_ONLINE)
        online_count++;
    else
        offline_count++;
}

static void wait_until(_Atomic int *count, int value)
{
    int64_t until_us = gw_mono_us() + 20 * GW_SECOND;
    while (*count < value && gw_mono_us() < until_us)
        pause_ms(20);
    assert_true(*count >= value);
}

static void a_camera_that_comes_back_is_online_again_by_itself(void **state)
{
    struct gw_ring *ring;
    struct gw_supervisor *supervisor;
    struct gw_supervisor_counters counters;
    struct gw_supervisor_config config = {.session = gw_session_defaults, .state = count_state};

    assert_int_equal(gw_ring_create(&ring, &gw_ring_defaults), 0);
    config.ring = ring;
    snprintf(config.camera.id, sizeof(config.camera.id), "cam");
    snprintf(config.camera.record_url, sizeof(config.camera.record_url), "rtsp://127.0.0.1:%d/h264",
             server.port);
    assert_int_equal(gw_supervisor_create(&supervisor, &config), 0);
    wait_until(&online_count, 1);
    end_server();
    wait_until(&offline_count, 1);
    assert_true(start_server(server.port));
    wait_until(&online_count, 2);
    gw_supervisor_count(supervisor, &counters);
    assert_true(counters.online && counters.packets > 0 && counters.bytes > 0);
    assert_true(counters.reconnects >= 1);
    gw_supervisor_destroy(&supervisor);
    assert_true(gw_ring_head(ring) >= counters.packets);
    gw_ring_destroy(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_camera_gives_pictures_in_order_from_a_keyframe_on),
        cmocka_unit_test(b_frames_arrive_in_decoding_order_with_their_own_times),
        cmocka_unit_test(h265_is_understood_and_its_keyframes_are_told_apart),
        cmocka_unit_test(audio_beside_the_video_is_ignored),
        cmocka_unit_test(a_camera_without_video_is_said_to_have_none),
        cmocka_unit_test(an_unknown_path_is_not_found),
        cmocka_unit_test(a_camera_that_fails_is_told_apart_from_one_that_is_not_there),
        cmocka_unit_test(the_right_password_opens_and_every_other_is_refused),
        cmocka_unit_test(no_password_reaches_the_log_even_at_its_most_talkative),
        cmocka_unit_test(a_camera_that_stops_sending_is_noticed_after_the_stall_timeout),
        cmocka_unit_test(a_stop_request_ends_a_playing_session_at_once),
        cmocka_unit_test(a_stop_request_ends_a_connecting_session_at_once),
        cmocka_unit_test(twenty_sessions_leave_no_file_open),
        cmocka_unit_test(a_camera_that_comes_back_is_online_again_by_itself),
    };
    if (!start_server(0))
        return end_server() == SKIPPED ? SKIPPED : 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    end_server();
    return failed;
}
