// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The RTSP client against cameras that follow a script, each on a thread of its own.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/x509.h>
#include <libavutil/error.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/rtsp.h"

#define USER   "operator"
#define SECRET "p@ss:w/rd"

#define SOON_US MS(200) // how late a call may be
#define MS(ms)  ((ms) * (GW_SECOND / 1000))

// --- cameras -------------------------------------------------------------------------------------

enum { MOST_CAMERAS = 6, MOST_TURNS = 20, LOG_SIZE = 16384 };

// What a camera does when its script is at its end.
enum afterwards {
    SILENCE,
    HANG_UP,
    FLOOD, // sends `flood` without end
    DRIP,  // sends it again and again, slowly
};

struct camera {
    const char *turns[MOST_TURNS]; // answers, one per request; "" for none
    size_t sizes[MOST_TURNS];      // of those with zeros in them, else 0
    enum afterwards afterwards;
    const char *flood;
    size_t flood_size; // when it has zeros in it
    bool tls;
    char sni[64]; // what the client called it in its greeting

    int fd;
    gnutls_session_t session;
    pthread_t thread;
    char host[64], log[LOG_SIZE]; // what it was called, and what it was asked
    size_t logged;
};

static struct camera cameras[MOST_CAMERAS];
static int camera_count; // that were connected to
static gnutls_certificate_credentials_t credentials;

static ssize_t receive(struct camera *camera, void *to, size_t size)
{
    return camera->session ? gnutls_record_recv(camera->session, to, size)
                           : recv(camera->fd, to, size, 0);
}

