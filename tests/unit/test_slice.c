// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What is read from slice headers, compared with what the encoder says that it wrote; and that
// nothing a network can send does harm.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>

#include "analyze/nal.h"
#include "analyze/slice.h"

enum { WIDTH = 192, HEIGHT = 128, PICTURES = 24, MAX_PACKETS = 40 };

// The H.265 encoder keeps some of its memory.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:x265";
}

struct coded {
    const char *encoder, *params; // params: for x264-params or x265-params
    enum AVPixelFormat format;
    int b_frames;
    bool annex_b; // parameter sets in the stream, none beside it

    enum AVCodecID codec;
    uint8_t *extradata;
    size_t extradata_size;
    AVPacket *packets[MAX_PACKETS];
    int count;
    enum AVPictureType types[PICTURES]; // as decoded, by number of the picture
};

// --- making streams ------------------------------------------------------------------------------

static AVCodecContext *open_encoder(const struct coded *coded)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(coded->encoder);
    AVCodecContext *encoder = avcodec_alloc_context3(codec);

    encoder->width = WIDTH;
    encoder->height = HEIGHT;
    encoder->pix_fmt = coded->format ? coded->format : AV_PIX_FMT_YUV420P;
    encoder->time_base = (AVRational){1, 25};
    encoder->framerate = (AVRational){25, 1};
    encoder->gop_size = 12;
    encoder->max_b_frames = coded->b_frames;
    encoder->thread_count = 1;
    if (!coded->annex_b)
        encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (codec->id == AV_CODEC_ID_H264) {
        av_opt_set(encoder->priv_data, "x264-params", coded->params, 0);
    } else {
        char params[512];
        snprintf(params, sizeof(params), "log-level=none:pools=none:frame-threads=1:%s",
                 coded->params);
        av_opt_set(encoder->priv_data, "x265-params", params, 0);
    }
    assert_int_equal(avcodec_open2(encoder, codec, NULL), 0);
    return encoder;
}

// Blocks that move, and noise; every picture is a little brighter, which weighted prediction likes.
static void draw(AVFrame *frame, int n)
{
    const bool deep = frame->format == AV_PIX_FMT_YUV420P10;
    uint32_t random = (uint32_t)n;

    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < (plane ? HEIGHT / 2 : HEIGHT); y++)
            for (int x = 0; x < (plane ? WIDTH / 2 : WIDTH); x++) {
                uint8_t *row = frame->data[plane] + y * frame->linesize[plane];
                random = random * 1664525 + 1013904223;
                const int level = plane ? 128
                                        : 40 + 3 * n + ((x + 2 * n) / 8 * 31 + y / 8 * 17) % 90 +
                                              (int)(random >> 29);
                if (deep)
                    ((uint16_t *)(void *)row)[x] = (uint16_t)(level << 2);
                else
                    row[x] = (uint8_t)level;
            }
}

static void collect(struct coded *coded, AVCodecContext *encoder)
{
    for (;;) {
        AVPacket *packet = av_packet_alloc();
        if (avcodec_receive_packet(encoder, packet) < 0) {
            av_packet_free(&packet);
            return;
        }
        coded->packets[coded->count++] = packet;
    }
}

static void note_types(struct coded *coded, AVCodecContext *decoder, AVFrame *frame)
{
    while (avcodec_receive_frame(decoder, frame) >= 0) {
        assert_in_range(frame->pts, 0, PICTURES - 1);
        coded->types[frame->pts] = frame->pict_type;
    }
}

// The decoder's word on the type of each picture.
static void decode(struct coded *coded)
{
    AVCodecContext *decoder = avcodec_alloc_context3(avcodec_find_decoder(coded->codec));
    AVFrame *frame = av_frame_alloc();

    if (coded->extradata_size > 0) {
        decoder->extradata = av_mallocz(coded->extradata_size + AV_INPUT_BUFFER_PADDING_SIZE);
        memcpy(decoder->extradata, coded->extradata, coded->extradata_size);
        decoder->extradata_size = (int)coded->extradata_size;
    }
    decoder->thread_count = 1;
    assert_int_equal(avcodec_open2(decoder, NULL, NULL), 0);
    for (int i = 0; i < coded->count; i++) {
        assert_int_equal(avcodec_send_packet(decoder, coded->packets[i]), 0);
        note_types(coded, decoder, frame);
    }
    avcodec_send_packet(decoder, NULL);
    note_types(coded, decoder, frame);
    av_frame_free(&frame);
    avcodec_free_context(&decoder);
}

