// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libavutil/error.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/av_log.h"
#include "ingest/deadline.h"
#include "ingest/intake.h"
#include "ingest/reorder.h"
#include "ingest/rtsp.h"

#define REPORT_EVERY_US (5 * GW_SECOND) // receiver reports
#define BYE_US          (1 * GW_SECOND) // how long after its goodbye a camera may think better of it
#define LOSS_AFTER_US   (10 * GW_SECOND) // how long UDP is tried before its loss is judged

// How long pictures may be let go after a loss before that is no longer a sign of life.
#define MOST_SKIPPING_US (60 * GW_SECOND)

// Of a hundred packets so many may be lost by UDP, if the camera can also send them without loss.
enum { MOST_LOSS_PERCENT = 2, ENOUGH_PACKETS = 500 };

struct session {
    const struct gw_session_config *config;
    const struct gw_session_sink *sink;
    const struct gw_log *log;
    struct gw_stop *stop;

    struct gw_rtsp *rtsp;
    struct gw_sdp sdp;
    struct gw_rtsp_route route;
    struct gw_intake *intake;
    struct gw_deadline deadline;

    int udp_fds[2]; // -1 with TCP
    struct gw_reorder *reorder;
    int64_t played_mono_us, report_mono_us; // when it began to play; when the next report is due
};

const struct gw_session_config gw_session_defaults = {
    .transport = GW_TRANSPORT_TCP,
    .connect_timeout_us = 10 * GW_SECOND,
    .stall_timeout_us = 5 * GW_SECOND,
    .dialer = &gw_dial_direct,
};

// --- media ---------------------------------------------------------------------------------------

static int handle_media(void *opaque, int channel, const uint8_t *bytes, size_t size)
{
    struct session *session = opaque;
    const int64_t mono_us = gw_mono_us(), wall_us = gw_wall_us();

    if (!session->intake || session->config->transport != GW_TRANSPORT_TCP)
        return 0;
    if (channel == session->route.channels[0])
        return gw_intake_rtp(session->intake, bytes, size, mono_us, wall_us);
    if (channel == session->route.channels[1])
        gw_intake_rtcp(session->intake, bytes, size, mono_us, wall_us);
    return 0;
}

static int take_in_order(struct session *session, int64_t mono_us)
{
    const uint8_t *bytes;
    size_t size;
    int error = 0;

    while (!error && (bytes = gw_reorder_take(session->reorder, mono_us, &size)))
        error = gw_intake_rtp(session->intake, bytes, size, mono_us, gw_wall_us());
    return error;
}

static int read_rtp(struct session *session, int64_t mono_us)
{
    int error = 0;
    while (!error) {
        uint8_t *room = gw_reorder_room(session->reorder);
        ssize_t got = room ? recv(session->udp_fds[0], room, GW_REORDER_MOST, MSG_TRUNC) : 0;
        if (got < 0)
            break;                          // nothing more; a port that is refused shows as silence
        if (room && got <= GW_REORDER_MOST) // one that was cut is as good as lost
            gw_reorder_put(session->reorder, (size_t)got, mono_us);
        error = take_in_order(session, mono_us);
    }
    return error;
}

static void read_rtcp(struct session *session, int64_t mono_us)
{
    uint8_t bytes[GW_REORDER_MOST];
    ssize_t got;
    while ((got = recv(session->udp_fds[1], bytes, sizeof(bytes), 0)) >= 0)
        gw_intake_rtcp(session->intake, bytes, (size_t)got, mono_us, gw_wall_us());
}