static bool send_all(struct camera *camera, const char *bytes, size_t size)
{
    while (size) {
        ssize_t sent = camera->session ? gnutls_record_send(camera->session, bytes, size)
                                       : send(camera->fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

// Reads one request, or whatever else comes. Returns false at the end.
static bool hear(struct camera *camera)
{
    const size_t begin = camera->logged;
    while (!strstr(camera->log + begin, "\r\n\r\n")) {
        if (camera->logged + 1 == LOG_SIZE || receive(camera, camera->log + camera->logged, 1) != 1)
            return false;
        camera->log[++camera->logged] = 0;
    }
    return true;
}

static void shake_hands(struct camera *camera)
{
    gnutls_init(&camera->session, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);
    gnutls_set_default_priority(camera->session);
    gnutls_credentials_set(camera->session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(camera->session, camera->fd);
    while (gnutls_handshake(camera->session) == GNUTLS_E_AGAIN)
        ;
    size_t size = sizeof(camera->sni) - 1;
    unsigned type;
    gnutls_server_name_get(camera->session, camera->sni, &size, &type, 0);
}

static void end_script(struct camera *camera)
{
    const size_t size =
        camera->flood_size || !camera->flood ? camera->flood_size : strlen(camera->flood);
    while (camera->afterwards == FLOOD && send_all(camera, camera->flood, size))
        ;
    while (camera->afterwards == DRIP && send_all(camera, camera->flood, size))
        usleep(20000);
    if (camera->afterwards == SILENCE)
        while (hear(camera))
            ;
    shutdown(camera->fd, SHUT_RDWR);
}

static void *run_camera(void *opaque)
{
    struct camera *camera = opaque;
    if (camera->tls)
        shake_hands(camera);
    for (int i = 0; i < MOST_TURNS && camera->turns[i]; i++) {
        const size_t size = camera->sizes[i] ? camera->sizes[i] : strlen(camera->turns[i]);
        if (!hear(camera) || !send_all(camera, camera->turns[i], size))
            break;
    }
    end_script(camera);
    if (camera->session)
        gnutls_deinit(camera->session);
    return NULL;
}

static int connect_camera(void *opaque, const char *home, const char *host, uint16_t port,
                          int64_t deadline_mono_us, struct gw_stop *stop)
{
    int fds[2];
    assert_true(camera_count < MOST_CAMERAS);
    struct camera *camera = &cameras[camera_count++];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    camera->fd = fds[1];
    snprintf(camera->host, sizeof(camera->host), "%s:%u", host, port);
    assert_int_equal(pthread_create(&camera->thread, NULL, run_camera, camera), 0);
    return fds[0];
}

// --- the client ----------------------------------------------------------------------------------

static const struct gw_dialer dialer = {NULL, connect_camera, NULL, NULL};
static struct gw_stop stop;
static struct gw_rtsp *rtsp;
static struct gw_sdp sdp;
static struct gw_rtsp_route route;
static char media[256]; // channel and content of each, as text
static int media_count, media_result;

static int take_media(void *opaque, int channel, const uint8_t *bytes, size_t size)
{
    const size_t used = strlen(media);
    snprintf(media + used, sizeof(media) - used, "%d:%.*s ", channel, size > 1 ? (int)size - 1 : 0,
             (const char *)bytes + 1);
    media_count++;
    return media_result;
}

static struct gw_rtsp_config config = {.url = "rtsp://camera.example/1",
                                       .username = USER,
                                       .password = SECRET,
                                       .dialer = &dialer,
                                       .stop = &stop,
                                       .media = take_media};

static int set_up(void **state)
{
    memset(cameras, 0, sizeof(cameras));
    camera_count = media_count = media_result = 0;
    *media = 0;
    route = (struct gw_rtsp_route){0};
    config.url = "rtsp://camera.example/1";
    config.username = USER;
    config.password = SECRET;
    gw_stop_init(&stop);
    return 0;
}

static void close_all(bool polite)
{
    gw_rtsp_close(&rtsp, polite);
    for (int i = 0; i < camera_count; i++) {
        pthread_join(cameras[i].thread, NULL);
        close(cameras[i].fd);
    }
    camera_count = 0;
}

static int tear_down(void **state)
{
    close_all(false);
    gw_stop_finish(&stop);
    return 0;
}

static int64_t after(int64_t us)
{
    return gw_mono_us() + us;
}

static int open_it(void)
{
    return gw_rtsp_open(&rtsp, &config, &sdp, after(2 * GW_SECOND));
}

static int open_and_set_up(void)
{
    int error = open_it();
    return error ? error : gw_rtsp_setup(rtsp, &sdp, &route, after(2 * GW_SECOND));
}

static int open_and_play(void)
{
    int error = open_and_set_up();
    return error ? error : gw_rtsp_play(rtsp, &sdp, after(2 * GW_SECOND));
}

// Until so many media came, or an error.
static int step_until(int count)
{
    const int64_t due_us = after(2 * GW_SECOND);
    int error = 0;
    while (!error && media_count < count && gw_mono_us() < due_us)
        error = gw_rtsp_step(rtsp, NULL, 0, due_us);
    return error;
}

static void script(int n, const char *const *turns, int count, enum afterwards afterwards)
{
    memcpy(cameras[n].turns, turns, (size_t)count * sizeof(*turns));
    cameras[n].afterwards = afterwards;
}

#define SCRIPT(n, afterwards, ...)                                                                 \
    do {                                                                                           \
        const char *turns_[] = {__VA_ARGS__};                                                      \
        script(n, turns_, (int)(sizeof(turns_) / sizeof(turns_[0])), afterwards);                  \
    } while (0)

static void assert_asked(int n, const char *part)
{
    if (!strstr(cameras[n].log, part))
        fail_msg("camera %d was not asked \"%s\" but \"%s\"", n, part, cameras[n].log);
}

static void assert_not_asked(int n, const char *part)
{
    if (strstr(cameras[n].log, part))
        fail_msg("camera %d was asked \"%s\": \"%s\"", n, part, cameras[n].log);
}

#define SDP        "v=0\r\ns=x\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
#define SDP_LENGTH "74"
#define OK         "RTSP/1.0 200 OK\r\nCSeq: 1\r\n"
#define OPTIONS    OK "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER\r\n\r\n"
#define DESCRIBED                                                                                  \
    OK "Content-Base: rtsp://camera.example/1/\r\nContent-Length: " SDP_LENGTH "\r\n\r\n" SDP
#define IS_SET_UP                                                                                  \
    OK "Session: 4711;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
#define PLAYS OK "\r\n"
#define CHALLENGE                                                                                  \
    "RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"one\"\r\n\r\n"
#define STALE                                                                                      \
    "RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"two\", "           \
    "stale=true\r\n\r\n"

// Sends bytes with zeros in them after turn `turn` of a camera: as media of three letters each.
static char mixed[MOST_TURNS][1024];
static size_t mixed_size;

static void mix_text(int turn, const char *text)
{
    memcpy(mixed[turn] + mixed_size, text, strlen(text));
    mixed_size += strlen(text);
}

static void mix_media(int turn, int channel, const char *letters)
{
    const char head[] = {'$', (char)channel, 0, (char)(1 + strlen(letters)), (char)0x80};
    memcpy(mixed[turn] + mixed_size, head, sizeof(head));
    mixed_size += sizeof(head);
    mix_text(turn, letters);
}

static void end_mix(int n, int turn)
{
    cameras[n].turns[turn] = mixed[turn];
    cameras[n].sizes[turn] = mixed_size;
    mixed_size = 0;
}

// --- asking --------------------------------------------------------------------------------------

static void a_camera_is_asked_in_order_and_told_goodbye(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, IS_SET_UP, PLAYS);
    assert_int_equal(open_and_play(), 0);
    assert_string_equal(cameras[0].host, "camera.example:554");
    assert_int_equal(route.channels[0], 0);
    close_all(true);
    assert_asked(0, "OPTIONS rtsp://camera.example/1 RTSP/1.0\r\nCSeq: 1\r\n");
    assert_asked(0, "DESCRIBE rtsp://camera.example/1 RTSP/1.0\r\nCSeq: 2\r\n");
    assert_asked(0, "SETUP rtsp://camera.example/1/track1 RTSP/1.0\r\nCSeq: 3\r\n");
    assert_asked(0, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n");
    assert_asked(0, "PLAY rtsp://camera.example/1/ RTSP/1.0\r\nCSeq: 4\r\n");
    assert_asked(0, "Session: 4711\r\n");
    assert_asked(0, "TEARDOWN rtsp://camera.example/1/ RTSP/1.0\r\nCSeq: 5\r\n");
    assert_not_asked(0, "Authorization");
}

static void lower_case_and_bare_line_feeds_are_understood(void **state)
{
    SCRIPT(0, SILENCE, "RTSP/1.0 200 OK\ncseq: 1\npublic: options\n\n",
           "RTSP/1.0 200 OK\ncontent-length:" SDP_LENGTH "\n\n" SDP,
           "RTSP/1.0 200 OK\nsession: 5\ntransport: rtp/avp/tcp;INTERLEAVED=4-5\n\n",
           "RTSP/1.0 200 OK\n\n");
    assert_int_equal(open_and_play(), 0);
    assert_int_equal(route.channels[0], 4);
    assert_int_equal(route.channels[1], 5);
    close_all(true);
    assert_asked(0, "Session: 5\r\n");
    assert_asked(0, "SETUP rtsp://camera.example/1/track1 ");
}

static void a_description_without_its_length_is_read(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, OK "\r\n" SDP, IS_SET_UP);
    const int64_t began_us = gw_mono_us();
    assert_int_equal(open_and_set_up(), 0);
    assert_true(gw_mono_us() - began_us < GW_SECOND);
    assert_int_equal(sdp.format_count, 1);
}

static void a_camera_that_knows_no_options_is_asked_on(void **state)
{
    SCRIPT(0, SILENCE, "RTSP/1.0 501 Not Implemented\r\n\r\n", DESCRIBED);
    assert_int_equal(open_it(), 0);
}

static void an_answer_that_says_wait_is_waited_for(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, "RTSP/1.0 100 Continue\r\n\r\n" DESCRIBED);
    assert_int_equal(open_it(), 0);
}

static void what_the_camera_answers_is_told_apart(void **state)
{
    static const struct {
        const char *answer;
        int error;
    } cases[] = {
        {"RTSP/1.0 404 Not Found\r\n\r\n", GW_ERROR_NOT_FOUND},
        {"RTSP/1.0 403 Forbidden\r\n\r\n", GW_ERROR_UNAUTHORIZED},
        {"RTSP/1.0 453 Not Enough Bandwidth\r\n\r\n", GW_ERROR_BUSY},
        {"RTSP/1.0 503 Service Unavailable\r\n\r\n", GW_ERROR_BUSY},
        {"RTSP/1.0 400 Bad Request\r\n\r\n", AVERROR_HTTP_OTHER_4XX},
        {OK "Content-Length: 5\r\n\r\nv=0\r\n", GW_ERROR_NO_VIDEO},
        {"HTTP/1.1 200 OK\r\n\r\n", GW_ERROR_INVALID},
        {"\x16\x03\x01", GW_ERROR_INVALID},
        {OK "Content-Length: 100000\r\n\r\n", GW_ERROR_INVALID},
        {"RTSP/1.0 302 Moved\r\n\r\n", GW_ERROR_INVALID},
        {"RTSP/1.0 302 Moved\r\nLocation: http://other.example/\r\n\r\n", GW_ERROR_INVALID},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_up(NULL);
        SCRIPT(0, SILENCE, OPTIONS, cases[i].answer);
        assert_int_equal(open_it(), cases[i].error);
        assert_null(rtsp);
        tear_down(NULL);
    }
    set_up(NULL);
    SCRIPT(0, HANG_UP, OPTIONS, "");
    assert_int_equal(open_it(), AVERROR_EOF);
}

static void a_head_or_a_description_beyond_its_limit_is_refused(void **state)
{
    char *text = malloc(100000);
    assert_non_null(text);
    memset(text, 'x', 100000);
    memcpy(text, OK, strlen(OK));
    text[99999] = 0;
    SCRIPT(0, SILENCE, OPTIONS, text);
    assert_int_equal(open_it(), GW_ERROR_INVALID);
    tear_down(NULL);

    set_up(NULL);
    memcpy(text, OK "\r\n", strlen(OK "\r\n")); // of no told length
    SCRIPT(0, SILENCE, OPTIONS, text);
    assert_int_equal(open_it(), GW_ERROR_INVALID);
    close_all(false);
    free(text);
}

static void channels_and_ports_that_cannot_be_are_not_taken(void **state)
{
    static const struct {
        const char *transport;
        bool udp;
        int channels[2], ports[2], error;
    } cases[] = {
        {"RTP/AVP/TCP;interleaved=2-3", false, {2, 3}, {0, 0}, 0},
        {"RTP/AVP/TCP;interleaved=6", false, {6, 7}, {0, 0}, 0},
        {"RTP/AVP/TCP;interleaved=300-301", false, {0, 1}, {0, 0}, 0},
        {"RTP/AVP/TCP;interleaved=-5--4", false, {0, 1}, {0, 0}, 0},
        {"RTP/AVP/TCP;interleaved=255", false, {0, 1}, {0, 0}, 0},
        {"RTP/AVP/TCP;interleaved=2147483647", false, {0, 1}, {0, 0}, 0},
        {"RTP/AVP/TCP;interleaved=x", false, {0, 1}, {0, 0}, 0},
        {"RTP/AVP;unicast;client_port=5000-5001", false, {0, 1}, {0, 0}, GW_ERROR_NO_TRANSPORT},
        {"RTP/AVP;unicast;server_port=6970-6971", true, {0, 1}, {6970, 6971}, 0},
        {"RTP/AVP/UDP;server_port=6970", true, {0, 1}, {6970, 6971}, 0},
        {"RTP/AVP;server_port=6970-0", true, {0, 1}, {0, 0}, 0},
        {"RTP/AVP;server_port=6970-70000", true, {0, 1}, {0, 0}, 0},
        {"RTP/AVP;server_port=65535", true, {0, 1}, {0, 0}, 0},
        {"RTP/AVP/TCP;interleaved=0-1", true, {0, 1}, {0, 0}, GW_ERROR_NO_TRANSPORT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char answer[256];
        set_up(NULL);
        snprintf(answer, sizeof(answer), OK "Session: 1\r\nTransport: %s\r\n\r\n",
                 cases[i].transport);
        SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, answer);
        route.udp = cases[i].udp;
        route.client_port = 5000;
        assert_int_equal(open_and_set_up(), cases[i].error);
        for (int k = 0; k < 2 && !cases[i].error; k++) {
            assert_int_equal(route.channels[k], cases[i].channels[k]);
            assert_int_equal(route.server_port[k], cases[i].ports[k]);
        }
        tear_down(NULL);
    }
    set_up(NULL);
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, "RTSP/1.0 461 Unsupported Transport\r\n\r\n");
    assert_int_equal(open_and_set_up(), GW_ERROR_NO_TRANSPORT);
}

// --- logins and redirects ------------------------------------------------------------------------

static void a_challenge_is_answered_without_the_password(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, CHALLENGE, DESCRIBED, IS_SET_UP);
    assert_int_equal(open_and_set_up(), 0);
    close_all(false);
    assert_asked(0, "DESCRIBE rtsp://camera.example/1 RTSP/1.0\r\nCSeq: 3\r\n");
    assert_asked(0, "Authorization: Digest username=\"" USER "\", realm=\"r\", nonce=\"one\"");
    assert_not_asked(0, SECRET);
}

