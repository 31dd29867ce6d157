// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/magic.h>

#include <libavformat/avformat.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/clip_writer.h"
#include "storage/mp4_box.h"
#include "tests/unit/coded_pictures.h"

#define START_US         INT64_C(1777863721120000) // 2026-05-04T03:02:01.120Z
#define TYPE(a, b, c, d) GW_MP4_TYPE(a, b, c, d)

// libx265 2.x keeps some of its own for ever.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libx265";
}

// The storage library calls this one: a disk whose syncs fail when a test says so.
static int sync_error, syncs;
int fdatasync(int fd)
{
    syncs++;
    if (sync_error) {
        errno = sync_error;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

// --- a store -------------------------------------------------------------------------------------

static char store[PATH_MAX];

static int make_store(void **state)
{
    snprintf(store, sizeof(store), "/tmp/gridwatch-test-XXXXXX");
    sync_error = syncs = 0;
    return mkdtemp(store) ? 0 : -1;
}

static int remove_store(void **state)
{
    char command[PATH_MAX + 16];
    snprintf(command, sizeof(command), "rm -rf '%s'", store);
    return system(command);
}

static void clip_file(char full[PATH_MAX], const struct gw_clip *clip)
{
    char path[GW_MEDIA_PATH_SIZE];
    snprintf(full, PATH_MAX, "%.1000s/%s", store, gw_clip_path(path, clip));
}

static struct coded_pictures *make_pictures(const char *encoder, int count, int gop, int b_frames)
{
    struct coded_pictures_config config = {encoder, count, 25, gop, b_frames, START_US, 0};
    struct coded_pictures *pictures = coded_pictures_make(&config);
    if (!pictures) {
        print_message("libavcodec has no %s here\n", encoder);
        skip();
    }
    assert_int_equal(pictures->count, count);
    return pictures;
}

static struct gw_clip new_clip(void)
{
    struct gw_clip clip = {.id = gw_id_make(START_US), .camera = "gate-07"};
    return clip;
}

static struct gw_clip_writer *begin(const struct coded_pictures *pictures, struct gw_clip *clip)
{
    struct gw_clip_writer *writer;
    *clip = new_clip();
    assert_int_equal(gw_clip_writer_create(&writer, store, clip, &pictures->packets[0]), 0);
    return writer;
}

static struct gw_clip record(const struct coded_pictures *pictures)
{
    struct gw_clip clip;
    struct gw_clip_writer *writer = begin(pictures, &clip);
    for (int i = 0; i < pictures->count; i++)
        assert_int_equal(gw_clip_writer_write(writer, &pictures->packets[i]), 0);
    assert_int_equal(gw_clip_writer_finish(&writer, &clip), 0);
    assert_null(writer);
    return clip;
}

// --- what a player sees --------------------------------------------------------------------------

struct seen {
    int frames, decoded, errors;
    int64_t first_pts, duration; // ticks
    int64_t duration_us, start_time_us;
    char tag[8], id[64], camera[64], start[32];
};

static void copy_tag(const AVFormatContext *input, const char *key, char *ret, size_t size)
{
    const AVDictionaryEntry *entry = av_dict_get(input->metadata, key, NULL, 0);
    snprintf(ret, size, "%s", entry ? entry->value : "");
}

static void decode(AVCodecContext *decoder, const AVPacket *packet, struct seen *seen)
{
    AVFrame *frame = av_frame_alloc();
    if (avcodec_send_packet(decoder, packet) < 0)
        seen->errors++;
    while (avcodec_receive_frame(decoder, frame) >= 0) {
        seen->decoded++;
        seen->errors += frame->decode_error_flags != 0;
    }
    av_frame_free(&frame);
}

static void read_packets(AVFormatContext *input, AVCodecContext *decoder, struct seen *seen)
{
    AVPacket *packet = av_packet_alloc();
    seen->first_pts = INT64_MAX;
    while (av_read_frame(input, packet) >= 0) {
        seen->frames++;
        seen->first_pts = packet->pts < seen->first_pts ? packet->pts : seen->first_pts;
        decode(decoder, packet, seen);
        av_packet_unref(packet);
    }
    decode(decoder, NULL, seen);
    av_packet_free(&packet);
}

// Plays the file as any libavformat program does. Returns its error when it cannot be opened.
static int play(const char *path, struct seen *seen)
{
    AVFormatContext *input = NULL;
    memset(seen, 0, sizeof(*seen));
    int result = avformat_open_input(&input, path, NULL, NULL);
    if (result < 0)
        return result;
    assert_true(avformat_find_stream_info(input, NULL) >= 0);
    AVStream *track = input->streams[0];
    assert_int_equal(input->nb_streams, 1);
    assert_int_equal(track->time_base.den, GW_MP4_TIMESCALE);
    seen->duration = track->duration;
    seen->duration_us = input->duration;
    seen->start_time_us = input->start_time;
    av_fourcc_make_string(seen->tag, track->codecpar->codec_tag);
    copy_tag(input, "gridwatch_clip", seen->id, sizeof(seen->id));
    copy_tag(input, "gridwatch_camera", seen->camera, sizeof(seen->camera));
    copy_tag(input, "gridwatch_start_us", seen->start, sizeof(seen->start));

    const AVCodec *codec = avcodec_find_decoder(track->codecpar->codec_id);
    AVCodecContext *decoder = avcodec_alloc_context3(codec);
    decoder->err_recognition = AV_EF_EXPLODE;
    avcodec_parameters_to_context(decoder, track->codecpar);
    assert_int_equal(avcodec_open2(decoder, codec, NULL), 0);
    read_packets(input, decoder, seen);
    avcodec_free_context(&decoder);
    avformat_close_input(&input);
    return 0;
}

static struct seen play_clip(const struct gw_clip *clip)
{
    char path[PATH_MAX];
    struct seen seen;
    clip_file(path, clip);
    assert_int_equal(play(path, &seen), 0);
    return seen;
}

// Boxes of one type on the top level; the offset of the last goes to ret_offset.
static int count_boxes(const struct gw_clip *clip, uint32_t type, int64_t *ret_offset)
{
    char path[PATH_MAX];
    struct stat status;
    struct gw_mp4_box box;
    int count = 0;
    clip_file(path, clip);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    fstat(fd, &status);
    for (int64_t at = 0; gw_mp4_read_box(fd, at, status.st_size, &box) == 1; at += box.size)
        if (box.type == type) {
            count++;
            if (ret_offset)
                *ret_offset = at;
        }
    close(fd);
    return count;
}

static uint32_t read_word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// What the fragment's boxes say of its samples: the sum of their durations, and the last one's.
static void read_durations(const uint8_t *moof, uint32_t size, int64_t *sum, int64_t *last)
{
    uint32_t standard = 0;
    for (uint32_t at = 8; at + 8 <= size; at++) { // boxes found by their names; moofs are small
        const uint8_t *body = moof + at + 4;
        if (!memcmp(moof + at, "tfhd", 4) && read_word(body) & 0x08) {
            uint32_t skip_fields = (read_word(body) & 1 ? 8 : 0) + (read_word(body) & 2 ? 4 : 0);
            standard = read_word(body + 8 + skip_fields);
        }
        if (memcmp(moof + at, "trun", 4))
            continue;
        uint32_t flags = read_word(body), count = read_word(body + 4);
        const uint8_t *entry = body + 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
        for (uint32_t i = 0; i < count; i++) {
            *last = flags & 0x100 ? read_word(entry) : standard;
            *sum += *last;
            for (uint32_t bit = 0x100; bit <= 0x800; bit <<= 1)
                entry += flags & bit ? 4 : 0;
        }
        return;
    }
}

static void sum_durations(const struct gw_clip *clip, int64_t *sum, int64_t *last)
{
    char path[PATH_MAX];
    struct gw_mp4_box box;
    *sum = *last = 0;
    clip_file(path, clip);
    int fd = open(path, O_RDONLY);
    for (int64_t at = 0; gw_mp4_read_box(fd, at, clip->size_bytes, &box) == 1; at += box.size) {
        if (box.type != TYPE('m', 'o', 'o', 'f'))
            continue;
        uint8_t *moof = malloc((size_t)box.size);
        assert_int_equal(pread(fd, moof, (size_t)box.size, at), box.size);
        read_durations(moof, (uint32_t)box.size, sum, last);
        free(moof);
    }
    close(fd);
}

static int64_t file_size(const struct gw_clip *clip)
{
    char path[PATH_MAX];
    struct stat status;
    clip_file(path, clip);
    return stat(path, &status) < 0 ? -1 : status.st_size;
}

// --- facts ---------------------------------------------------------------------------------------

static void a_clip_begins_at_zero_and_every_picture_decodes(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 110, 50, 0);
    struct gw_clip clip = record(pictures);
    struct seen seen = play_clip(&clip);

    assert_int_equal(seen.frames, 110);
    assert_int_equal(seen.decoded, 110);
    assert_int_equal(seen.errors, 0);
    assert_int_equal(seen.first_pts, 0);
    assert_int_equal(seen.start_time_us, 0);
    assert_int_equal(seen.duration, 110 * GW_MP4_TIMESCALE / 25);
    assert_int_equal(seen.duration_us, 110 * GW_SECOND / 25);
    coded_pictures_free(pictures);
}

static void the_last_picture_lasts_as_long_as_the_others(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 33, 10, 0);
    struct gw_clip clip = record(pictures);
    int64_t sum, last;
    sum_durations(&clip, &sum, &last);
    assert_int_equal(last, GW_MP4_TIMESCALE / 25);
    assert_int_equal(sum, 33 * GW_MP4_TIMESCALE / 25);
    coded_pictures_free(pictures);
}

