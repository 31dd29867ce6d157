// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/overlay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <libavutil/opt.h>
#include <libswscale/swscale.h>

#include "analyze/decode.h"
#include "app/overlay_draw.h"
#include "app/overlay_video.h"
#include "core/error.h"

struct gw_overlay {
    const char *input;
    const struct gw_zones *zones;
    struct gw_overlay_output output;
    struct gw_overlay_trace trace;
    // The second pass.
    struct gw_media_file file;
    struct gw_overlay_layout layout;
    struct gw_overlay_video *video; // NULL before the first picture, as the two below
    AVFrame *canvas;
    struct SwsContext *scaler;
    enum AVPixelFormat scaler_format; // what the scaler was made for
    int scaler_width, scaler_height;
    bool scaler_full;
    int failed; // the first error of the second pass
};

int gw_overlay_open(struct gw_overlay **ret, const char *path, const char *input,
                    const struct gw_zones *zones, char error[GW_OVERLAY_ERROR_SIZE])
{
    struct gw_overlay *overlay = calloc(1, sizeof(*overlay));

    if (!overlay)
        abort();
    overlay->input = input;
    overlay->zones = zones;
    if (!gw_overlay_video_possible()) {
        snprintf(error, GW_OVERLAY_ERROR_SIZE,
                 "an overlay needs an FFmpeg with libx264: install Debian's libavcodec59");
        free(overlay);
        return AVERROR_ENCODER_NOT_FOUND;
    }
    const int code = gw_overlay_output_open(&overlay->output, path, input, error);
    if (code < 0)
        free(overlay);
    else
        *ret = overlay;
    return code;
}

void gw_overlay_close(struct gw_overlay **overlay)
{
    if (!*overlay)
        return;
    gw_overlay_video_destroy(&(*overlay)->video);
    av_frame_free(&(*overlay)->canvas);
    sws_freeContext((*overlay)->scaler);
    gw_overlay_output_close(&(*overlay)->output);
    gw_media_file_close(&(*overlay)->file);
    gw_overlay_trace_finish(&(*overlay)->trace);
    free(*overlay);
    *overlay = NULL;
}

struct gw_overlay_trace *gw_overlay_trace(struct gw_overlay *overlay)
{
    return &overlay->trace;
}

// The YUVJ formats are the same planes as their YUV names, said to be full range.
static enum AVPixelFormat plain_format(const AVFrame *av, bool *ret_full)
{
    *ret_full = av->color_range == AVCOL_RANGE_JPEG;
    switch ((enum AVPixelFormat)av->format) {
    case AV_PIX_FMT_YUVJ420P: *ret_full = true; return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P: *ret_full = true; return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P: *ret_full = true; return AV_PIX_FMT_YUV444P;
    default: return (enum AVPixelFormat)av->format;
    }
}

// To the picture's place on the canvas, in limited range. Returns 0 or an error.
static int prepare_scaler(struct gw_overlay *overlay, const AVFrame *av)
{
    bool full;
    const enum AVPixelFormat format = plain_format(av, &full);

    if (overlay->scaler && overlay->scaler_format == format && overlay->scaler_full == full &&
        overlay->scaler_width == av->width && overlay->scaler_height == av->height)
        return 0;
    sws_freeContext(overlay->scaler);
    overlay->scaler = sws_alloc_context();
    if (!overlay->scaler)
        return -ENOMEM;
    overlay->scaler_format = format;
    overlay->scaler_full = full;
    overlay->scaler_width = av->width;
    overlay->scaler_height = av->height;
    av_opt_set_int(overlay->scaler, "srcw", av->width, 0);
    av_opt_set_int(overlay->scaler, "srch", av->height, 0);
    av_opt_set_int(overlay->scaler, "src_format", format, 0);
    av_opt_set_int(overlay->scaler, "src_range", full, 0);
    av_opt_set_int(overlay->scaler, "dstw", overlay->layout.picture.w, 0);
    av_opt_set_int(overlay->scaler, "dsth", overlay->layout.picture.h, 0);
    av_opt_set_int(overlay->scaler, "dst_format", AV_PIX_FMT_YUV420P, 0);
    av_opt_set_int(overlay->scaler, "dst_range", 0, 0);
    av_opt_set_int(overlay->scaler, "sws_flags", SWS_BICUBIC, 0);
    return sws_init_context(overlay->scaler, NULL, NULL);
}

