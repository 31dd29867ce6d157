// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/assembler.h"
#include "ingest/media_clock.h"
#include "ingest/parameters.h"

// So many keyframes in a row that cannot be decoded, and the camera is given up for now.
enum { MOST_BAD_KEYS = 3 };

struct gw_intake {
    const struct gw_sdp *sdp;
    const struct gw_session_sink *sink;
    const struct gw_log *log;
    const struct gw_sdp_format *format; // of the current packets
    struct gw_rtp_source source;
    struct gw_assembler *assembler;
    struct gw_parameters *parameters;
    struct gw_media_clock clock;
    int64_t ticks;            // media time of the last picture, unwrapped
    int64_t mono_us, wall_us; // arrival of the packet that is being fed
    struct gw_stream *stream; // of the current pictures; NULL until the next good keyframe
    enum gw_gap_cause lost;   // why pictures before the next one are missing
    int bad_keys;             // keyframes in a row that cannot be decoded
    struct gw_intake_status status;
};

// --- formats -------------------------------------------------------------------------------------

static int describe(struct gw_intake *intake)
{
    const struct gw_sdp_format *format = intake->format;
    AVCodecParameters *described = avcodec_parameters_alloc();
    int error = -ENOMEM;

    gw_parameters_destroy(&intake->parameters);
    if (!described)
        return error;
    described->codec_type = AVMEDIA_TYPE_VIDEO;
    described->codec_id = format->codec;
    if (format->sets_size) {
        described->extradata = av_mallocz(format->sets_size + AV_INPUT_BUFFER_PADDING_SIZE);
        if (!described->extradata)
            goto end;
        memcpy(described->extradata, format->sets, format->sets_size);
        described->extradata_size = (int)format->sets_size;
    }
    error = gw_parameters_create(&intake->parameters, described);
end:
    avcodec_parameters_free(&described);
    return error;
}

static int use_format(struct gw_intake *intake, const struct gw_sdp_format *format)
{
    intake->format = format;
    gw_assembler_set_codec(intake->assembler, format->codec);
    gw_stream_unref(&intake->stream);
    return describe(intake);
}

// The camera goes on in another format: nothing of the present one follows.
static int change_format(struct gw_intake *intake, const struct gw_sdp_format *format)
{
    int error = gw_assembler_finish(intake->assembler);
    return error ? error : use_format(intake, format);
}

// The format of a payload type. A camera that describes one and numbers it otherwise means that
// one.
static const struct gw_sdp_format *find_format(const struct gw_intake *intake, int payload_type)
{
    const struct gw_sdp *sdp = intake->sdp;

    for (int i = 0; i < sdp->format_count; i++)
        if (sdp->formats[i].payload_type == payload_type)
            return &sdp->formats[i];
    return sdp->format_count == 1 && payload_type >= 96 ? &sdp->formats[0] : NULL;
}

// --- pictures ------------------------------------------------------------------------------------

static int64_t to_us(const struct gw_intake *intake, int64_t ticks)
{
    return av_rescale(ticks, GW_SECOND, intake->format->clock_rate);
}

static void announce(struct gw_intake *intake)
{
    if (intake->status.online)
        return;
    intake->status.online = true;
    intake->lost = GW_GAP_NONE; // what came before the first keyframe was never there to be lost
    if (intake->sink->online)
        intake->sink->online(intake->sink->opaque, intake->stream);
}

// The pictures from this keyframe on belong to a new stream.
static int begin_stream(struct gw_intake *intake)
{
    int reorder;
    const AVCodecParameters *parameters = gw_parameters_get(intake->parameters, &reorder);
    gw_stream_unref(&intake->stream);
    int error = gw_stream_create(&intake->stream, parameters, intake->clock.reorder);
    if (error < 0)
        return error;
    gw_log_debug(intake->log, "%s stream: %s %dx%d, reorder %d",
                 intake->status.online ? "new" : "first", gw_stream_codec_name(intake->stream),
                 parameters->width, parameters->height, intake->clock.reorder);
    announce(intake);
    return 0;
}