// Encodes; skips the test where libavcodec lacks the encoder.
static void make(struct coded *coded)
{
    if (!avcodec_find_encoder_by_name(coded->encoder))
        skip();
    AVCodecContext *encoder = open_encoder(coded);
    coded->codec = encoder->codec_id;
    coded->extradata_size = (size_t)encoder->extradata_size;
    coded->extradata = malloc(coded->extradata_size + 1);
    if (coded->extradata_size > 0)
        memcpy(coded->extradata, encoder->extradata, coded->extradata_size);
    for (int n = 0; n < PICTURES; n++) {
        AVFrame *frame = av_frame_alloc();
        frame->width = WIDTH;
        frame->height = HEIGHT;
        frame->format = encoder->pix_fmt;
        frame->pts = n;
        assert_int_equal(av_frame_get_buffer(frame, 0), 0);
        draw(frame, n);
        assert_int_equal(avcodec_send_frame(encoder, frame), 0);
        av_frame_free(&frame);
        collect(coded, encoder);
    }
    avcodec_send_frame(encoder, NULL);
    collect(coded, encoder);
    avcodec_free_context(&encoder);
    assert_int_equal(coded->count, PICTURES);
    decode(coded);
}

static void drop(struct coded *coded)
{
    for (int i = 0; i < coded->count; i++)
        av_packet_free(&coded->packets[i]);
    free(coded->extradata);
}

static struct gw_slice_reader *make_reader(const struct coded *coded)
{
    struct gw_slice_reader *reader = NULL;

    assert_int_equal(gw_slice_reader_create(&reader), 0);
    gw_slice_reader_reset(reader, coded->codec, coded->extradata, coded->extradata_size);
    return reader;
}

// --- comparing -----------------------------------------------------------------------------------

static enum gw_picture_type expected_type(enum AVPictureType type)
{
    return type == AV_PICTURE_TYPE_B   ? GW_PICTURE_B
           : type == AV_PICTURE_TYPE_P ? GW_PICTURE_P
           : type == AV_PICTURE_TYPE_I ? GW_PICTURE_I
                                       : GW_PICTURE_UNKNOWN;
}

struct sums {
    int types[GW_PICTURE_B + 1];
    int unreferenced;
    int slices; // of each picture
};

// Every picture has the quantiser qp, and the type that the decoder says; qp -1: not compared.
static struct sums compare(const struct coded *coded, int qp)
{
    struct gw_slice_reader *reader = make_reader(coded);
    struct sums sums = {0};

    for (int i = 0; i < coded->count; i++) {
        const AVPacket *packet = coded->packets[i];
        struct gw_picture_info info;
        assert_true(gw_slice_read(reader, packet->data, (size_t)packet->size, &info));
        assert_int_equal(info.type, expected_type(coded->types[packet->pts]));
        if (qp >= 0)
            assert_int_equal(info.qp, qp);
        assert_in_range(info.slice_bytes, 1, packet->size);
        if (packet->flags & AV_PKT_FLAG_KEY)
            assert_true(info.type == GW_PICTURE_I && info.reference);
        sums.types[info.type]++;
        sums.unreferenced += !info.reference;
        sums.slices = info.slices;
    }
    gw_slice_reader_destroy(&reader);
    return sums;
}

static struct sums encode_and_compare(struct coded *coded, int qp)
{
    make(coded);
    const struct sums sums = compare(coded, qp);
    drop(coded);
    return sums;
}

static void h264_with_constant_qp_is_read(void **state)
{
    static const int qps[] = {10, 26, 51};

    for (size_t i = 0; i < sizeof(qps) / sizeof(qps[0]); i++) {
        char params[64];
        snprintf(params, sizeof(params), "qp=%d:ipratio=1:pbratio=1:scenecut=0", qps[i]);
        struct coded coded = {.encoder = "libx264", .params = params};
        const struct sums sums = encode_and_compare(&coded, qps[i]);
        assert_int_equal(sums.types[GW_PICTURE_I], 2);
        assert_int_equal(sums.types[GW_PICTURE_P], PICTURES - 2);
        assert_int_equal(sums.unreferenced, 0);
        assert_int_equal(sums.slices, 1);
    }
}