static void uneven_pictures_keep_their_times(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 40, 10, 0);
    for (int i = 15; i < 40; i++) { // half a second without a picture, where no fragment ends
        pictures->packets[i].av->pts += GW_SECOND / 2;
        pictures->packets[i].av->dts += GW_SECOND / 2;
    }
    struct gw_clip clip = record(pictures);
    int64_t sum, last;
    sum_durations(&clip, &sum, &last);
    assert_int_equal(clip.frames, 40);
    assert_true(clip.end_us > START_US + 39 * GW_SECOND / 25 + GW_SECOND / 2);
    assert_int_equal(sum, ((clip.end_us - START_US) * 9 + 50) / 100);
    coded_pictures_free(pictures);
}

static void what_is_announced_is_what_the_file_holds(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 110, 50, 0);
    struct gw_clip opened;
    struct gw_clip_writer *writer = begin(pictures, &opened);
    assert_int_equal(opened.state, GW_CLIP_RECORDING);
    assert_int_equal(opened.start_us, START_US);
    assert_int_equal(opened.frames, 0);
    assert_string_equal(opened.codec, "h264");
    assert_int_equal(opened.width, 160);
    assert_int_equal(opened.height, 96);
    assert_int_equal(opened.size_bytes, file_size(&opened));

    struct gw_clip closed;
    for (int i = 0; i < 110; i++)
        gw_clip_writer_write(writer, &pictures->packets[i]);
    gw_clip_writer_mark_truncated(writer);
    assert_int_equal(gw_clip_writer_finish(&writer, &closed), 0);
    assert_int_equal(closed.state, GW_CLIP_CLOSED);
    assert_int_equal(closed.frames, 110);
    assert_int_equal(closed.end_us, START_US + 110 * GW_SECOND / 25);
    assert_int_equal(closed.size_bytes, file_size(&closed));
    assert_true(closed.truncated);
    coded_pictures_free(pictures);
}

