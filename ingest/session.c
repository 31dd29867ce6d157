// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/session.h"

#include <assert.h>
#include <string.h>

#include <libavformat/avformat.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/url.h"
#include "ingest/av_log.h"
#include "ingest/deadline.h"
#include "ingest/media_clock.h"
#include "ingest/parameters.h"

// Percent-encoding triples what it touches.
enum { JOINED_URL_SIZE = GW_URL_SIZE + 3 * (GW_USERNAME_SIZE + GW_PASSWORD_SIZE) };

struct session {
    const struct gw_session_sink *sink;
    const struct gw_log *log;
    struct gw_stop *stop;
    AVFormatContext *format;
    AVStream *video; // the one we take
    struct gw_deadline deadline;
    int interrupted; // why libavformat was interrupted, 0 if it was not
    int64_t ticks;   // last media time, unwrapped
    struct gw_media_clock clock;
    struct gw_parameters *parameters;
    struct gw_stream *stream; // of the current packets; NULL until the next good keyframe
    bool online;              // the sink was told
    bool frame_useless;       // the last one came while there was no stream, after there had been
};

const struct gw_session_config gw_session_defaults = {
    .connect_timeout_us = 10 * GW_SECOND,
    .stall_timeout_us = 5 * GW_SECOND,
};

// Called by libavformat before and during every wait, at least ten times a second. Once it said yes
// it says so until the end; only a stopped session in good health has a moment for its farewell.
static int check_interrupt(void *opaque)
{
    struct session *session = opaque;
    bool closing = session->deadline.phase == GW_PHASE_CLOSING;

    if (session->interrupted && !(closing && session->interrupted == GW_ERROR_STOPPED))
        return 1;
    int error = gw_deadline_check(&session->deadline, gw_mono_us());
    if (!error && !closing && gw_stop_requested(session->stop))
        error = GW_ERROR_STOPPED;
    if (error)
        session->interrupted = error;
    return error != 0;
}

// libavformat's codes, as far as they mean something to people, to ours.
static int translate(const struct session *session, int error)
{
    if (session->interrupted == GW_ERROR_STALLED && session->frame_useless)
        return AVERROR_INVALIDDATA;
    if (session->interrupted)
        return session->interrupted;
    switch (error) {
    case AVERROR_HTTP_UNAUTHORIZED:
    case AVERROR_HTTP_FORBIDDEN: return GW_ERROR_UNAUTHORIZED;
    case AVERROR_HTTP_NOT_FOUND: return GW_ERROR_NOT_FOUND;
    case AVERROR(ECONNREFUSED): return GW_ERROR_REFUSED;
    }
    return error;
}

static int open_input(struct session *session, const char *url)
{
    AVDictionary *options = NULL;
    session->format = avformat_alloc_context();
    if (!session->format)
        return -ENOMEM;
    session->format->interrupt_callback = (AVIOInterruptCB){check_interrupt, session};
    av_dict_set(&options, "rtsp_transport", "tcp", 0);
    av_dict_set(&options, "allowed_media_types", "video", 0);
    av_dict_set(&options, "initial_pause", "1",
                0); // what is described is looked at before it plays
    av_dict_set(&options, "user_agent", "Gridwatch/" GW_VERSION, 0);
    // Frees the context on failure. The streams are described well enough without
    // avformat_find_stream_info, which decodes for seconds.
    int error = avformat_open_input(&session->format, url, av_find_input_format("rtsp"), &options);
    av_dict_free(&options);
    return error;
}

static AVStream *find_video(AVFormatContext *format)
{
    AVStream *found = NULL;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        enum AVCodecID codec = format->streams[i]->codecpar->codec_id;
        if (!found && (codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC))
            found = format->streams[i];
        else
            format->streams[i]->discard = AVDISCARD_ALL;
    }
    return found;
}