// Looks at a keyframe's parameters. Returns 1 when they are others than before, 0 when they go on,
// AVERROR_INVALIDDATA when the keyframe cannot be decoded, -ENOMEM.
static int look_at_key(struct gw_intake *intake, const AVPacket *key)
{
    int reorder, changed = gw_parameters_feed(intake->parameters, key);
    if (changed <= 0)
        return changed;
    gw_parameters_get(intake->parameters, &reorder);
    const double declared = intake->sdp->frame_rate;
    const bool hint = !intake->status.online && declared >= 1 && declared <= 120;
    gw_media_clock_begin_stream(&intake->clock, reorder,
                                hint ? (int64_t)((double)GW_SECOND / declared) : 0);
    return 1;
}

// Stamps a picture and hands it on. Takes *packet's content.
static int deliver(struct gw_intake *intake, AVPacket **packet, const struct gw_picture *picture,
                   bool changed)
{
    AVPacket *av = *packet;
    intake->ticks = gw_media_clock_unwrap(intake->ticks, picture->timestamp);
    struct gw_media_times times = gw_media_clock_stamp(&intake->clock, to_us(intake, intake->ticks),
                                                       intake->wall_us, picture->key);
    if (changed || times.new_stream || !intake->stream) {
        int error = begin_stream(intake);
        if (error < 0)
            return error;
    }
    av->pts = times.pts_us;
    av->dts = times.dts_us;
    av->duration = times.frame_us;
    av->time_base = AV_TIME_BASE_Q;
    av->flags = picture->key ? AV_PKT_FLAG_KEY : 0;

    struct gw_packet out = {0};
    gw_packet_init(&out, packet, intake->stream, picture->mono_us);
    out.lost = intake->lost;
    intake->lost = GW_GAP_NONE;
    intake->status.picture_mono_us = picture->mono_us;
    intake->sink->packet(intake->sink->opaque, &out);
    gw_packet_unref(&out);
    return 0;
}

// A picture of no use: not even its keyframe can be decoded.
static int skip(struct gw_intake *intake, bool key)
{
    intake->status.useless = true;
    intake->lost = GW_GAP_UNUSABLE;
    gw_stream_unref(&intake->stream);
    if (intake->sink->skipped)
        intake->sink->skipped(intake->sink->opaque);
    if (key)
        gw_log_debug(intake->log, "skipping to the next keyframe: this one cannot be decoded");
    intake->bad_keys += key;
    return intake->bad_keys >= MOST_BAD_KEYS ? GW_ERROR_INVALID : 0;
}

static AVPacket *make_packet(const struct gw_picture *picture)
{
    AVPacket *packet = av_packet_alloc();
    if (packet && av_new_packet(packet, (int)picture->size) < 0)
        av_packet_free(&packet);
    if (packet)
        memcpy(packet->data, picture->bytes, picture->size);
    return packet;
}

static int handle_picture(void *opaque, const struct gw_picture *picture)
{
    struct gw_intake *intake = opaque;

    if (picture->after_loss && intake->lost == GW_GAP_NONE)
        intake->lost = GW_GAP_SLOW_NETWORK;
    if (!intake->status.useless || !intake->status.online)
        intake->status.alive_mono_us = picture->mono_us;
    if (!picture->key && !intake->stream)
        return skip(intake, false);
    AVPacket *packet = make_packet(picture);
    if (!packet)
        return -ENOMEM;
    int error = 0, changed = picture->key ? look_at_key(intake, packet) : 0;
    if (changed == AVERROR_INVALIDDATA) {
        error = skip(intake, true);
    } else if (changed < 0) {
        error = changed;
    } else {
        intake->status.useless = false;
        intake->status.alive_mono_us = picture->mono_us;
        if (picture->key)
            intake->bad_keys = 0;
        error = deliver(intake, &packet, picture, changed);
    }
    av_packet_free(&packet);
    return error;
}

static void handle_skipped(void *opaque)
{
    struct gw_intake *intake = opaque;
    intake->status.alive_mono_us = intake->mono_us; // what was lost was told already
}

// --- packets -------------------------------------------------------------------------------------