static void b_frames_need_no_edit_list(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 60, 25, 2);
    assert_true(pictures->packets[0].av->dts < pictures->packets[0].av->pts);
    struct gw_clip clip = record(pictures);
    struct seen seen = play_clip(&clip);

    assert_int_equal(seen.frames, 60);
    assert_int_equal(seen.decoded, 60);
    assert_int_equal(seen.errors, 0);
    assert_int_equal(seen.first_pts, 0);
    assert_int_equal(seen.duration, 60 * GW_MP4_TIMESCALE / 25);
    assert_int_equal(clip.end_us, START_US + 60 * GW_SECOND / 25);
    coded_pictures_free(pictures);
}

static void the_last_shown_picture_of_b_frames_need_not_be_the_last_decoded(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 60, 60, 2);
    int last = 59;
    while (pictures->packets[last].av->pts >= START_US + 59 * GW_SECOND / 25)
        last--; // a picture that is shown before another
    AVPacket *av = pictures->packets[last].av;
    av->pts = av->dts; // as early as may be
    pictures->count = last + 1;
    int64_t latest = 0;
    for (int i = 0; i <= last; i++)
        if (pictures->packets[i].av->pts > latest)
            latest = pictures->packets[i].av->pts;
    assert_true(latest > av->pts);
    struct gw_clip clip = record(pictures);
    assert_in_range(clip.end_us, latest + GW_SECOND / 30, latest + GW_SECOND / 20);
    for (int i = pictures->count; i < 60; i++)
        gw_packet_unref(&pictures->packets[i]);
    coded_pictures_free(pictures);
}