static void a_nonce_that_is_too_old_is_replaced(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, CHALLENGE, STALE, DESCRIBED, STALE, IS_SET_UP);
    assert_int_equal(open_and_set_up(), 0);
    assert_asked(0, "nonce=\"two\"");
}

static void a_camera_that_finds_every_nonce_too_old_is_left(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, STALE, STALE, STALE, STALE, STALE, STALE, STALE);
    assert_int_equal(open_it(), GW_ERROR_UNAUTHORIZED);
}

static void a_wrong_password_is_tried_once(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, CHALLENGE, CHALLENGE, DESCRIBED);
    assert_int_equal(open_it(), GW_ERROR_UNAUTHORIZED);
    close_all(false);
    assert_null(strstr(strstr(cameras[0].log, "Authorization") + 1, "Authorization"));
}

static void without_a_user_name_no_login_is_tried(void **state)
{
    config.username = config.password = "";
    SCRIPT(0, SILENCE, OPTIONS, CHALLENGE);
    assert_int_equal(open_it(), GW_ERROR_UNAUTHORIZED);
    close_all(false);
    assert_not_asked(0, "Authorization");
}

#define MOVED(to) "RTSP/1.0 302 Moved\r\nLocation: " to "\r\n\r\n"

static void a_redirect_to_another_host_hears_no_credentials(void **state)
{
    SCRIPT(0, SILENCE, CHALLENGE, OPTIONS, MOVED("rtsp://u:p@other.example:8554/2"));
    SCRIPT(1, SILENCE, OPTIONS,
           "RTSP/1.0 401 X\r\nWWW-Authenticate: Basic realm=\"give me\"\r\n\r\n", DESCRIBED);
    assert_int_equal(open_it(), GW_ERROR_UNAUTHORIZED);
    close_all(false);
    assert_asked(0, "Authorization: Digest");
    assert_string_equal(cameras[1].host, "other.example:8554");
    assert_asked(1, "OPTIONS rtsp://other.example:8554/2 RTSP/1.0\r\n");
    assert_not_asked(1, "Authorization");
}