// The camera began anew. One that only renamed its source goes on with the next picture; when
// packets of the same name are far apart, or two sources send at once, what lies between is
// unknown.
static int begin_anew(struct gw_intake *intake, uint32_t source_before)
{
    const struct gw_rtp_source *source = &intake->source;
    const bool renamed = source->source != source_before && source->switched_us != INT64_MAX;
    return renamed ? gw_assembler_finish(intake->assembler) : gw_assembler_lose(intake->assembler);
}

static int take_loss(struct gw_intake *intake, unsigned lost)
{
    if (!lost)
        return 0;
    intake->status.lost += lost;
    if (intake->sink->lost)
        intake->sink->lost(intake->sink->opaque, lost);
    return gw_assembler_lose(intake->assembler);
}

int gw_intake_rtp(struct gw_intake *intake, const uint8_t *bytes, size_t size, int64_t mono_us,
                  int64_t wall_us)
{
    struct gw_rtp rtp;
    unsigned lost;
    int error = 0;

    if (gw_rtp_parse(bytes, size, &rtp) < 0)
        return 0;
    const struct gw_sdp_format *format = find_format(intake, rtp.payload_type);
    if (!format)
        return 0;
    const bool known = intake->source.known;
    const uint32_t source_before = intake->source.source;
    enum gw_rtp_verdict verdict = gw_rtp_source_take(&intake->source, &rtp, mono_us, &lost);
    if (verdict == GW_RTP_IGNORE)
        return 0;
    intake->mono_us = mono_us;
    intake->wall_us = wall_us;
    intake->status.received++;
    intake->status.bye_mono_us = 0;
    if (verdict == GW_RTP_BEGIN && known)
        error = begin_anew(intake, source_before);
    if (!error && format != intake->format)
        error = change_format(intake, format);
    if (!error)
        error = take_loss(intake, lost);
    if (!error)
        error = gw_assembler_feed(intake->assembler, rtp.payload, rtp.size, rtp.timestamp,
                                  rtp.marker, mono_us);
    return error;
}

void gw_intake_rtcp(struct gw_intake *intake, const uint8_t *bytes, size_t size, int64_t mono_us,
                    int64_t wall_us)
{
    struct gw_rtcp rtcp;

    gw_rtcp_parse(bytes, size, &rtcp); // what was read before a fault is good
    if (!intake->source.known || rtcp.source != intake->source.source)
        return;
    if (rtcp.bye)
        intake->status.bye_mono_us = mono_us;
    if (!rtcp.reports || !intake->status.online)
        return;
    const int64_t ticks = gw_media_clock_unwrap(intake->ticks, rtcp.timestamp);
    gw_media_clock_report(&intake->clock, to_us(intake, ticks), rtcp.camera_us, wall_us);
    const int64_t offset_us = gw_media_clock_offset(&intake->clock);
    if (offset_us != GW_NO_TIME && intake->sink->clock)
        intake->sink->clock(intake->sink->opaque, offset_us);
}

void gw_intake_finish(struct gw_intake *intake)
{
    gw_assembler_finish(intake->assembler);
}

struct gw_intake_status gw_intake_status(const struct gw_intake *intake)
{
    return intake->status;
}

const struct gw_rtp_source *gw_intake_source(const struct gw_intake *intake)
{
    return &intake->source;
}

int gw_intake_create(struct gw_intake **ret, const struct gw_sdp *sdp,
                     const struct gw_session_sink *sink, const struct gw_log *log)
{
    struct gw_intake *intake = calloc(1, sizeof(*intake));
    if (!intake)
        return -ENOMEM;
    intake->sdp = sdp;
    intake->sink = sink;
    intake->log = log;
    gw_media_clock_init(&intake->clock);
    const struct gw_assembler_config config = {intake, handle_picture, handle_skipped};
    int error = gw_assembler_create(&intake->assembler, &config);
    if (!error)
        error = use_format(intake, &sdp->formats[0]);
    if (error)
        gw_intake_destroy(&intake);
    *ret = intake;
    return error;
}

void gw_intake_destroy(struct gw_intake **ret)
{
    struct gw_intake *intake = *ret;
    if (!intake)
        return;
    gw_assembler_destroy(&intake->assembler);
    gw_parameters_destroy(&intake->parameters);
    gw_stream_unref(&intake->stream);
    free(intake);
    *ret = NULL;
}