static int connect_camera(struct session *session, const struct gw_session_config *config)
{
    char url[JOINED_URL_SIZE];
    int error = gw_url_join(config->url, config->username ? config->username : "",
                            config->password ? config->password : "", url, sizeof(url));
    if (error < 0)
        return error;
    gw_deadline_enter(&session->deadline, GW_PHASE_CONNECTING, gw_mono_us());
    error = open_input(session, url);
    explicit_bzero(url, sizeof(url));
    if (error < 0)
        return error;
    session->video = find_video(session->format);
    if (!session->video)
        return GW_ERROR_NO_VIDEO;
    error = gw_parameters_create(&session->parameters, session->video->codecpar);
    if (error >= 0)
        error = av_read_play(session->format);
    gw_deadline_enter(&session->deadline, GW_PHASE_STARTING, gw_mono_us());
    return error;
}

static int64_t to_us(const struct session *session, int64_t ticks)
{
    return av_rescale_q(ticks, session->video->time_base, AV_TIME_BASE_Q);
}

static int64_t media_time(struct session *session, const AVPacket *packet)
{
    if (packet->pts == AV_NOPTS_VALUE)
        return GW_NO_MEDIA_TIME;
    session->ticks = gw_media_clock_unwrap(session->ticks, packet->pts);
    return to_us(session, session->ticks);
}

static void announce(struct session *session)
{
    if (session->online)
        return;
    session->online = true;
    gw_deadline_enter(&session->deadline, GW_PHASE_PLAYING, gw_mono_us());
    if (session->sink->online)
        session->sink->online(session->sink->opaque, session->stream);
}

// The packets from this keyframe on belong to a new stream.
static int begin_stream(struct session *session)
{
    int reorder;
    const AVCodecParameters *parameters = gw_parameters_get(session->parameters, &reorder);
    gw_stream_unref(&session->stream);
    int error = gw_stream_create(&session->stream, parameters, session->clock.reorder);
    if (error < 0)
        return error;
    gw_log_debug(session->log, "%s stream: %s %dx%d, reorder %d", session->online ? "new" : "first",
                 gw_stream_codec_name(session->stream), parameters->width, parameters->height,
                 session->clock.reorder);
    announce(session);
    return 0;
}

// Returns 1 when a keyframe has new parameters, 0 when not, AVERROR_INVALIDDATA when it must be
// skipped and all up to the next keyframe with it.
static int look_at_key(struct session *session, const AVPacket *packet)
{
    int reorder, changed = gw_parameters_feed(session->parameters, packet);
    if (changed <= 0)
        return changed;
    gw_parameters_get(session->parameters, &reorder);
    gw_media_clock_begin_stream(&session->clock, reorder, to_us(session, packet->duration));
    return 1;
}

// Stamps a packet and hands it on. Takes *packet's content.
static int deliver(struct session *session, AVPacket **packet, bool key, bool changed,
                   int64_t mono_us)
{
    AVPacket *av = *packet;
    struct gw_media_times times =
        gw_media_clock_stamp(&session->clock, media_time(session, av), gw_wall_us(), key);
    if (changed || times.new_stream) {
        int error = begin_stream(session);
        if (error < 0)
            return error;
    }
    av->duration = to_us(session, av->duration);
    av->pts = times.pts_us;
    av->dts = times.dts_us;
    av->time_base = AV_TIME_BASE_Q;
    av->stream_index = 0;
    av->pos = -1;
    av->flags = key ? av->flags | AV_PKT_FLAG_KEY : av->flags & ~AV_PKT_FLAG_KEY;

    struct gw_packet out = {0};
    gw_packet_init(&out, packet, session->stream, mono_us);
    session->sink->packet(session->sink->opaque, &out);
    gw_packet_unref(&out);
    return 0;
}