static void a_redirect_on_the_same_host_logs_in_anew(void **state)
{
    SCRIPT(0, SILENCE, CHALLENGE, MOVED("rtsp://CAMERA.example/2"));
    SCRIPT(1, SILENCE, CHALLENGE, OPTIONS, DESCRIBED);
    assert_int_equal(open_it(), 0);
    close_all(false);
    assert_asked(1, "DESCRIBE rtsp://CAMERA.example/2 ");
    assert_asked(1, "Authorization: Digest");
    assert_ptr_equal(strstr(cameras[1].log, "OPTIONS"), cameras[1].log);
}

static void redirects_end_somewhere(void **state)
{
    for (int i = 0; i < MOST_CAMERAS; i++)
        SCRIPT(i, SILENCE, MOVED("rtsp://camera.example/again"));
    assert_int_equal(open_it(), GW_ERROR_FORBIDDEN);
    assert_int_equal(camera_count, 4);
}

static void later_requests_are_not_redirected(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, MOVED("rtsp://camera.example/2"));
    assert_int_equal(open_and_set_up(), GW_ERROR_FORBIDDEN);
}

// --- media ---------------------------------------------------------------------------------------

static void media_before_the_answer_is_handed_on(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, IS_SET_UP);
    mix_media(3, 0, "abc");
    mix_text(3, PLAYS);
    end_mix(0, 3);
    assert_int_equal(open_and_play(), 0);
    assert_string_equal(media, "0:abc ");
}