static void h264_with_b_frames_is_read(void **state)
{
    struct coded coded = {.encoder = "libx264",
                          .params = "qp=30:ipratio=1:pbratio=1:scenecut=0:b-adapt=0:"
                                    "b-pyramid=normal:ref=4",
                          .b_frames = 3};
    const struct sums sums = encode_and_compare(&coded, 30);
    assert_true(sums.types[GW_PICTURE_B] >= 12);
    assert_true(sums.unreferenced > 0);
    assert_true(sums.unreferenced < sums.types[GW_PICTURE_B]);
}

static void h264_with_weighted_prediction_is_read(void **state)
{
    struct coded coded = {.encoder = "libx264",
                          .params = "qp=24:ipratio=1:pbratio=1:scenecut=0:weightp=2:weightb=1:"
                                    "b-adapt=0:ref=3:b-pyramid=strict",
                          .b_frames = 2};
    encode_and_compare(&coded, 24);
}

static void h264_with_cavlc_is_read(void **state)
{
    struct coded coded = {.encoder = "libx264",
                          .params = "qp=28:ipratio=1:scenecut=0:cabac=0:ref=2"};
    encode_and_compare(&coded, 28);
}

static void h264_with_several_slices_is_read(void **state)
{
    struct coded coded = {.encoder = "libx264", .params = "qp=33:ipratio=1:scenecut=0:slices=4"};
    const struct sums sums = encode_and_compare(&coded, 33);
    assert_int_equal(sums.slices, 4);
}

static void interlaced_h264_is_read(void **state)
{
    struct coded coded = {.encoder = "libx264",
                          .params = "qp=27:ipratio=1:pbratio=1:scenecut=0:interlaced=1:tff=1:"
                                    "b-adapt=0:weightp=0",
                          .b_frames = 1};
    encode_and_compare(&coded, 27);
}

// Quantisers of more than 8 bits count from 0 too: 6 more for each bit.
static void h264_with_ten_bits_is_read(void **state)
{
    struct coded coded = {.encoder = "libx264",
                          .params = "qp=40:ipratio=1:pbratio=1:scenecut=0:b-adapt=0",
                          .format = AV_PIX_FMT_YUV420P10,
                          .b_frames = 2};
    encode_and_compare(&coded, 40);
}

static void h264_with_a_scaling_matrix_is_read(void **state)
{
    struct coded coded = {.encoder = "libx264",
                          .params = "qp=22:ipratio=1:scenecut=0:cqm=jvt:8x8dct=1"};
    encode_and_compare(&coded, 22);
}

static void h264_with_intra_refresh_is_read(void **state)
{
    struct coded coded = {.encoder = "libx264",
                          .params = "qp=29:ipratio=1:scenecut=0:intra-refresh=1"};
    make(&coded);
    struct gw_slice_reader *reader = make_reader(&coded);
    for (int i = 0; i < coded.count; i++) {
        struct gw_picture_info info;
        assert_true(
            gw_slice_read(reader, coded.packets[i]->data, (size_t)coded.packets[i]->size, &info));
        assert_int_equal(info.qp, 29);
    }
    gw_slice_reader_destroy(&reader);
    drop(&coded);
}

// At a bitrate the quantiser differs from picture to picture, and the encoder says which it took.
// It speaks of the average; without adaptive quantisation that is the slice's own.
static void a_quantiser_that_changes_is_the_one_the_encoder_took(void **state)
{
    struct coded coded = {.encoder = "libx264",
                          .params = "bitrate=300:vbv-maxrate=300:vbv-bufsize=300:aq-mode=0:"
                                    "mbtree=0:rc-lookahead=0:scenecut=0:slices=1:b-adapt=0",
                          .b_frames = 1};
    int least = 99, most = 0, off = 0;
    make(&coded);
    struct gw_slice_reader *reader = make_reader(&coded);
    for (int i = 0; i < coded.count; i++) {
        const AVPacket *packet = coded.packets[i];
        struct gw_picture_info info;
        size_t size = 0;
        assert_true(gw_slice_read(reader, packet->data, (size_t)packet->size, &info));
        const uint8_t *stats = av_packet_get_side_data(packet, AV_PKT_DATA_QUALITY_STATS, &size);
        assert_true(stats && size >= 4);
        const uint32_t lambda = (uint32_t)stats[0] | (uint32_t)stats[1] << 8 |
                                (uint32_t)stats[2] << 16 | (uint32_t)stats[3] << 24;
        const int average = (int)((lambda + FF_QP2LAMBDA / 2) / FF_QP2LAMBDA);
        // Row by row the encoder may leave the slice's quantiser by a little.
        off += abs(info.qp - average) > 2;
        least = info.qp < least ? info.qp : least;
        most = info.qp > most ? info.qp : most;
    }
    assert_true(most > least + 1);
    assert_in_range(off, 0, PICTURES / 8);
    gw_slice_reader_destroy(&reader);
    drop(&coded);
}