// One complete frame from libavformat. Returns 0, also when it was of no use, or why to end.
static int handle_frame(struct session *session, AVPacket **packet)
{
    int64_t mono_us = gw_mono_us();
    bool key = gw_parameters_is_key(session->parameters, *packet);
    int changed = key ? look_at_key(session, *packet) : 0;
    if (changed == AVERROR_INVALIDDATA) {
        gw_log_debug(session->log, "skipping to the next keyframe: this one cannot be decoded");
        gw_stream_unref(&session->stream);
    } else if (changed < 0) {
        return changed;
    }
    bool useful = session->stream || changed > 0;
    // A camera that is online and sends what cannot be decoded is as good as gone.
    session->frame_useless = session->online && !useful;
    if (!session->frame_useless)
        gw_deadline_frame(&session->deadline, mono_us);
    if (!useful)
        return 0;
    return deliver(session, packet, key, changed, mono_us);
}

static int read_frames(struct session *session)
{
    for (;;) {
        AVPacket *packet = av_packet_alloc();
        int error = packet ? av_read_frame(session->format, packet) : -ENOMEM;
        // Also asked here, because data that never stops leaves libavformat nothing to wait for.
        // When it was interrupted it may still give, as a success, the part of a frame that it has.
        if (error >= 0 && !check_interrupt(session) &&
            packet->stream_index == session->video->index && packet->size > 0)
            error = handle_frame(session, &packet);
        av_packet_free(&packet);
        if (session->interrupted)
            return session->interrupted;
        if (error < 0 && error != AVERROR(EAGAIN))
            return error;
    }
}

int gw_session_run(const struct gw_session_config *config, const struct gw_session_sink *sink,
                   const struct gw_log *log, struct gw_stop *stop)
{
    struct session session = {
        .sink = sink,
        .log = log,
        .stop = stop,
        .deadline = {.connect_us = config->connect_timeout_us,
                     .stall_us = config->stall_timeout_us},
    };
    gw_av_log_install();
    gw_av_log_attach(log);
    gw_media_clock_init(&session.clock);

    int error = connect_camera(&session, config);
    if (error >= 0)
        error = read_frames(&session);
    error = translate(&session, error);

    gw_deadline_enter(&session.deadline, GW_PHASE_CLOSING, gw_mono_us());
    avformat_close_input(&session.format);
    gw_parameters_destroy(&session.parameters);
    gw_stream_unref(&session.stream);
    gw_av_log_attach(NULL);
    return error;
}

const char *gw_session_reason(int error)
{
    switch (error) {
    case GW_ERROR_UNAUTHORIZED:
        return "user name or password refused; check both, and that the camera takes MD5 digest or "
               "basic logins";
    case GW_ERROR_REFUSED: return "nobody listens at that address; check host and port";
    case GW_ERROR_NOT_FOUND: return "the camera has no such stream; check the path in its URL";
    case GW_ERROR_NO_VIDEO:
        return "no H.264 or H.265 video in the stream; change the camera's encoding";
    case GW_ERROR_STALLED:
        return "connected, but no pictures come; check the camera and its network";
    case GW_ERROR_STOPPED: return "stopped";
    case AVERROR_EOF: return "the camera ended the stream";
    case AVERROR_HTTP_SERVER_ERROR:
        return "the camera answered that it fails; check its state and how many may watch it at "
               "once";
    case AVERROR_HTTP_BAD_REQUEST:
    case AVERROR_HTTP_OTHER_4XX: return "the camera refused the request; check the path in its URL";
    case AVERROR(EPROTONOSUPPORT):
        return "the camera does not send over TCP; check its settings, and allow RTP over RTSP";
    case AVERROR_INVALIDDATA:
        return "what the camera sends cannot be read as RTSP with H.264 or H.265; check its "
               "encoding";
    case AVERROR(ETIMEDOUT):
        return "no answer in time; check the address, the camera's power and network";
    case AVERROR(EHOSTUNREACH):
    case AVERROR(ENETUNREACH): return "no route to the camera; check its address and the network";
    case AVERROR(ECONNRESET):
    case AVERROR(EPIPE): return "the connection was cut";
    case AVERROR(EIO): return "the connection failed; check the camera's host name and network";
    }
    return gw_strerror(error);
}