// It is in the buffer already, and no more comes to wake us.
static void media_right_behind_the_answer_is_handed_on(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, IS_SET_UP);
    mix_text(3, PLAYS);
    mix_media(3, 0, "abc");
    mix_text(3, OK "\r\n");
    mix_media(3, 1, "def");
    end_mix(0, 3);
    assert_int_equal(open_and_play(), 0);
    const int64_t began_us = gw_mono_us();
    assert_int_equal(step_until(2), 0);
    assert_true(gw_mono_us() - began_us < SOON_US);
    assert_string_equal(media, "0:abc 1:def ");
}

static void garbage_between_media_is_passed_over(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, IS_SET_UP);
    mix_text(3, PLAYS);
    mix_media(3, 0, "abc");
    mix_text(3, "\r\n\x01\x02junk$zz\xff Z");
    mix_media(3, 0, "def");
    mix_text(3, "RTSP/9 nonsense\r\nAB");
    mix_media(3, 0, "ghi");
    end_mix(0, 3);
    assert_int_equal(open_and_play(), 0);
    assert_int_equal(step_until(3), 0);
    assert_string_equal(media, "0:abc 0:def 0:ghi ");
}

static void a_camera_that_sends_only_garbage_is_left(void **state)
{
    SCRIPT(0, FLOOD, OPTIONS, DESCRIBED, IS_SET_UP, PLAYS);
    cameras[0].flood = "garbage without any sense, and no end of it; ";
    assert_int_equal(open_and_play(), 0);
    assert_int_equal(step_until(1), GW_ERROR_INVALID);
}

static void what_the_camera_asks_is_answered(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, IS_SET_UP);
    mix_text(3, "OPTIONS * RTSP/1.0\r\nCSeq: 77\r\n\r\n" PLAYS);
    mix_text(3, "SET_PARAMETER * RTSP/1.0\r\nCSeq: 78\r\nContent-Length: 3\r\n\r\na:b");
    mix_text(3, "ANNOUNCE * RTSP/1.0\r\nCSeq: 79\r\n\r\n");
    mix_media(3, 0, "abc");
    mix_text(3, "TEARDOWN * RTSP/1.0\r\nCSeq: 80\r\n\r\n");
    end_mix(0, 3);
    assert_int_equal(open_and_play(), AVERROR_EOF);
    assert_string_equal(media, "0:abc ");
    close_all(false);
    assert_asked(0, "RTSP/1.0 200 OK\r\nCSeq: 77\r\n\r\n");
    assert_asked(0, "RTSP/1.0 200 OK\r\nCSeq: 78\r\n\r\n");
    assert_asked(0, "RTSP/1.0 501 Not Implemented\r\nCSeq: 79\r\n\r\n");
}

static void what_came_before_the_end_still_counts(void **state)
{
    SCRIPT(0, HANG_UP, OPTIONS, DESCRIBED, IS_SET_UP);
    mix_text(3, PLAYS);
    mix_media(3, 0, "abc");
    end_mix(0, 3);
    assert_int_equal(open_and_play(), 0);
    assert_int_equal(step_until(2), AVERROR_EOF);
    assert_string_equal(media, "0:abc ");
}

static void an_error_of_the_taker_ends_the_taking(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, IS_SET_UP);
    mix_text(3, PLAYS);
    mix_media(3, 0, "abc");
    mix_media(3, 0, "def");
    end_mix(0, 3);
    media_result = -EPERM;
    assert_int_equal(open_and_play(), -EPERM);
    assert_int_equal(media_count, 1);
}

// --- signs of life -------------------------------------------------------------------------------

#define SHORT_SESSION                                                                              \
    OK "Session: 4711;timeout=1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
#define REFUSED "RTSP/1.0 405 Method Not Allowed\r\n\r\n"

static int step_for(int64_t us)
{
    const int64_t due_us = after(us);
    int error = 0;
    while (!error && gw_mono_us() < due_us)
        error = gw_rtsp_step(rtsp, NULL, 0, due_us);
    return error;
}

static void a_session_is_kept_alive_in_time(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, SHORT_SESSION, PLAYS, PLAYS, PLAYS);
    assert_int_equal(open_and_play(), 0);
    assert_int_equal(step_for(MS(500)), 0); // of the second that it may take
    close_all(false);
    assert_asked(0, "GET_PARAMETER rtsp://camera.example/1/ ");
    assert_asked(0, "Session: 4711\r\n");
}

static void a_camera_that_refuses_get_parameter_is_asked_for_options(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, SHORT_SESSION, PLAYS, REFUSED, REFUSED, PLAYS, PLAYS);
    assert_int_equal(open_and_play(), 0);
    assert_int_equal(step_for(MS(900)), 0);
    close_all(false);
    const char *first = strstr(cameras[0].log, "GET_PARAMETER");
    assert_non_null(first);
    assert_null(strstr(first + 1, "GET_PARAMETER")); // never again
    assert_non_null(strstr(first, "OPTIONS rtsp://camera.example/1/ "));
}

static void a_sign_of_life_whose_nonce_is_too_old_is_given_again(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, SHORT_SESSION, PLAYS, STALE, PLAYS);
    assert_int_equal(open_and_play(), 0);
    assert_int_equal(step_for(MS(500)), 0);
    close_all(false);
    assert_asked(0, "nonce=\"two\"");
}