static void h265_with_constant_qp_is_read(void **state)
{
    static const int qps[] = {12, 30, 51};

    for (size_t i = 0; i < sizeof(qps) / sizeof(qps[0]); i++) {
        char params[64];
        snprintf(params, sizeof(params), "qp=%d:ipratio=1:pbratio=1:scenecut=0", qps[i]);
        struct coded coded = {.encoder = "libx265", .params = params};
        const struct sums sums = encode_and_compare(&coded, qps[i]);
        assert_int_equal(sums.unreferenced, 0);
    }
}

static void h265_with_b_frames_is_read(void **state)
{
    struct coded coded = {.encoder = "libx265",
                          .params = "qp=30:ipratio=1:pbratio=1:scenecut=0:b-adapt=0:bframes=3:"
                                    "b-pyramid=1:ref=4:open-gop=0",
                          .b_frames = 3};
    const struct sums sums = encode_and_compare(&coded, 30);
    assert_true(sums.types[GW_PICTURE_B] >= 12);
    assert_true(sums.unreferenced > 0);
    assert_true(sums.unreferenced < sums.types[GW_PICTURE_B]);
}

static void h265_with_open_gops_and_weights_is_read(void **state)
{
    struct coded coded = {.encoder = "libx265",
                          .params = "qp=25:ipratio=1:pbratio=1:scenecut=0:b-adapt=0:bframes=2:"
                                    "open-gop=1:weightp=1:weightb=1:ref=3",
                          .b_frames = 2};
    encode_and_compare(&coded, 25);
}

static void h265_with_other_tools_is_read(void **state)
{
    static const char *const params[] = {
        "qp=28:ipratio=1:pbratio=1:scenecut=0:sao=0:temporal-mvp=0:signhide=0",
        "qp=28:ipratio=1:pbratio=1:scenecut=0:wpp=1:amp=1:rect=1:deblock=2,2:cutree=0",
        "qp=28:ipratio=1:pbratio=1:scenecut=0:scaling-list=default:cbqpoffs=3:crqpoffs=-3",
        "qp=28:ipratio=1:pbratio=1:scenecut=0:bframes=3:temporal-layers=2",
        "qp=28:ipratio=1:pbratio=1:scenecut=0:intra-refresh=0:keyint=24:ref=6:bframes=8",
    };

    for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
        struct coded coded = {.encoder = "libx265", .params = params[i], .b_frames = 3};
        encode_and_compare(&coded, 28);
    }
}

static void h265_with_ten_bits_is_read(void **state)
{
    struct coded coded = {.encoder = "libx265",
                          .params = "qp=30:ipratio=1:pbratio=1:scenecut=0",
                          .format = AV_PIX_FMT_YUV420P10};
    encode_and_compare(&coded, 30 + 12);
}

// The encoder fails at several slices in so small a picture, so the second is the first once more,
// marked as not the first.
static void of_several_h265_slices_the_first_is_read(void **state)
{
    struct coded coded = {.encoder = "libx265", .params = "qp=30:ipratio=1:scenecut=0"};
    struct gw_picture_info once, twice;

    make(&coded);
    struct gw_slice_reader *reader = make_reader(&coded);
    const size_t size = (size_t)coded.packets[1]->size;
    uint8_t *data = malloc(2 * size);
    memcpy(data, coded.packets[1]->data, size);
    memcpy(data + size, coded.packets[1]->data, size);
    assert_true(gw_slice_read(reader, data, size, &once));
    assert_int_equal(once.slices, 1);
    uint8_t *second = data + size;
    while (memcmp(second, (const uint8_t[]){0, 0, 1, 2}, 4) != 0) // TRAIL_R
        assert_true(++second < data + 2 * size - 6);
    second[5] &= 0x7f; // first_slice_segment_in_pic_flag
    assert_true(gw_slice_read(reader, data, 2 * size, &twice));
    assert_int_equal(twice.slices, 2);
    assert_int_equal(twice.qp, 30);
    assert_in_range(twice.slice_bytes, 2 * once.slice_bytes, 2 * once.slice_bytes + 1);
    // Alone it does not say what it is, for the first one was lost.
    assert_false(gw_slice_read(reader, second, (size_t)(data + 2 * size - second), &twice));
    assert_int_equal(twice.slices, 1);
    assert_int_equal(twice.qp, -1);
    free(data);
    gw_slice_reader_destroy(&reader);
    drop(&coded);
}