static void h265_is_tagged_as_browsers_want_it(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx265", 30, 10, 0);
    struct gw_clip clip = record(pictures);
    struct seen seen = play_clip(&clip);
    assert_string_equal(clip.codec, "h265");
    assert_string_equal(seen.tag, "hvc1");
    assert_int_equal(seen.decoded, 30);
    assert_int_equal(seen.errors, 0);
    coded_pictures_free(pictures);
}

static void the_file_says_who_it_is(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 10, 10, 0);
    struct gw_clip clip = record(pictures);
    struct seen seen = play_clip(&clip);
    char id[GW_ID_TEXT_SIZE];
    assert_string_equal(seen.id, gw_id_format(id, &clip.id));
    assert_string_equal(seen.camera, "gate-07");
    assert_int_equal(strtoll(seen.start, NULL, 10), START_US);
    coded_pictures_free(pictures);
}

static void a_fragment_is_a_gop_and_at_most_two_seconds(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 250, 25, 0); // 10 GOPs of 1 s
    struct gw_clip clip = record(pictures);
    assert_int_equal(count_boxes(&clip, TYPE('m', 'o', 'o', 'f'), NULL), 10);
    assert_int_equal(count_boxes(&clip, TYPE('s', 'i', 'd', 'x'), NULL), 1);
    coded_pictures_free(pictures);

    pictures = make_pictures("libx264", 250, 250, 0); // 1 GOP of 10 s
    clip = record(pictures);
    assert_int_equal(count_boxes(&clip, TYPE('m', 'o', 'o', 'f'), NULL), 5);
    struct seen seen = play_clip(&clip);
    assert_int_equal(seen.decoded, 250);
    assert_int_equal(seen.duration, 10 * GW_MP4_TIMESCALE);
    coded_pictures_free(pictures);
}

static void a_clip_of_very_many_gops_has_an_index_that_fits(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 1500, 2, 0); // 750 GOPs
    struct gw_clip clip = record(pictures);
    assert_int_equal(count_boxes(&clip, TYPE('m', 'o', 'o', 'f'), NULL), 750);
    struct seen seen = play_clip(&clip);
    assert_int_equal(seen.decoded, 1500);
    assert_int_equal(seen.duration, 60 * GW_MP4_TIMESCALE);
    coded_pictures_free(pictures);
}

// Chromium looks at every fragment of a file in which another box stands between the two.
static void the_index_stands_right_before_the_first_fragment(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 25, 25, 0);
    struct gw_clip clip = record(pictures);
    int64_t sidx, moof;
    assert_int_equal(count_boxes(&clip, TYPE('s', 'i', 'd', 'x'), &sidx), 1);
    assert_int_equal(count_boxes(&clip, TYPE('m', 'o', 'o', 'f'), &moof), 1);
    assert_int_equal(sidx + GW_MP4_INDEX_HEAD_SIZE + GW_MP4_INDEX_ENTRY_SIZE, moof);
    coded_pictures_free(pictures);
}