// Tells the camera that somebody listens, and opens the way for its packets through what lies
// between.
static int send_report(struct session *session, int64_t mono_us)
{
    uint8_t report[GW_RTCP_REPORT_SIZE];

    if (mono_us < session->report_mono_us)
        return 0;
    session->report_mono_us = mono_us + REPORT_EVERY_US;
    gw_rtp_source_report(gw_intake_source(session->intake), (uint32_t)(uintptr_t)session, report);
    if (session->config->transport == GW_TRANSPORT_TCP)
        return gw_rtsp_send_media(session->rtsp, session->route.channels[1], report,
                                  sizeof(report));
    // Lost or refused: the next one says the same.
    for (int i = 0; i < 2; i++)
        if (send(session->udp_fds[i], report, sizeof(report), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            gw_log_trace(session->log, "cannot send a report: %s", strerror(errno));
    return 0;
}

// --- connecting ----------------------------------------------------------------------------------

static int open_udp(struct session *session)
{
    const struct gw_dialer *dialer = session->config->dialer;
    int error = gw_reorder_create(&session->reorder);
    if (error < 0)
        return error;
    return dialer->open_udp(dialer->opaque, gw_rtsp_fd(session->rtsp), session->udp_fds,
                            &session->route.client_port);
}

static int aim_udp(struct session *session)
{
    const struct gw_dialer *dialer = session->config->dialer;
    if (!session->route.server_port[0])
        return GW_ERROR_NO_TRANSPORT; // then anybody might send us pictures
    return dialer->aim_udp(dialer->opaque, gw_rtsp_fd(session->rtsp), session->udp_fds,
                           session->route.server_port);
}

static int set_up(struct session *session, int64_t due_us)
{
    session->route.udp = session->config->transport == GW_TRANSPORT_UDP;
    int error = session->route.udp ? open_udp(session) : 0;
    if (!error)
        error = gw_rtsp_setup(session->rtsp, &session->sdp, &session->route, due_us);
    if (!error && session->route.udp)
        error = aim_udp(session);
    return error;
}

static int connect_camera(struct session *session)
{
    const struct gw_session_config *config = session->config;
    const struct gw_rtsp_config rtsp = {.url = config->url,
                                        .username = config->username ? config->username : "",
                                        .password = config->password ? config->password : "",
                                        .dialer = config->dialer,
                                        .log = session->log,
                                        .stop = session->stop,
                                        .opaque = session,
                                        .media = handle_media};
    gw_deadline_enter(&session->deadline, GW_PHASE_CONNECTING, gw_mono_us());
    const int64_t due_us = gw_deadline_due_us(&session->deadline);

    int error = gw_rtsp_open(&session->rtsp, &rtsp, &session->sdp, due_us);
    if (!error)
        error = set_up(session, due_us);
    if (!error)
        error = gw_intake_create(&session->intake, &session->sdp, session->sink, session->log);
    if (!error)
        error = gw_rtsp_play(session->rtsp, &session->sdp, due_us);
    session->played_mono_us = gw_mono_us();
    gw_deadline_enter(&session->deadline, GW_PHASE_STARTING, session->played_mono_us);
    return error;
}

// --- playing -------------------------------------------------------------------------------------

// Lets the deadline know what came in.
static void note_progress(struct session *session, const struct gw_intake_status *status)
{
    int64_t alive_us = status->alive_mono_us;

    if (status->online && session->deadline.phase == GW_PHASE_STARTING)
        gw_deadline_enter(&session->deadline, GW_PHASE_PLAYING, status->picture_mono_us);
    if (status->online && alive_us > status->picture_mono_us + MOST_SKIPPING_US)
        alive_us = status->picture_mono_us + MOST_SKIPPING_US;
    if (alive_us > session->deadline.frame_mono_us)
        gw_deadline_frame(&session->deadline, alive_us);
}

// Whether UDP is of no use here: nothing comes through, or too little of it.
static bool udp_fails(const struct session *session, const struct gw_intake_status *status,
                      int64_t mono_us)
{
    if (session->config->transport != GW_TRANSPORT_UDP)
        return false;
    if (!status->received)
        return mono_us - session->played_mono_us >= session->config->stall_timeout_us / 2;
    if (session->config->only_transport)
        return false;
    const uint64_t all = status->received + status->lost;
    return mono_us - session->played_mono_us >= LOSS_AFTER_US && all >= ENOUGH_PACKETS &&
           status->lost * 100 > all * MOST_LOSS_PERCENT;
}

// 0 while the session may go on.
static int find_end(struct session *session)
{
    const struct gw_intake_status status = gw_intake_status(session->intake);
    const int64_t mono_us = gw_mono_us();

    note_progress(session, &status);
    if (gw_stop_requested(session->stop))
        return GW_ERROR_STOPPED;
    if (status.bye_mono_us && mono_us - status.bye_mono_us >= BYE_US)
        return AVERROR_EOF;
    if (udp_fails(session, &status, mono_us))
        return GW_ERROR_NO_TRANSPORT;
    int error = gw_deadline_check(&session->deadline, mono_us);
    // A camera that is online and sends what cannot be decoded is as good as gone.
    return error == GW_ERROR_STALLED && status.useless ? GW_ERROR_INVALID : error;
}

// When there is something to do although nothing comes.
static int64_t next_due_us(const struct session *session)
{
    int64_t due_us = gw_deadline_due_us(&session->deadline);
    const int64_t bye_us = gw_intake_status(session->intake).bye_mono_us;

    if (bye_us && bye_us + BYE_US < due_us)
        due_us = bye_us + BYE_US;
    if (session->report_mono_us < due_us)
        due_us = session->report_mono_us;
    if (session->reorder && gw_reorder_due_us(session->reorder) < due_us)
        due_us = gw_reorder_due_us(session->reorder);
    return due_us;
}

static int step(struct session *session)
{
    struct pollfd fds[2] = {{.fd = session->udp_fds[0], .events = POLLIN},
                            {.fd = session->udp_fds[1], .events = POLLIN}};
    const int count = session->reorder ? 2 : 0;

    int error = gw_rtsp_step(session->rtsp, fds, count, next_due_us(session));
    const int64_t mono_us = gw_mono_us();
    if (count && !error && fds[0].revents)
        error = read_rtp(session, mono_us);
    if (count && !error)
        error = take_in_order(session, mono_us);
    if (count && !error && fds[1].revents)
        read_rtcp(session, mono_us);
    return error ? error : send_report(session, mono_us);
}

static int play(struct session *session)
{
    int error;
    while (!(error = find_end(session)))
        if ((error = step(session)))
            break;
    if (session->reorder) // what waits for others, which will not come now
        take_in_order(session, INT64_MAX / 2);
    gw_intake_finish(session->intake);
    return error;
}

static void disconnect(struct session *session, int error)
{
    // One that ended it, or hears nothing, needs no goodbye.
    gw_rtsp_close(&session->rtsp, error == GW_ERROR_STOPPED || error == GW_ERROR_INVALID ||
                                      error == GW_ERROR_NO_TRANSPORT);
    gw_intake_destroy(&session->intake);
    gw_reorder_destroy(&session->reorder);
    for (int i = 0; i < 2; i++)
        if (session->udp_fds[i] >= 0)
            close(session->udp_fds[i]);
}

int gw_session_run(const struct gw_session_config *config, const struct gw_session_sink *sink,
                   const struct gw_log *log, struct gw_stop *stop)
{
    struct session session = {
        .config = config,
        .sink = sink,
        .log = log,
        .stop = stop,
        .udp_fds = {-1, -1},
        .deadline = {.connect_us = config->connect_timeout_us,
                     .stall_us = config->stall_timeout_us},
    };

    assert(config->dialer);
    gw_av_log_install();
    gw_av_log_attach(log);
    int error = connect_camera(&session);
    if (!error)
        error = play(&session);
    disconnect(&session, error);
    gw_av_log_attach(NULL);
    return error;
}

// --- words ---------------------------------------------------------------------------------------

static const struct {
    int error;
    enum gw_gap_cause cause;
    const char *words;
} reasons[] = {
    {GW_ERROR_STOPPED, GW_GAP_WORKER_RESTARTED, "stopped"},
    {GW_ERROR_STALLED, GW_GAP_STALLED,
     "connected, but no pictures come; check the camera and its network"},
    {GW_ERROR_UNAUTHORIZED, GW_GAP_UNAUTHORISED,
     "user name or password refused; check both, and that the camera takes digest or basic logins"},
    {GW_ERROR_REFUSED, GW_GAP_REFUSED, "nobody listens at that address; check host and port"},
    {-ECONNREFUSED, GW_GAP_REFUSED, "nobody listens at that address; check host and port"},
    {GW_ERROR_BUSY, GW_GAP_REFUSED,
     "the camera answered that it fails; check its state and how many may watch it at once"},
    {AVERROR_HTTP_OTHER_4XX, GW_GAP_REFUSED,
     "the camera refused the request; check the path in its URL"},
    {GW_ERROR_NOT_FOUND, GW_GAP_UNUSABLE,
     "the camera has no such stream; check the path in its URL"},
    {GW_ERROR_NO_VIDEO, GW_GAP_UNUSABLE,
     "no H.264 or H.265 video in the stream; change the camera's encoding"},
    {GW_ERROR_INVALID, GW_GAP_UNUSABLE,
     "what the camera sends cannot be read as RTSP with H.264 or H.265; check its encoding"},
    {GW_ERROR_NO_TRANSPORT, GW_GAP_UNUSABLE,
     "the camera sends neither within the RTSP connection nor by UDP; check its settings"},
    {GW_ERROR_FORBIDDEN, GW_GAP_UNUSABLE,
     "the camera redirects to an address that is not allowed; put the right one into its URL"},
    {-ETIMEDOUT, GW_GAP_UNREACHABLE,
     "no answer in time; check the address, the camera's power and network"},
    {-EHOSTUNREACH, GW_GAP_UNREACHABLE,
     "no route to the camera; check its address and the network"},
    {-ENETUNREACH, GW_GAP_UNREACHABLE, "no route to the camera; check its address and the network"},
    {GW_ERROR_NO_HOST, GW_GAP_UNREACHABLE,
     "the camera's host name is unknown; check it, or use its address"},
    {-EAGAIN, GW_GAP_DISCONNECTED,
     "too many connections in a short time; check why the camera ends them"},
    {AVERROR_EOF, GW_GAP_DISCONNECTED, "the camera ended the stream"},
    {-ECONNRESET, GW_GAP_DISCONNECTED, "the connection was cut"},
    {-EPIPE, GW_GAP_DISCONNECTED, "the connection was cut"},
    {-EIO, GW_GAP_DISCONNECTED, "the connection was cut"},
};

enum { REASON_COUNT = sizeof(reasons) / sizeof(reasons[0]) };

const char *gw_session_reason(int error)
{
    for (int i = 0; i < REASON_COUNT; i++)
        if (reasons[i].error == error)
            return reasons[i].words;
    return gw_strerror(error);
}

enum gw_gap_cause gw_session_cause(int error)
{
    for (int i = 0; i < REASON_COUNT; i++)
        if (reasons[i].error == error)
            return reasons[i].cause;
    return GW_GAP_UNREACHABLE;
}