// --- how packets are framed ----------------------------------------------------------------------

static void parameter_sets_in_the_stream_are_enough(void **state)
{
    struct coded h264 = {.encoder = "libx264",
                         .params = "qp=26:ipratio=1:scenecut=0:repeat-headers=1",
                         .annex_b = true};
    struct coded h265 = {.encoder = "libx265",
                         .params = "qp=26:ipratio=1:scenecut=0:repeat-headers=1",
                         .annex_b = true};

    encode_and_compare(&h264, 26);
    encode_and_compare(&h265, 26);
}

static void before_parameter_sets_the_quantiser_is_unknown(void **state)
{
    struct coded coded = {.encoder = "libx264", .params = "qp=26:scenecut=0"};
    struct gw_picture_info info;

    make(&coded);
    struct gw_slice_reader *reader = make_reader(&coded);
    gw_slice_reader_reset(reader, coded.codec, NULL, 0);
    assert_false(
        gw_slice_read(reader, coded.packets[1]->data, (size_t)coded.packets[1]->size, &info));
    assert_int_equal(info.qp, -1);
    assert_int_equal(info.slices, 1);
    assert_true(info.reference);
    gw_slice_reader_destroy(&reader);
    drop(&coded);
}

static void another_codec_has_bytes_and_nothing_else(void **state)
{
    static const uint8_t data[] = {0, 0, 1, 0x65, 0x88, 0x84};
    struct gw_slice_reader *reader = NULL;
    struct gw_picture_info info;

    assert_int_equal(gw_slice_reader_create(&reader), 0);
    gw_slice_reader_reset(reader, AV_CODEC_ID_MJPEG, data, sizeof(data));
    assert_false(gw_slice_read(reader, data, sizeof(data), &info));
    assert_int_equal(info.type, GW_PICTURE_UNKNOWN);
    assert_int_equal(info.slice_bytes, sizeof(data));
    assert_int_equal(info.qp, -1);
    gw_slice_reader_destroy(&reader);
}

static size_t put(uint8_t *to, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    return (size_t)bytes;
}

// The parameter sets of Annex B as an avcC or hvcC record (ISO/IEC 14496-15), as files have them.
static size_t make_record(const struct coded *coded, int length_size, uint8_t *ret)
{
    const bool h264 = coded->codec == AV_CODEC_ID_H264;
    struct gw_nal_walk walk;
    const uint8_t *nal;
    size_t size, at = h264 ? 5 : 23;

    memset(ret, 0, at);
    ret[0] = 1;
    ret[h264 ? 4 : 21] = (uint8_t)(0xfc | (length_size - 1));
    for (int pass = 0; pass < 2; pass++) {
        if (h264)
            at += put(ret + at, pass == 0 ? 0xe1 : 1, 1);
        gw_nal_walk_begin(&walk, coded->extradata, coded->extradata_size, 0);
        while (gw_nal_walk_next(&walk, &nal, &size)) {
            const int type = h264 ? nal[0] & 31 : nal[0] >> 1 & 63;
            if (type != (h264 ? 7 : 33) + pass)
                continue;
            if (!h264) {
                ret[22]++;
                at += put(ret + at, (uint32_t)type << 16 | 1, 3);
            }
            at += put(ret + at, (uint32_t)size, 2);
            memcpy(ret + at, nal, size);
            at += size;
        }
    }
    return at;
}

static size_t with_lengths(const AVPacket *packet, int length_size, uint8_t *ret)
{
    struct gw_nal_walk walk;
    const uint8_t *nal;
    size_t size, at = 0;

    gw_nal_walk_begin(&walk, packet->data, (size_t)packet->size, 0);
    while (gw_nal_walk_next(&walk, &nal, &size)) {
        at += put(ret + at, (uint32_t)size, length_size);
        memcpy(ret + at, nal, size);
        at += size;
    }
    return at;
}