static void a_camera_that_forgot_the_session_ended_it(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, SHORT_SESSION, PLAYS,
           "RTSP/1.0 454 Session Not Found\r\n\r\n");
    assert_int_equal(open_and_play(), 0);
    assert_int_equal(step_for(GW_SECOND), AVERROR_EOF);
}

// --- late answers --------------------------------------------------------------------------------

// Plays, gives a sign of life (request 5) that has no answer, and asks once more (request 6).
static int ask_after_silence(const char *answers, int64_t wait_us)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, SHORT_SESSION, PLAYS, "", answers);
    assert_int_equal(open_and_play(), 0);
    assert_int_equal(step_for(MS(500)), 0);
    return gw_rtsp_play(rtsp, &sdp, after(wait_us));
}

static void a_late_answer_is_not_taken_for_that_to_a_newer_request(void **state)
{
    assert_int_equal(ask_after_silence("RTSP/1.0 503 Busy\r\nCSeq: 5\r\n\r\n"
                                       "RTSP/1.0 503 Busy\r\ncseq:  5 \r\n\r\n"
                                       "RTSP/1.0 404 Not Found\r\nCSeq: 6\r\n\r\n",
                                       2 * GW_SECOND),
                     GW_ERROR_NOT_FOUND);
    close_all(false);
    assert_asked(0, "GET_PARAMETER rtsp://camera.example/1/ RTSP/1.0\r\nCSeq: 5\r\n");
    assert_asked(0, "PLAY rtsp://camera.example/1/ RTSP/1.0\r\nCSeq: 6\r\n");
}

static void a_late_answer_gives_no_longer_time_for_the_right_one(void **state)
{
    SCRIPT(0, DRIP, OPTIONS, DESCRIBED, SHORT_SESSION, PLAYS, "", "");
    cameras[0].flood = "RTSP/1.0 200 OK\r\nCSeq: 5\r\n\r\n";
    assert_int_equal(open_and_play(), 0);
    assert_int_equal(step_for(MS(500)), 0);
    const int64_t due_us = after(MS(100));
    assert_int_equal(gw_rtsp_play(rtsp, &sdp, due_us), -ETIMEDOUT);
    assert_true(gw_mono_us() - due_us < SOON_US);
}

static void a_late_answer_to_a_sign_of_life_says_nothing_of_the_next(void **state)
{
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, SHORT_SESSION, PLAYS, "",
           "RTSP/1.0 454 Session Not Found\r\nCSeq: 5\r\n\r\n"
           "RTSP/1.0 405 Method Not Allowed\r\nCSeq: 6\r\n\r\n",
           PLAYS);
    assert_int_equal(open_and_play(), 0);
    assert_int_equal(step_for(MS(1000)), 0);
    close_all(false);
    assert_asked(0, "OPTIONS rtsp://camera.example/1/ RTSP/1.0\r\nCSeq: 7\r\n"); // after the 405
}

static void an_answer_with_a_number_that_names_no_open_request_is_taken(void **state)
{
    static const char *const lines[] = {
        "",
        "CSeq:\r\n",
        "CSeq: six\r\n",
        "CSeq: 5th\r\n",
        "CSeq: -5\r\n",
        "CSeq: 0\r\n",
        "CSeq: 1\r\n", // which had its answer
        "CSeq: 4\r\n",
        "CSeq: 106\r\n",
        "CSeq: 4294967301\r\n",           // 5 and 2^32
        "CSeq: 18446744073709551621\r\n", // 5 and 2^64
    };
    enum { COUNT = sizeof(lines) / sizeof(lines[0]) };
    char answers[COUNT][128];
    for (int i = 0; i < COUNT; i++) {
        snprintf(answers[i], sizeof(answers[i]), "RTSP/1.0 404 Not Found\r\n%s\r\n", lines[i]);
        cameras[0].turns[6 + i] = answers[i];
    }
    assert_int_equal(ask_after_silence(PLAYS, GW_SECOND), 0);
    for (int i = 0; i < COUNT; i++) {
        int error = gw_rtsp_play(rtsp, &sdp, after(GW_SECOND));
        if (error != GW_ERROR_NOT_FOUND)
            fail_msg("\"%s\": error %d", lines[i], error);
    }
    close_all(false);
}

static void a_camera_whose_numbers_are_one_behind_is_understood(void **state)
{
    SCRIPT(0, SILENCE, "RTSP/1.0 200 OK\r\nCSeq: 0\r\n\r\n", DESCRIBED,
           "RTSP/1.0 200 OK\r\nCSeq: 2\r\nSession: 1\r\n\r\n",
           "RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n");
    assert_int_equal(open_and_play(), 0);
}

// --- deadlines and stops -------------------------------------------------------------------------

#define MEDIA_FLOOD "$\x01\x01\x01\x80" // ends with 256 bytes of the next ones

// Plays as far as the deadline allows.
static int play_until(int64_t due_us)
{
    int error = gw_rtsp_open(&rtsp, &config, &sdp, due_us);
    if (!error)
        error = gw_rtsp_setup(rtsp, &sdp, &route, due_us);
    return error ? error : gw_rtsp_play(rtsp, &sdp, due_us);
}