// Parameter sets as an MP4 file has them, packets as a camera sends them.
static void parameter_sets_may_come_in_the_form_of_mp4(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 30, 10, 0);
    const AVCodecParameters *annexb = pictures->stream->parameters;
    assert_int_equal(annexb->extradata[0], 0);
    struct gw_clip clip = record(pictures);

    // The header of that file has them in the form wanted.
    char path[PATH_MAX];
    AVFormatContext *input = NULL;
    clip_file(path, &clip);
    assert_int_equal(avformat_open_input(&input, path, NULL, NULL), 0);
    assert_int_equal(input->streams[0]->codecpar->extradata[0], 1);
    struct gw_stream *stream;
    gw_stream_create(&stream, input->streams[0]->codecpar, 0);
    avformat_close_input(&input);
    for (int i = 0; i < pictures->count; i++) {
        gw_stream_unref(&pictures->packets[i].stream);
        pictures->packets[i].stream = gw_stream_ref(stream);
    }
    gw_stream_unref(&stream);
    clip = record(pictures);
    struct seen seen = play_clip(&clip);
    assert_int_equal(seen.decoded, 30);
    assert_int_equal(seen.errors, 0);
    coded_pictures_free(pictures);
}

static void a_stream_without_parameter_sets_leaves_no_file(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 5, 5, 0);
    struct gw_clip clip = new_clip();
    struct gw_clip_writer *writer;
    pictures->stream->parameters->extradata_size = 0;
    assert_int_equal(gw_clip_writer_create(&writer, store, &clip, &pictures->packets[0]),
                     GW_ERROR_INVALID);
    clip.start_us = START_US;
    assert_int_equal(file_size(&clip), -1);
    coded_pictures_free(pictures);
}

static void a_clip_that_is_still_written_plays_up_to_its_last_fragment(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 110, 25, 0);
    struct gw_clip clip;
    struct gw_clip_writer *writer = begin(pictures, &clip);
    for (int i = 0; i < 110; i++)
        gw_clip_writer_write(writer, &pictures->packets[i]);
    struct seen seen = play_clip(&clip);
    assert_int_equal(seen.decoded, 100); // the fifth GOP is not complete
    assert_int_equal(seen.errors, 0);
    gw_clip_writer_finish(&writer, &clip);
    coded_pictures_free(pictures);
}

static void a_picture_out_of_order_is_refused_and_harms_nothing(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 20, 10, 0);
    struct gw_clip clip;
    struct gw_clip_writer *writer = begin(pictures, &clip);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(gw_clip_writer_write(writer, &pictures->packets[i]), 0);
        if (i)
            assert_int_equal(gw_clip_writer_write(writer, &pictures->packets[i - 1]),
                             GW_ERROR_INVALID);
    }
    assert_int_equal(gw_clip_writer_finish(&writer, &clip), 0);
    assert_int_equal(play_clip(&clip).decoded, 20);
    coded_pictures_free(pictures);
}

// --- when the disk fails -------------------------------------------------------------------------

static void a_full_disk_ends_the_file_for_good_and_keeps_what_is_whole(void **state)
{
    struct coded_pictures_config config = {"libx264", 200, 25, 25, 0, START_US, 255};
    struct coded_pictures *pictures = coded_pictures_make(&config);
    if (!pictures)
        skip();
    struct gw_clip clip = record(pictures);
    struct rlimit limit, full = {(rlim_t)clip.size_bytes / 2, 0};
    struct gw_clip_writer *writer = begin(pictures, &clip);
    gw_clip_writer_write(writer, &pictures->packets[0]);
    getrlimit(RLIMIT_FSIZE, &limit);
    full.rlim_max = limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &full);
    int first_error = 0;
    for (int i = 1; i < pictures->count; i++) {
        int result = gw_clip_writer_write(writer, &pictures->packets[i]);
        assert_true(first_error == 0 || result == first_error);
        first_error = result;
    }
    assert_int_equal(first_error, -EFBIG);
    setrlimit(RLIMIT_FSIZE, &limit); // room again: the file stays ended
    assert_int_equal(gw_clip_writer_write(writer, &pictures->packets[0]), -EFBIG);
    assert_int_equal(gw_clip_writer_finish(&writer, &clip), -EFBIG);

    struct seen seen = play_clip(&clip);
    assert_true(clip.frames > 0 && clip.frames < 200);
    assert_int_equal(clip.frames % 25, 0);
    assert_int_equal(seen.decoded, clip.frames);
    assert_int_equal(seen.errors, 0);
    assert_int_equal(clip.state, GW_CLIP_CLOSED);
    assert_true(clip.truncated);
    assert_int_equal(clip.size_bytes, file_size(&clip));
    assert_int_equal(clip.end_us, START_US + clip.frames * GW_SECOND / 25);
    coded_pictures_free(pictures);
}