static void check_record(const char *encoder, const char *params, int length_size)
{
    struct coded coded = {.encoder = encoder, .params = params, .b_frames = 2};
    uint8_t record[4096], *data = malloc(1 << 20);

    make(&coded);
    const size_t size = make_record(&coded, length_size, record);
    free(coded.extradata);
    coded.extradata = malloc(size);
    memcpy(coded.extradata, record, size);
    coded.extradata_size = size;
    for (int i = 0; i < coded.count; i++) {
        AVPacket *packet = coded.packets[i];
        const size_t length = with_lengths(packet, length_size, data);
        AVPacket *framed = av_packet_alloc();
        assert_int_equal(av_new_packet(framed, (int)length), 0);
        memcpy(framed->data, data, length);
        av_packet_copy_props(framed, packet);
        av_packet_free(&packet);
        coded.packets[i] = framed;
    }
    compare(&coded, 26);
    free(data);
    drop(&coded);
}

static void lengths_before_nal_units_are_read(void **state)
{
    static const char *const params = "qp=26:ipratio=1:pbratio=1:scenecut=0:b-adapt=0";

    for (int length_size = 3; length_size <= 4; length_size++) {
        check_record("libx264", params, length_size);
        check_record("libx265", params, length_size);
    }
}

// --- bits ----------------------------------------------------------------------------------------

static void emulation_prevention_is_taken_out(void **state)
{
    static const uint8_t nal[] = {0x65, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 7};
    static const uint8_t expected[] = {0, 0, 1, 0, 0, 0, 0, 7};
    struct gw_bits bits;

    gw_bits_begin(&bits, nal, sizeof(nal), 1);
    assert_int_equal(bits.size, sizeof(expected));
    assert_memory_equal(bits.bytes, expected, sizeof(expected));
}

static void exp_golomb_codes_are_read(void **state)
{
    // 1 | 010 | 011 | 00100 | 00101 | 0001000, padded: 0, 1, 2, 3, then -2, then 7.
    static const uint8_t nal[] = {0xa6, 0x42, 0x88, 0x00};
    struct gw_bits bits;

    gw_bits_begin(&bits, nal, sizeof(nal), 0);
    assert_int_equal(gw_bits_ue(&bits, 9), 0);
    assert_int_equal(gw_bits_ue(&bits, 9), 1);
    assert_int_equal(gw_bits_ue(&bits, 9), 2);
    assert_int_equal(gw_bits_ue(&bits, 9), 3);
    assert_int_equal(gw_bits_se(&bits), -2);
    assert_int_equal(gw_bits_ue(&bits, 9), 7);
    assert_false(bits.bad);
    assert_int_equal(gw_bits_ue(&bits, 9), 0);
    assert_true(bits.bad);
}

static void a_value_above_its_limit_is_bad(void **state)
{
    static const uint8_t nal[] = {0x28}; // 00101: 4
    struct gw_bits bits;

    gw_bits_begin(&bits, nal, sizeof(nal), 0);
    assert_int_equal(gw_bits_ue(&bits, 3), 0);
    assert_true(bits.bad);
}

static void nothing_is_read_beyond_the_end(void **state)
{
    static const uint8_t nal[] = {0xff, 0xff};
    struct gw_bits bits;

    gw_bits_begin(&bits, nal, sizeof(nal), 0);
    assert_int_equal(gw_bits_read(&bits, 15), 0x7fff);
    assert_int_equal(gw_bits_read(&bits, 2), 0);
    assert_true(bits.bad);
    gw_bits_begin(&bits, nal, sizeof(nal), 0);
    gw_bits_skip(&bits, 17);
    assert_true(bits.bad);
    gw_bits_begin(&bits, nal, 1, 2);
    assert_true(bits.bad);
}

// --- damage --------------------------------------------------------------------------------------

static uint32_t next_random(uint32_t *random)
{
    *random = *random * 1664525 + 1013904223;
    return *random >> 8;
}

// The largest QP that the standard has: 51, and 6 for each bit above 8, of 14 (H.264) or 16.
static void assert_within_limits(enum AVCodecID codec, const struct gw_picture_info *info,
                                 size_t size)
{
    const int most = codec == AV_CODEC_ID_H264 ? 51 + 36 : 51 + 48;

    assert_true(info->qp >= -1 && info->qp <= most);
    assert_true(info->type >= GW_PICTURE_UNKNOWN && info->type <= GW_PICTURE_B);
    assert_true(info->slices >= 0 && (size_t)info->slices <= size);
    assert_true(info->slice_bytes >= 0 && (size_t)info->slice_bytes <= size);
}