// Cameras that come so far and then do something else than to answer.
static const struct {
    int turns;
    enum afterwards afterwards;
    const char *flood;
    bool tls;
    size_t flood_size;
} stuck[] = {
    {0, SILENCE, NULL, false},
    {1, SILENCE, NULL, false},
    {2, SILENCE, NULL, false},
    {3, SILENCE, NULL, false},
    {0, FLOOD, "\r\n", false},
    {1, FLOOD, "RTSP/1.0 100 Continue\r\n\r\n", false},
    {1, FLOOD, "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", false},
    {3, FLOOD, MEDIA_FLOOD, false},
    {3, FLOOD, "x", false},
    {1, DRIP, "R", false},
    {3, DRIP, "\n", false},
    {3, DRIP, "RTSP/1.0 100 Continue\r\n\r\n", false},
    {0, SILENCE, NULL, true},
    {0, DRIP, "\x16", true},
    {0, FLOOD, "\x15\x03\x03\x00\x02\x01\x5a", true, 7}, // warnings
};

enum { STUCK_COUNT = sizeof(stuck) / sizeof(stuck[0]) };

static void set_up_stuck(int i)
{
    static const char *const turns[] = {OPTIONS, DESCRIBED, IS_SET_UP};
    set_up(NULL);
    script(0, turns, stuck[i].turns, stuck[i].afterwards);
    cameras[0].flood = stuck[i].flood;
    cameras[0].flood_size = stuck[i].flood_size;
    if (stuck[i].tls) // which the camera does not speak
        config.url = "rtsps://camera.example/1";
}

static void every_wait_ends_with_its_deadline(void **state)
{
    for (int i = 0; i < STUCK_COUNT; i++) {
        set_up_stuck(i);
        const int64_t due_us = after(MS(50));
        int error = play_until(due_us);
        const int64_t late_us = gw_mono_us() - due_us;
        if (error != -ETIMEDOUT && !(stuck[i].afterwards != SILENCE && error == GW_ERROR_INVALID))
            fail_msg("camera %d: error %d", i, error);
        if (late_us > SOON_US)
            fail_msg("camera %d: %d ms too late", i, (int)(late_us / 1000));
        tear_down(NULL);
    }
}

static void *stop_soon(void *opaque)
{
    usleep(50000);
    *(int64_t *)opaque = gw_mono_us();
    gw_stop_request(&stop);
    return NULL;
}

static void every_wait_ends_with_a_stop(void **state)
{
    for (int i = 0; i < STUCK_COUNT; i++) {
        pthread_t thread;
        int64_t stopped_us = 0;
        set_up_stuck(i);
        assert_int_equal(pthread_create(&thread, NULL, stop_soon, &stopped_us), 0);
        int error = play_until(after(30 * GW_SECOND));
        const int64_t ended_us = gw_mono_us();
        pthread_join(thread, NULL);
        if (error != GW_ERROR_STOPPED &&
            !(stuck[i].afterwards != SILENCE && error == GW_ERROR_INVALID))
            fail_msg("camera %d: error %d", i, error);
        if (error == GW_ERROR_STOPPED && ended_us - stopped_us > SOON_US)
            fail_msg("camera %d: %d ms too late", i, (int)((ended_us - stopped_us) / 1000));
        tear_down(NULL);
    }
}

static void a_description_of_no_told_length_does_not_outlast_the_deadline(void **state)
{
    SCRIPT(0, DRIP, OPTIONS, OK "\r\n" SDP);
    cameras[0].flood = "a=x\r\n";
    const int64_t due_us = after(MS(400));
    assert_int_equal(gw_rtsp_open(&rtsp, &config, &sdp, due_us), -ETIMEDOUT);
    assert_true(gw_mono_us() - due_us < SOON_US);
}

static void a_step_ends_with_a_stop_or_its_deadline(void **state)
{
    pthread_t thread;
    int64_t stopped_us = 0;
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, IS_SET_UP, PLAYS);
    assert_int_equal(open_and_play(), 0);
    const int64_t due_us = after(MS(50));
    assert_int_equal(gw_rtsp_step(rtsp, NULL, 0, due_us), 0);
    assert_in_range(gw_mono_us() - due_us, 0, SOON_US);
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &stopped_us), 0);
    assert_int_equal(gw_rtsp_step(rtsp, NULL, 0, after(30 * GW_SECOND)), GW_ERROR_STOPPED);
    const int64_t ended_us = gw_mono_us();
    pthread_join(thread, NULL);
    assert_true(ended_us - stopped_us < SOON_US);
}

static void a_step_wakes_for_others_too(void **state)
{
    int fds[2];
    SCRIPT(0, SILENCE, OPTIONS, DESCRIBED, IS_SET_UP, PLAYS);
    assert_int_equal(open_and_play(), 0);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    struct pollfd other = {.fd = fds[0], .events = POLLIN};
    const int64_t began_us = gw_mono_us();
    assert_int_equal(gw_rtsp_step(rtsp, &other, 1, after(2 * GW_SECOND)), 0);
    assert_true(other.revents & POLLIN);
    assert_true(gw_mono_us() - began_us < SOON_US);
    close(fds[0]);
    close(fds[1]);
}

// --- TLS -----------------------------------------------------------------------------------------