static void a_failed_sync_ends_the_file_for_good(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 75, 25, 0);
    struct gw_clip clip;
    struct gw_clip_writer *writer = begin(pictures, &clip);
    for (int i = 0; i < 30; i++)
        assert_int_equal(gw_clip_writer_write(writer, &pictures->packets[i]), 0);
    usleep(2000000); // the next fragment's sync is due
    sync_error = EIO;
    int result = 0;
    for (int i = 30; i < 75; i++)
        result = gw_clip_writer_write(writer, &pictures->packets[i]);
    assert_int_equal(result, -EIO);
    sync_error = 0; // what the next sync says is no proof for what the last one lost
    assert_int_equal(gw_clip_writer_write(writer, &pictures->packets[74]), -EIO);
    const int failed = syncs;
    assert_int_equal(gw_clip_writer_finish(&writer, &clip), -EIO);
    assert_int_equal(syncs, failed);
    assert_true(clip.truncated);
    // The header alone was on the disk before.
    assert_int_equal(clip.state, GW_CLIP_LOST);
    assert_int_equal(file_size(&clip), -1);
    coded_pictures_free(pictures);
}

static void syncs_are_not_more_frequent_than_every_two_seconds(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 250, 25, 0);
    record(pictures);           // ten fragments in no time
    assert_int_equal(syncs, 3); // header, fragments, index
    coded_pictures_free(pictures);
}

// --- when the worker is killed -------------------------------------------------------------------

static void cut_file(const struct gw_clip *clip, int64_t size)
{
    char path[PATH_MAX];
    clip_file(path, clip);
    assert_int_equal(truncate(path, size), 0);
}

static struct gw_clip lost(const struct gw_clip *clip)
{
    struct gw_clip known = {.id = clip->id, .start_us = clip->start_us, .state = GW_CLIP_RECORDING};
    memcpy(known.camera, clip->camera, sizeof(known.camera));
    return known;
}

// Pages of a file that are in memory; -1 where the file system is nothing but memory.
static int count_cached_pages(const char *path, int *ret_pages)
{
    static unsigned char cached[1 << 16];
    struct statfs fs;
    struct stat status;
    int count = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && !fstat(fd, &status) && !fstatfs(fd, &fs));
    *ret_pages = (int)((status.st_size + 4095) / 4096);
    assert_true(*ret_pages < (int)sizeof(cached));
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(bytes, MAP_FAILED);
    assert_int_equal(mincore(bytes, (size_t)status.st_size, cached), 0);
    for (int i = 0; i < *ret_pages; i++)
        count += cached[i] & 1;
    munmap(bytes, (size_t)status.st_size);
    close(fd);
    return fs.f_type == TMPFS_MAGIC ? -1 : count;
}

static void a_closed_clip_does_not_fill_the_memory(void **state)
{
    char path[PATH_MAX];
    int pages;
    struct coded_pictures *pictures = make_pictures("libx264", 500, 25, 0);
    struct gw_clip clip = record(pictures);
    clip_file(path, &clip);
    const int cached = count_cached_pages(path, &pages);
    coded_pictures_free(pictures);
    if (cached < 0) {
        print_message("skipped: /tmp is memory itself\n");
        skip();
    }
    assert_true(pages > 20);
    assert_in_range(cached, 0, 2);
}