// Reads a copy that ends where its memory ends, so that a sanitizer sees every byte too much.
static bool read_copy(struct gw_slice_reader *reader, enum AVCodecID codec, const uint8_t *data,
                      size_t size, struct gw_picture_info *ret)
{
    uint8_t *copy = malloc(size + (size == 0));

    memcpy(copy, data, size);
    const bool understood = gw_slice_read(reader, copy, size, ret);
    free(copy);
    assert_within_limits(codec, ret, size);
    return understood;
}

static void check_truncations(const char *encoder)
{
    struct coded coded = {.encoder = encoder,
                          .params = "qp=26:ipratio=1:scenecut=0:repeat-headers=1"};
    struct gw_picture_info info;
    bool understood = false;

    make(&coded);
    struct gw_slice_reader *reader = make_reader(&coded);
    const AVPacket *first = coded.packets[0];
    for (size_t size = 0; size <= (size_t)first->size; size++) {
        gw_slice_reader_reset(reader, coded.codec, NULL, 0);
        const bool now = read_copy(reader, coded.codec, first->data, size, &info);
        assert_true(now || !understood); // more bytes never take back what is known
        assert_true(!now || info.qp == 26);
        understood = now;
    }
    assert_true(understood);
    for (size_t size = 0; size < coded.extradata_size; size++) {
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, coded.extradata, size);
        gw_slice_reader_reset(reader, coded.codec, copy, size);
        free(copy);
        read_copy(reader, coded.codec, coded.packets[1]->data, (size_t)coded.packets[1]->size,
                  &info);
    }
    gw_slice_reader_destroy(&reader);
    drop(&coded);
}

static void a_packet_may_end_anywhere(void **state)
{
    check_truncations("libx264");
    if (avcodec_find_encoder_by_name("libx265"))
        check_truncations("libx265");
}

static void truncated_records_are_survived(void **state)
{
    static const char *const encoders[] = {"libx264", "libx265"};

    for (int e = 0; e < 2; e++) {
        struct coded coded = {.encoder = encoders[e], .params = "qp=26:scenecut=0"};
        uint8_t record[4096];
        make(&coded);
        struct gw_slice_reader *reader = make_reader(&coded);
        const size_t whole = make_record(&coded, 4, record);
        for (size_t size = 0; size <= whole; size++) {
            struct gw_picture_info info;
            uint8_t *copy = malloc(size + (size == 0));
            memcpy(copy, record, size);
            gw_slice_reader_reset(reader, coded.codec, copy, size);
            free(copy);
            read_copy(reader, coded.codec, coded.packets[0]->data, (size_t)coded.packets[0]->size,
                      &info);
        }
        gw_slice_reader_destroy(&reader);
        drop(&coded);
    }
}

// Changes some bytes, mostly in the head where the parsers read, and cuts off some of the end.
static size_t mutate(uint8_t *data, size_t size, uint32_t *random)
{
    const int changes = (int)(next_random(random) % 8);
    const size_t head = next_random(random) % 4 ? 48 : size;

    for (int i = 0; i < changes && size > 0; i++) {
        uint8_t *byte = &data[next_random(random) % (head < size ? head : size)];
        const uint32_t how = next_random(random) % 4;
        *byte = (uint8_t)(how == 0   ? next_random(random)
                          : how == 1 ? 0
                          : how == 2 ? 255
                                     : *byte ^ 1U << next_random(random) % 8);
    }
    return next_random(random) % 8 ? size : next_random(random) % (size + 1);
}

// Returns how many packets were understood, of 20000.
static int fuzz(const struct coded *coded, bool records, uint32_t random)
{
    struct gw_slice_reader *reader = make_reader(coded);
    uint8_t extradata[4096];
    int understood = 0;

    for (int i = 0; i < 20000; i++) {
        const AVPacket *packet = coded->packets[next_random(&random) % (uint32_t)coded->count];
        struct gw_picture_info info;
        if (i % 4 == 0) {
            size_t size = coded->extradata_size;
            if (records)
                size = make_record(coded, (int)(next_random(&random) % 4) + 1, extradata);
            else
                memcpy(extradata, coded->extradata, size);
            if (i % 8 == 0)
                size = mutate(extradata, size, &random);
            uint8_t *copy = malloc(size + (size == 0));
            memcpy(copy, extradata, size);
            gw_slice_reader_reset(reader, coded->codec, copy, size);
            free(copy);
        }
        uint8_t *data = malloc((size_t)packet->size);
        memcpy(data, packet->data, (size_t)packet->size);
        const size_t size = mutate(data, (size_t)packet->size, &random);
        understood += read_copy(reader, coded->codec, data, size, &info);
        free(data);
    }
    gw_slice_reader_destroy(&reader);
    return understood;
}