static int make_canvas(struct gw_overlay *overlay)
{
    AVFrame *canvas = overlay->canvas = av_frame_alloc();

    if (!canvas)
        return -ENOMEM;
    canvas->format = AV_PIX_FMT_YUV420P;
    canvas->color_range = AVCOL_RANGE_MPEG;
    canvas->width = overlay->layout.width;
    canvas->height = overlay->layout.height;
    return av_frame_get_buffer(canvas, 0);
}

// The first picture says how large the overlay is.
static int begin(struct gw_overlay *overlay, const AVFrame *first)
{
    const struct gw_media_file *file = &overlay->file;

    overlay->layout = gw_overlay_lay_out(first->width, first->height);
    const int error = make_canvas(overlay);
    if (error < 0)
        return error;
    const struct gw_overlay_video_config config = {
        .path = overlay->output.temporary,
        .width = overlay->layout.width,
        .height = overlay->layout.height,
        .rate = av_guess_frame_rate(file->format, file->track, NULL),
        .aspect = av_guess_sample_aspect_ratio(file->format, file->track, NULL),
        .frame_us = file->frame_us,
        .primaries = first->color_primaries,
        .transfer = first->color_trc,
        .space = first->colorspace,
    };
    return gw_overlay_video_create(&overlay->video, &config);
}

static int add_picture(struct gw_overlay *overlay, const struct gw_frame *frame)
{
    int error = overlay->video ? 0 : begin(overlay, frame->av);

    if (error >= 0)
        error = prepare_scaler(overlay, frame->av);
    if (error >= 0)
        error = av_frame_make_writable(overlay->canvas);
    if (error < 0)
        return error;
    error = sws_scale(overlay->scaler, (const uint8_t *const *)frame->av->data, frame->av->linesize,
                      0, frame->av->height, overlay->canvas->data, overlay->canvas->linesize);
    if (error < 0)
        return error;
    gw_overlay_draw(overlay->canvas, &overlay->layout, &overlay->trace, overlay->zones,
                    frame->wall_us);
    return gw_overlay_video_write(overlay->video, overlay->canvas, frame->wall_us);
}

static void handle_frame(void *opaque, const struct gw_frame *frame)
{
    struct gw_overlay *overlay = opaque;

    if (overlay->failed >= 0)
        overlay->failed = add_picture(overlay, frame);
}

static int draw_all(struct gw_overlay *overlay, struct gw_decoder *decoder,
                    void (*progress)(void *opaque, const struct gw_media_file *file), void *opaque)
{
    int error;

    for (;;) {
        struct gw_packet packet = {0};
        if ((error = gw_media_file_read(&overlay->file, &packet)) <= 0)
            break;
        error = gw_decoder_feed(decoder, &packet);
        gw_packet_unref(&packet);
        if (error < 0 || (error = overlay->failed) < 0)
            return error;
        progress(opaque, &overlay->file);
    }
    gw_decoder_drain(decoder);
    if (error >= 0)
        error = overlay->failed;
    if (error >= 0)
        error = overlay->video ? gw_overlay_video_finish(overlay->video) : AVERROR_INVALIDDATA;
    return error;
}

int gw_overlay_make(struct gw_overlay *overlay,
                    void (*progress)(void *opaque, const struct gw_media_file *file), void *opaque,
                    char error[GW_OVERLAY_ERROR_SIZE])
{
    const struct gw_decoder_config config = {.opaque = overlay, .frame = handle_frame};
    struct gw_decoder *decoder = NULL;
    int code = gw_overlay_trace_settle(&overlay->trace);

    if (code >= 0)
        code = gw_media_file_open(&overlay->file, overlay->input);
    if (code >= 0)
        code = gw_decoder_create(&decoder, &config);
    if (code >= 0)
        code = draw_all(overlay, decoder, progress, opaque);
    gw_decoder_destroy(&decoder);
    if (code < 0) {
        snprintf(error, GW_OVERLAY_ERROR_SIZE, "%.300s: the overlay was not made: %s",
                 overlay->output.path, gw_strerror(code));
        return code;
    }
    return gw_overlay_output_publish(&overlay->output, error);
}