static void a_killed_writers_clip_is_repaired(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 110, 25, 0);
    struct gw_clip clip = new_clip();
    pid_t pid = fork();
    if (pid == 0) {
        struct gw_clip_writer *writer;
        if (gw_clip_writer_create(&writer, store, &clip, &pictures->packets[0]))
            _exit(1);
        for (int i = 0; i < 110; i++)
            gw_clip_writer_write(writer, &pictures->packets[i]);
        kill(getpid(), SIGKILL);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));

    clip.start_us = START_US;
    struct gw_clip repaired = lost(&clip);
    assert_int_equal(gw_clip_repair(store, &repaired), 0);
    assert_int_equal(repaired.state, GW_CLIP_REPAIRED);
    assert_int_equal(repaired.frames, 100);
    assert_int_equal(repaired.end_us, START_US + 4 * GW_SECOND);
    assert_string_equal(repaired.codec, "h264");
    assert_int_equal(repaired.width, 160);
    assert_int_equal(repaired.size_bytes, file_size(&repaired));
    struct seen seen = play_clip(&repaired);
    assert_int_equal(seen.decoded, 100);
    assert_int_equal(seen.errors, 0);
    assert_int_equal(seen.duration_us, 4 * GW_SECOND);
    assert_int_equal(count_boxes(&repaired, TYPE('s', 'i', 'd', 'x'), NULL), 1);
    coded_pictures_free(pictures);
}

static void a_clip_cut_anywhere_is_repaired_to_whole_fragments(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 50, 10, 2);
    struct gw_clip whole = record(pictures);
    for (int64_t size = whole.size_bytes; size >= 0; size -= 1 + size / 40) {
        struct gw_clip clip = record(pictures), repaired = lost(&clip);
        cut_file(&clip, size);
        assert_int_equal(gw_clip_repair(store, &repaired), 0);
        if (repaired.state == GW_CLIP_LOST) {
            assert_int_equal(file_size(&repaired), -1);
            assert_int_equal(repaired.frames, 0);
            continue;
        }
        struct seen seen = play_clip(&repaired);
        assert_int_equal(repaired.frames % 10, 0);
        assert_int_equal(seen.frames, repaired.frames);
        assert_int_equal(seen.decoded, repaired.frames);
        assert_int_equal(seen.errors, 0);
        assert_int_equal(repaired.end_us, START_US + repaired.frames * GW_SECOND / 25);
    }
    coded_pictures_free(pictures);
}

static void repairing_twice_changes_nothing(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 50, 10, 0);
    struct gw_clip clip = record(pictures), once = lost(&clip), twice = lost(&clip);
    cut_file(&clip, clip.size_bytes - 100);
    assert_int_equal(gw_clip_repair(store, &once), 0);
    assert_int_equal(gw_clip_repair(store, &twice), 0);
    assert_int_equal(once.frames, 40);
    assert_int_equal(twice.frames, once.frames);
    assert_int_equal(twice.end_us, once.end_us);
    assert_int_equal(twice.size_bytes, once.size_bytes);
    coded_pictures_free(pictures);
}

static void a_hole_that_a_power_cut_left_ends_the_clip_before_it(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 50, 10, 0);
    struct gw_clip clip = record(pictures), repaired = lost(&clip);
    int64_t last;
    char path[PATH_MAX], zeros[512] = {0};
    assert_int_equal(count_boxes(&clip, TYPE('m', 'd', 'a', 't'), &last), 5);
    clip_file(path, &clip);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, zeros, sizeof(zeros), last + 8), sizeof(zeros));
    close(fd);
    assert_int_equal(gw_clip_repair(store, &repaired), 0);
    assert_int_equal(repaired.frames, 40);
    assert_int_equal(play_clip(&repaired).decoded, 40);
    coded_pictures_free(pictures);
}

static void a_clip_without_a_file_or_a_fragment_is_lost(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 10, 10, 0);
    struct gw_clip clip = new_clip();
    clip.start_us = START_US;
    assert_int_equal(gw_clip_repair(store, &clip), 0);
    assert_int_equal(clip.state, GW_CLIP_LOST);

    clip = record(pictures);
    cut_file(&clip, clip.size_bytes - 1); // it had one fragment
    assert_int_equal(gw_clip_repair(store, &clip), 0);
    assert_int_equal(clip.state, GW_CLIP_LOST);
    assert_int_equal(file_size(&clip), -1);
    coded_pictures_free(pictures);
}