// A certificate that a camera signed itself.
static int make_certificate(void **state)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
    bool good =
        gnutls_x509_privkey_init(&key) >= 0 && gnutls_x509_crt_init(&certificate) >= 0 &&
        gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) >= 0 &&
        gnutls_x509_crt_set_version(certificate, 3) >= 0 &&
        gnutls_x509_crt_set_serial(certificate, "\1", 1) >= 0 &&
        gnutls_x509_crt_set_activation_time(certificate, time(NULL) - 3600) >= 0 &&
        gnutls_x509_crt_set_expiration_time(certificate, time(NULL) + 3600) >= 0 &&
        gnutls_x509_crt_set_key(certificate, key) >= 0 &&
        gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0) >= 0 &&
        gnutls_certificate_allocate_credentials(&credentials) >= 0 &&
        gnutls_certificate_set_x509_key(credentials, &certificate, 1, key) >= 0;
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
    return good ? 0 : -1;
}

static int forget_certificate(void **state)
{
    gnutls_certificate_free_credentials(credentials);
    return 0;
}

static void a_camera_is_watched_over_tls(void **state)
{
    config.url = "rtsps://192.0.2.7/1";
    cameras[0].tls = true;
    SCRIPT(0, HANG_UP, CHALLENGE, OPTIONS, DESCRIBED, IS_SET_UP);
    mix_text(4, PLAYS);
    mix_media(4, 0, "abc");
    mix_media(4, 0, "def");
    end_mix(0, 4);
    assert_int_equal(open_and_play(), 0);
    assert_string_equal(cameras[0].host, "192.0.2.7:322");
    assert_string_equal(cameras[0].sni, ""); // no address there (RFC 6066, 3)
    assert_int_equal(step_until(2), 0);
    assert_string_equal(media, "0:abc 0:def ");
    assert_int_equal(step_until(3), AVERROR_EOF);
}

static void from_tls_no_redirect_leads_to_a_connection_without(void **state)
{
    config.url = "rtsps://camera.example/1";
    cameras[0].tls = true;
    SCRIPT(0, SILENCE, OPTIONS, MOVED("rtsp://camera.example/2"));
    assert_int_equal(open_it(), GW_ERROR_FORBIDDEN);
    assert_int_equal(camera_count, 1);
}

static void what_speaks_no_tls_is_told(void **state)
{
    config.url = "rtsps://camera.example/1";
    SCRIPT(0, FLOOD, NULL);
    cameras[0].flood = "RTSP/1.0 400 Bad Request\r\n\r\n";
    assert_int_equal(open_it(), GW_ERROR_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_camera_is_asked_in_order_and_told_goodbye),
        TEST(lower_case_and_bare_line_feeds_are_understood),
        TEST(a_description_without_its_length_is_read),
        TEST(a_camera_that_knows_no_options_is_asked_on),
        TEST(an_answer_that_says_wait_is_waited_for),
        TEST(what_the_camera_answers_is_told_apart),
        TEST(a_head_or_a_description_beyond_its_limit_is_refused),
        TEST(channels_and_ports_that_cannot_be_are_not_taken),
        TEST(a_challenge_is_answered_without_the_password),
        TEST(a_nonce_that_is_too_old_is_replaced),
        TEST(a_camera_that_finds_every_nonce_too_old_is_left),
        TEST(a_wrong_password_is_tried_once),
        TEST(without_a_user_name_no_login_is_tried),
        TEST(a_redirect_to_another_host_hears_no_credentials),
        TEST(a_redirect_on_the_same_host_logs_in_anew),
        TEST(redirects_end_somewhere),
        TEST(later_requests_are_not_redirected),
        TEST(media_before_the_answer_is_handed_on),
        TEST(media_right_behind_the_answer_is_handed_on),
        TEST(garbage_between_media_is_passed_over),
        TEST(a_camera_that_sends_only_garbage_is_left),
        TEST(what_the_camera_asks_is_answered),
        TEST(what_came_before_the_end_still_counts),
        TEST(an_error_of_the_taker_ends_the_taking),
        TEST(a_session_is_kept_alive_in_time),
        TEST(a_camera_that_refuses_get_parameter_is_asked_for_options),
        TEST(a_sign_of_life_whose_nonce_is_too_old_is_given_again),
        TEST(a_camera_that_forgot_the_session_ended_it),
        TEST(a_late_answer_is_not_taken_for_that_to_a_newer_request),
        TEST(a_late_answer_gives_no_longer_time_for_the_right_one),
        TEST(a_late_answer_to_a_sign_of_life_says_nothing_of_the_next),
        TEST(an_answer_with_a_number_that_names_no_open_request_is_taken),
        TEST(a_camera_whose_numbers_are_one_behind_is_understood),
        TEST(every_wait_ends_with_its_deadline),
        TEST(every_wait_ends_with_a_stop),
        TEST(a_description_of_no_told_length_does_not_outlast_the_deadline),
        TEST(a_step_ends_with_a_stop_or_its_deadline),
        TEST(a_step_wakes_for_others_too),
        TEST(a_camera_is_watched_over_tls),
        TEST(from_tls_no_redirect_leads_to_a_connection_without),
        TEST(what_speaks_no_tls_is_told),
    };
    return cmocka_run_group_tests(tests, make_certificate, forget_certificate);
}