static void damaged_h264_does_no_harm(void **state)
{
    struct coded coded = {.encoder = "libx264",
                          .params = "qp=30:scenecut=0:weightp=2:weightb=1:b-adapt=0:ref=4:"
                                    "b-pyramid=normal:repeat-headers=1:slices=2",
                          .b_frames = 3};
    make(&coded);
    assert_in_range(fuzz(&coded, false, 1), 2000, 19900);
    fuzz(&coded, true, 2);
    drop(&coded);
}

static void damaged_h265_does_no_harm(void **state)
{
    struct coded coded = {.encoder = "libx265",
                          .params = "qp=30:scenecut=0:weightp=1:weightb=1:b-adapt=0:ref=4:"
                                    "b-pyramid=1:repeat-headers=1:bframes=3",
                          .b_frames = 3};
    make(&coded);
    assert_in_range(fuzz(&coded, false, 3), 2000, 19900);
    fuzz(&coded, true, 4);
    drop(&coded);
}

// Lengths that promise more than there is, start codes and nothing else.
static void packets_of_nothing_but_frames_are_survived(void **state)
{
    static const uint8_t codes[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1};
    static const uint8_t lengths[] = {255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 1};
    static const uint8_t avcc[] = {1, 100, 0, 31, 255, 0xe0, 0};
    struct gw_slice_reader *reader = NULL;
    struct gw_picture_info info;

    assert_int_equal(gw_slice_reader_create(&reader), 0);
    gw_slice_reader_reset(reader, AV_CODEC_ID_H264, NULL, 0);
    for (size_t size = 0; size <= sizeof(codes); size++)
        assert_false(read_copy(reader, AV_CODEC_ID_H264, codes, size, &info));
    gw_slice_reader_reset(reader, AV_CODEC_ID_H264, avcc, sizeof(avcc));
    for (size_t size = 0; size <= sizeof(lengths); size++)
        assert_false(read_copy(reader, AV_CODEC_ID_H264, lengths, size, &info));
    gw_slice_reader_destroy(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(h264_with_constant_qp_is_read),
        cmocka_unit_test(h264_with_b_frames_is_read),
        cmocka_unit_test(h264_with_weighted_prediction_is_read),
        cmocka_unit_test(h264_with_cavlc_is_read),
        cmocka_unit_test(h264_with_several_slices_is_read),
        cmocka_unit_test(interlaced_h264_is_read),
        cmocka_unit_test(h264_with_ten_bits_is_read),
        cmocka_unit_test(h264_with_a_scaling_matrix_is_read),
        cmocka_unit_test(h264_with_intra_refresh_is_read),
        cmocka_unit_test(a_quantiser_that_changes_is_the_one_the_encoder_took),
        cmocka_unit_test(h265_with_constant_qp_is_read),
        cmocka_unit_test(h265_with_b_frames_is_read),
        cmocka_unit_test(h265_with_open_gops_and_weights_is_read),
        cmocka_unit_test(h265_with_other_tools_is_read),
        cmocka_unit_test(h265_with_ten_bits_is_read),
        cmocka_unit_test(of_several_h265_slices_the_first_is_read),
        cmocka_unit_test(parameter_sets_in_the_stream_are_enough),
        cmocka_unit_test(before_parameter_sets_the_quantiser_is_unknown),
        cmocka_unit_test(another_codec_has_bytes_and_nothing_else),
        cmocka_unit_test(lengths_before_nal_units_are_read),
        cmocka_unit_test(emulation_prevention_is_taken_out),
        cmocka_unit_test(exp_golomb_codes_are_read),
        cmocka_unit_test(a_value_above_its_limit_is_bad),
        cmocka_unit_test(nothing_is_read_beyond_the_end),
        cmocka_unit_test(a_packet_may_end_anywhere),
        cmocka_unit_test(truncated_records_are_survived),
        cmocka_unit_test(damaged_h264_does_no_harm),
        cmocka_unit_test(damaged_h265_does_no_harm),
        cmocka_unit_test(packets_of_nothing_but_frames_are_survived),
    };
    av_log_set_level(AV_LOG_QUIET); // damage is on purpose
    return cmocka_run_group_tests(tests, NULL, NULL);
}