// Boxes that lie in each other as deep as the file is long.
static void a_header_nested_without_end_is_refused(void **state)
{
    enum { DEPTH = 400000, HEADER = 8 };
    const size_t size = (size_t)DEPTH * HEADER;
    uint8_t *bytes = malloc(size), room[GW_MP4_ROOM_SIZE];
    const struct gw_mp4_fragment fragment = {(int64_t)(size + sizeof(room)), 100, 0, true};
    int64_t first;
    assert_non_null(bytes);
    for (size_t at = 0; at < size; at += HEADER) {
        const size_t left = size - at;
        const uint8_t bytes_left[] = {(uint8_t)(left >> 24), (uint8_t)(left >> 16),
                                      (uint8_t)(left >> 8), (uint8_t)left};
        memcpy(bytes + at, bytes_left, 4);
        memcpy(bytes + at + 4, at ? "trak" : "moov", 4);
    }
    gw_mp4_make_room(room);
    int fd = memfd_create("clip", MFD_CLOEXEC);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(write(fd, room, sizeof(room)), sizeof(room));
    free(bytes);
    assert_int_equal(gw_mp4_open_room(fd, &first), 0);
    assert_int_equal(first, fragment.offset);
    assert_int_equal(gw_mp4_seal(fd, &fragment, 1, 9000), GW_ERROR_INVALID);
    close(fd);
}

static void a_clip_whose_writer_lives_is_not_repaired(void **state)
{
    struct coded_pictures *pictures = make_pictures("libx264", 50, 10, 0);
    struct gw_clip clip;
    struct gw_clip_writer *writer = begin(pictures, &clip);
    for (int i = 0; i < 50; i++)
        gw_clip_writer_write(writer, &pictures->packets[i]);
    struct gw_clip repaired = lost(&clip);
    assert_int_equal(gw_clip_repair(store, &repaired), GW_ERROR_BUSY);
    assert_int_equal(gw_clip_writer_finish(&writer, &clip), 0);
    assert_int_equal(play_clip(&clip).decoded, 50);
    coded_pictures_free(pictures);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)

int main(void)
{
    av_log_set_level(AV_LOG_QUIET);
    const struct CMUnitTest tests[] = {
        FACT(a_clip_begins_at_zero_and_every_picture_decodes),
        FACT(the_last_picture_lasts_as_long_as_the_others),
        FACT(uneven_pictures_keep_their_times),
        FACT(what_is_announced_is_what_the_file_holds),
        FACT(b_frames_need_no_edit_list),
        FACT(the_last_shown_picture_of_b_frames_need_not_be_the_last_decoded),
        FACT(h265_is_tagged_as_browsers_want_it),
        FACT(the_file_says_who_it_is),
        FACT(a_fragment_is_a_gop_and_at_most_two_seconds),
        FACT(a_clip_of_very_many_gops_has_an_index_that_fits),
        FACT(the_index_stands_right_before_the_first_fragment),
        FACT(parameter_sets_may_come_in_the_form_of_mp4),
        FACT(a_stream_without_parameter_sets_leaves_no_file),
        FACT(a_clip_that_is_still_written_plays_up_to_its_last_fragment),
        FACT(a_picture_out_of_order_is_refused_and_harms_nothing),
        FACT(a_full_disk_ends_the_file_for_good_and_keeps_what_is_whole),
        FACT(a_failed_sync_ends_the_file_for_good),
        FACT(syncs_are_not_more_frequent_than_every_two_seconds),
        FACT(a_closed_clip_does_not_fill_the_memory),
        FACT(a_killed_writers_clip_is_repaired),
        FACT(a_clip_cut_anywhere_is_repaired_to_whole_fragments),
        FACT(repairing_twice_changes_nothing),
        FACT(a_hole_that_a_power_cut_left_ends_the_clip_before_it),
        FACT(a_clip_without_a_file_or_a_fragment_is_lost),
        FACT(a_header_nested_without_end_is_refused),
        FACT(a_clip_whose_writer_lives_is_not_repaired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
