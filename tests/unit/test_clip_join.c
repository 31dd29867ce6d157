// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "core/error.h"
#include "storage/clip_identity.h"
#include "storage/join_wire.h"
#include "storage/media_plan.h"
#include "tests/unit/clip_store.h"

#define FRAME_US INT64_C(40000)

// --- joining -------------------------------------------------------------------------------------

static struct gw_join_request request_of(const struct gw_clip *clips, int count, int64_t from_us,
                                         int64_t to_us)
{
    return (struct gw_join_request){from_us, to_us, clips, count};
}

// The way of a join through its two processes, in one. Returns the problem.
static enum gw_join_problem make_plan(const struct gw_join_request *request,
                                      struct gw_media_plan **ret, int64_t *ret_problem_us)
{
    struct gw_join join, received;
    struct gw_join_request there;
    struct gw_clip *clips;
    int made_fd = memfd_create("made", MFD_CLOEXEC), wire = memfd_create("wire", MFD_CLOEXEC);
    assert_int_equal(gw_join_send_request(wire, request), 0);
    assert_int_equal(gw_join_receive_request(wire, &there, &clips), 0);
    assert_int_equal(gw_join_make(&join, store, &there, made_fd), 0);
    assert_int_equal(ftruncate(wire, 0), 0);
    assert_int_equal(gw_join_send(wire, &join), 0);
    assert_int_equal(gw_join_receive(wire, &received), 0);
    const enum gw_join_problem problem = received.problem;
    if (ret_problem_us)
        *ret_problem_us = received.problem_us;
    if (problem == GW_JOIN_FINE) {
        assert_int_equal(gw_media_plan_create(ret, store, request, &received, made_fd), 0);
    } else {
        gw_join_finish(&received);
        close(made_fd);
    }
    gw_join_finish(&join);
    free(clips);
    close(wire);
    return problem;
}

static struct gw_media_plan *join(const struct gw_clip *clips, int count, int64_t from_us,
                                  int64_t to_us)
{
    const struct gw_join_request request = request_of(clips, count, from_us, to_us);
    struct gw_media_plan *plan;
    assert_int_equal(make_plan(&request, &plan, NULL), GW_JOIN_FINE);
    return plan;
}

static uint8_t *read_whole(struct gw_media_plan *plan, size_t step)
{
    struct gw_media_reader *reader;
    uint8_t *bytes = malloc((size_t)plan->size);
    assert_int_equal(gw_media_reader_create(&reader, plan), 0);
    for (int64_t at = 0; at < plan->size;) {
        const size_t rest = (size_t)(plan->size - at);
        ssize_t got = gw_media_read(reader, at, bytes + at, rest < step ? rest : step);
        assert_true(got > 0);
        at += got;
    }
    assert_int_equal(gw_media_read(reader, plan->size, bytes, 1), 0);
    gw_media_reader_destroy(&reader);
    return bytes;
}

static char *write_joined(struct gw_media_plan *plan, char path[PATH_MAX])
{
    uint8_t *bytes = read_whole(plan, 1 << 20);
    snprintf(path, PATH_MAX, "%.1000s/joined.mp4", store);
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(bytes, 1, (size_t)plan->size, file), plan->size);
    fclose(file);
    free(bytes);
    return path;
}

// --- playing -------------------------------------------------------------------------------------

struct played {
    int frames, decoded, errors, twice, backwards; // pictures; same pts again, dts not increasing
    int64_t first_pts, last_pts, duration;         // ticks
    int64_t pts[CODED_PICTURES_MAX];
};

static void decode(AVCodecContext *decoder, const AVPacket *packet, struct played *played)
{
    AVFrame *frame = av_frame_alloc();
    if (avcodec_send_packet(decoder, packet) < 0)
        played->errors++;
    while (avcodec_receive_frame(decoder, frame) >= 0) {
        played->decoded++;
        played->errors += frame->decode_error_flags != 0;
    }
    av_frame_free(&frame);
}

static void note(struct played *played, const AVPacket *packet)
{
    static int64_t last_dts;
    if (played->frames && packet->dts <= last_dts)
        played->backwards++;
    last_dts = packet->dts;
    for (int i = 0; i < played->frames; i++)
        played->twice += played->pts[i] == packet->pts;
    played->pts[played->frames++] = packet->pts;
    if (packet->pts < played->first_pts)
        played->first_pts = packet->pts;
    if (packet->pts > played->last_pts)
        played->last_pts = packet->pts;
}

static struct played *play(const char *path)
{
    struct played *played = calloc(1, sizeof(*played));
    AVFormatContext *input = NULL;
    AVPacket *packet = av_packet_alloc();
    played->first_pts = INT64_MAX;
    assert_int_equal(avformat_open_input(&input, path, NULL, NULL), 0);
    assert_true(avformat_find_stream_info(input, NULL) >= 0);
    assert_int_equal(input->nb_streams, 1);
    const AVCodecParameters *parameters = input->streams[0]->codecpar;
    AVCodecContext *decoder = avcodec_alloc_context3(avcodec_find_decoder(parameters->codec_id));
    avcodec_parameters_to_context(decoder, parameters);
    decoder->err_recognition = AV_EF_EXPLODE;
    assert_int_equal(avcodec_open2(decoder, NULL, NULL), 0);
    played->duration = input->streams[0]->duration;
    while (av_read_frame(input, packet) >= 0) {
        note(played, packet);
        decode(decoder, packet, played);
        av_packet_unref(packet);
    }
    decode(decoder, NULL, played);
    avcodec_free_context(&decoder);
    av_packet_free(&packet);
    avformat_close_input(&input);
    return played;
}

// It plays: every picture once, in order, from 0 to its end.
static void assert_plays(struct gw_media_plan *plan, int frames)
{
    char path[PATH_MAX];
    struct played *played = play(write_joined(plan, path));
    assert_int_equal(plan->frames, frames);
    assert_int_equal(played->frames, frames);
    assert_int_equal(played->decoded, frames);
    assert_int_equal(played->errors, 0);
    assert_int_equal(played->twice, 0);
    assert_int_equal(played->backwards, 0);
    assert_int_equal(played->first_pts, 0);
    assert_true(played->last_pts < played->duration);
    free(played);
}

// --- borders -------------------------------------------------------------------------------------

static void a_range_over_three_clips_plays_as_one_file(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 150, 25, 0, START_US);
    const struct gw_clip clips[] = {record_part(pictures, 0, 50, GW_NO_TIME),
                                    record_part(pictures, 50, 50, GW_NO_TIME),
                                    record_part(pictures, 100, 50, GW_NO_TIME)};
    struct gw_media_plan *plan = join(clips, 3, GW_NO_TIME, GW_NO_TIME);
    assert_plays(plan, 150);
    assert_int_equal(plan->from_us, START_US);
    assert_int_equal(plan->to_us, START_US + 150 * FRAME_US);
    assert_int_equal(plan->piece_count, 3);
    assert_int_equal(plan->pieces[2].at_us, 100 * FRAME_US);
    gw_media_plan_unref(&plan);
    coded_pictures_free(pictures);
}

static void a_range_begins_at_the_keyframe_before_it_and_ends_with_its_last_fragment(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 150, 25, 2, START_US);
    const struct gw_clip clips[] = {record_part(pictures, 0, 75, GW_NO_TIME),
                                    record_part(pictures, 75, 75, GW_NO_TIME)};
    // From picture 30 to just before picture 101: whole GOPs 25 to 124.
    struct gw_media_plan *plan =
        join(clips, 2, START_US + 30 * FRAME_US, START_US + 101 * FRAME_US);
    assert_plays(plan, 100);
    assert_int_equal(plan->from_us, START_US + 25 * FRAME_US);
    assert_int_equal(plan->to_us, START_US + 125 * FRAME_US);
    gw_media_plan_unref(&plan);
    plan = join(clips, 2, START_US + 75 * FRAME_US, START_US + 100 * FRAME_US);
    assert_plays(plan, 25); // its borders are included at its beginning and excluded at its end
    gw_media_plan_unref(&plan);
    coded_pictures_free(pictures);
}

static void a_gop_that_is_longer_than_a_fragment_is_begun_at_its_keyframe(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 200, 200, 0, START_US);
    const struct gw_clip clip = record(pictures);
    struct gw_media_plan *plan = join(&clip, 1, START_US + 6 * GW_SECOND, GW_NO_TIME);
    assert_plays(plan, 200);
    gw_media_plan_unref(&plan);
    coded_pictures_free(pictures);
}

static void overlapping_clips_show_no_moment_twice(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 150, 25, 0, START_US);
    const struct gw_clip clips[] = {record_part(pictures, 0, 80, GW_NO_TIME),  // ends within a GOP
                                    record_part(pictures, 25, 20, GW_NO_TIME), // all in the first
                                    record_part(pictures, 50, 100, GW_NO_TIME)};
    struct gw_media_plan *plan = join(clips, 3, GW_NO_TIME, GW_NO_TIME);
    assert_plays(plan, 150);
    assert_int_equal(plan->piece_count, 2);
    gw_media_plan_unref(&plan);
    coded_pictures_free(pictures);
}

static void a_clip_of_another_session_goes_on_at_its_first_keyframe_after_the_end(void **state)
{
    struct coded_pictures *first = encode("libx264", 100, 25, 0, START_US),
                          *second = encode("libx264", 100, 25, 0, START_US + 60 * FRAME_US);
    const struct gw_clip clips[] = {record(first), record(second)};
    struct gw_media_plan *plan = join(clips, 2, GW_NO_TIME, GW_NO_TIME);
    assert_plays(plan, 100 + 50); // keyframes at 60, 85, 110; the first clip ends at 100
    assert_int_equal(plan->pieces[1].from_us, START_US + 110 * FRAME_US);
    assert_int_equal(plan->pieces[1].at_us, 110 * FRAME_US); // the hole is short: it stays
    gw_media_plan_unref(&plan);
    coded_pictures_free(first);
    coded_pictures_free(second);
}

static void a_last_picture_that_was_thought_to_last_longer_costs_nothing(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 100, 25, 0, START_US);
    for (int i = 50; i < 100; i++) { // the camera hurried by 15 ms
        pictures->packets[i].av->pts -= 15000;
        pictures->packets[i].av->dts -= 15000;
    }
    const struct gw_clip clips[] = {record_part(pictures, 0, 50, GW_NO_TIME),
                                    record_part(pictures, 50, 50, GW_NO_TIME)};
    assert_true(clips[0].end_us > clips[1].start_us);
    struct gw_media_plan *plan = join(clips, 2, GW_NO_TIME, GW_NO_TIME);
    assert_plays(plan, 100);
    assert_int_equal(plan->pieces[0].to_us, plan->pieces[1].from_us);
    assert_in_range(plan->pieces[1].at_us, 50 * FRAME_US - 15020, 50 * FRAME_US - 14980);
    gw_media_plan_unref(&plan);
    coded_pictures_free(pictures);
}

// --- the time line -------------------------------------------------------------------------------

static void assert_second_piece_at(int64_t hole_us, int64_t at_us)
{
    struct coded_pictures *first = encode("libx264", 50, 25, 0, START_US),
                          *second =
                              encode("libx264", 50, 25, 0, START_US + 50 * FRAME_US + hole_us);
    const struct gw_clip clips[] = {record(first), record(second)};
    struct gw_media_plan *plan = join(clips, 2, GW_NO_TIME, GW_NO_TIME);
    assert_plays(plan, 100);
    assert_int_equal(plan->pieces[1].from_us, START_US + 50 * FRAME_US + hole_us);
    assert_int_equal(plan->pieces[1].at_us, at_us);
    gw_media_plan_unref(&plan);
    coded_pictures_free(first);
    coded_pictures_free(second);
}

static void a_short_hole_stays_and_a_long_one_is_left_out(void **state)
{
    assert_second_piece_at(1500000, 50 * FRAME_US + 1500000);
    assert_second_piece_at(3600 * GW_SECOND, 50 * FRAME_US);
}

static void clips_with_and_without_b_frames_play_one_after_the_other(void **state)
{
    struct coded_pictures *plain = encode("libx264", 50, 25, 0, START_US),
                          *reordered = encode("libx264", 50, 25, 2, START_US + 50 * FRAME_US),
                          *again = encode("libx264", 50, 25, 0, START_US + 100 * FRAME_US);
    const struct gw_clip clips[] = {record(plain), record(reordered), record(again)};
    struct gw_media_plan *plan = join(clips, 3, GW_NO_TIME, GW_NO_TIME);
    assert_plays(plan, 150); // with two sample entries: the parameter sets differ
    gw_media_plan_unref(&plan);
    coded_pictures_free(plain);
    coded_pictures_free(reordered);
    coded_pictures_free(again);
}

static void a_change_of_codec_is_refused_with_its_time(void **state)
{
    struct coded_pictures *first = encode("libx264", 50, 25, 0, START_US),
                          *second = encode("libx265", 50, 25, 0, START_US + 50 * FRAME_US);
    const struct gw_clip clips[] = {record(first), record(second)};
    struct gw_join_request request = request_of(clips, 2, GW_NO_TIME, GW_NO_TIME);
    struct gw_media_plan *plan;
    int64_t problem_us;
    assert_int_equal(make_plan(&request, &plan, &problem_us), GW_JOIN_CODEC);
    assert_int_equal(problem_us, START_US + 50 * FRAME_US);
    request.to_us = problem_us;
    assert_int_equal(make_plan(&request, &plan, NULL), GW_JOIN_FINE);
    gw_media_plan_unref(&plan);
    request = request_of(clips, 2, problem_us, GW_NO_TIME);
    assert_int_equal(make_plan(&request, &plan, NULL), GW_JOIN_FINE);
    assert_plays(plan, 50);
    gw_media_plan_unref(&plan);
    coded_pictures_free(first);
    coded_pictures_free(second);
}

// --- files that are not as they should be --------------------------------------------------------

static void a_range_without_footage_is_empty(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 50, 25, 0, START_US);
    const struct gw_clip clip = record(pictures);
    const int64_t end_us = START_US + 50 * FRAME_US;
    struct gw_join_request request = request_of(&clip, 1, end_us, end_us + GW_SECOND);
    struct gw_media_plan *plan;
    assert_int_equal(make_plan(&request, &plan, NULL), GW_JOIN_EMPTY);
    request = request_of(&clip, 1, START_US - GW_SECOND, START_US);
    assert_int_equal(make_plan(&request, &plan, NULL), GW_JOIN_EMPTY);
    coded_pictures_free(pictures);
}

static void a_clip_without_its_file_is_passed_over_and_counted(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 150, 25, 0, START_US);
    const struct gw_clip clips[] = {record_part(pictures, 0, 50, GW_NO_TIME),
                                    record_part(pictures, 50, 50, GW_NO_TIME),
                                    record_part(pictures, 100, 50, GW_NO_TIME)};
    char path[PATH_MAX];
    unlink(clip_file(path, &clips[1]));
    struct gw_media_plan *plan = join(clips, 3, GW_NO_TIME, GW_NO_TIME);
    assert_plays(plan, 100);
    assert_int_equal(plan->unreadable, 1);
    gw_media_plan_unref(&plan);
    const struct gw_join_request missing = request_of(&clips[1], 1, GW_NO_TIME, GW_NO_TIME);
    assert_int_equal(make_plan(&missing, &plan, NULL), GW_JOIN_UNREADABLE);
    coded_pictures_free(pictures);
}

static void a_clip_that_is_still_written_counts_up_to_its_last_whole_fragment(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 110, 25, 0, START_US);
    struct gw_clip clip = new_clip(GW_NO_TIME);
    struct gw_clip_writer *writer;
    assert_int_equal(gw_clip_writer_create(&writer, store, &clip, &pictures->packets[0]), 0);
    for (int i = 0; i < 60; i++)
        gw_clip_writer_write(writer, &pictures->packets[i]);
    struct gw_media_plan *plan = join(&clip, 1, GW_NO_TIME, GW_NO_TIME);
    for (int i = 60; i < 110; i++)
        gw_clip_writer_write(writer, &pictures->packets[i]);
    assert_int_equal(gw_clip_writer_finish(&writer, &clip), 0);
    assert_plays(plan, 50); // although the file has gone on
    gw_media_plan_unref(&plan);
    coded_pictures_free(pictures);
}

static void a_file_that_is_gone_fails_the_reader(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 50, 25, 0, START_US);
    const struct gw_clip clip = record(pictures);
    struct gw_media_plan *plan = join(&clip, 1, GW_NO_TIME, GW_NO_TIME);
    struct gw_media_reader *reader;
    char path[PATH_MAX];
    uint8_t byte;
    assert_int_equal(gw_media_reader_create(&reader, plan), 0);
    assert_int_equal(truncate(clip_file(path, &clip), 6000), 0);
    assert_int_equal(gw_media_read(reader, plan->size - 1, &byte, 1), -ENODATA);
    gw_media_reader_destroy(&reader);
    assert_int_equal(gw_media_reader_create(&reader, plan), 0);
    unlink(path);
    assert_int_equal(gw_media_read(reader, plan->size - 1, &byte, 1), -ENOENT);
    gw_media_reader_destroy(&reader);
    gw_media_plan_unref(&plan);
    coded_pictures_free(pictures);
}

// --- bytes ---------------------------------------------------------------------------------------

static void any_part_has_the_bytes_of_the_whole(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 100, 10, 0, START_US);
    const struct gw_clip clips[] = {record_part(pictures, 0, 50, GW_NO_TIME),
                                    record_part(pictures, 50, 50, GW_NO_TIME)};
    struct gw_media_plan *plan = join(clips, 2, GW_NO_TIME, GW_NO_TIME);
    uint8_t *whole = read_whole(plan, 1 << 20), *pieces = read_whole(plan, 37), part[301];
    struct gw_media_reader *reader;
    assert_memory_equal(whole, pieces, plan->size);
    assert_int_equal(gw_media_reader_create(&reader, plan), 0);
    for (int64_t at = plan->size - 301; at >= 0; at -= 97) { // backwards, as a player seeks
        assert_int_equal(gw_media_read(reader, at, part, sizeof(part)), sizeof(part));
        assert_memory_equal(part, whole + at, sizeof(part));
    }
    gw_media_reader_destroy(&reader);
    free(whole);
    free(pieces);
    gw_media_plan_unref(&plan);
    coded_pictures_free(pictures);
}

static void the_same_bytes_have_the_same_tag_and_others_another(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 100, 25, 0, START_US);
    const struct gw_clip clip = record(pictures);
    struct gw_media_plan *one = join(&clip, 1, GW_NO_TIME, GW_NO_TIME),
                         *two = join(&clip, 1, GW_NO_TIME, GW_NO_TIME),
                         *less = join(&clip, 1, GW_NO_TIME, START_US + GW_SECOND);
    assert_string_equal(one->tag, two->tag);
    assert_string_not_equal(one->tag, less->tag);
    assert_int_equal(strlen(one->tag), 34);
    gw_media_plan_unref(&one);
    gw_media_plan_unref(&two);
    gw_media_plan_unref(&less);
    coded_pictures_free(pictures);
}

static void a_part_of_one_clip_is_a_clip_file_that_says_who_it_is(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 100, 25, 2, START_US);
    const struct gw_clip clip = record_part(pictures, 0, 100, -7000);
    struct gw_media_plan *plan = join(&clip, 1, START_US + 30 * FRAME_US, GW_NO_TIME);
    struct gw_clip found;
    char path[PATH_MAX];
    write_joined(plan, path);
    assert_int_equal(gw_clip_identify(store, "joined.mp4", &found), 0);
    assert_true(gw_id_equal(&found.id, &clip.id));
    assert_string_equal(found.camera, clip.camera);
    assert_int_equal(found.start_us, START_US + 25 * FRAME_US);
    assert_int_equal(found.end_us, clip.end_us);
    assert_int_equal(found.frames, 75);
    assert_int_equal(found.size_bytes, plan->size);
    assert_int_equal(found.state, GW_CLIP_CLOSED);
    assert_int_equal(found.clock_offset_us, -7000);
    assert_int_equal(found.width, 160);
    gw_media_plan_unref(&plan);
    coded_pictures_free(pictures);
}

// --- a sandboxed process that was taken over -----------------------------------------------------

static void extents_beyond_their_files_are_not_believed(void **state)
{
    const int64_t sizes[] = {1000, -1};
    struct gw_media_piece piece = {0, START_US, START_US + 1, 0, 1};
    struct gw_media_extent extents[] = {{-1, 0, 50}, {0, 500, 500}};
    struct gw_join made = {
        .pieces = &piece, .piece_count = 1, .extents = extents, .extent_count = 2};
    assert_true(gw_join_fits(&made, sizes, 2, 50));
    assert_false(gw_join_fits(&made, sizes, 2, 49));
    static const struct gw_media_extent wrong[] = {
        {0, 500, 501}, {0, 1001, 1}, {0, -1, 5}, {0, 5, 0},         {0, 5, -5},
        {1, 0, 1},     {2, 0, 1},    {-2, 0, 1}, {0, 1, INT64_MAX}, {0, INT64_MAX, 1}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        extents[1] = wrong[i];
        assert_false(gw_join_fits(&made, sizes, 2, 50));
    }
    extents[1] = (struct gw_media_extent){0, 0, 1};
    piece.clip = 2;
    assert_false(gw_join_fits(&made, sizes, 2, 50));
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)

int main(void)
{
    av_log_set_level(AV_LOG_QUIET);
    const struct CMUnitTest tests[] = {
        FACT(a_range_over_three_clips_plays_as_one_file),
        FACT(a_range_begins_at_the_keyframe_before_it_and_ends_with_its_last_fragment),
        FACT(a_gop_that_is_longer_than_a_fragment_is_begun_at_its_keyframe),
        FACT(overlapping_clips_show_no_moment_twice),
        FACT(a_clip_of_another_session_goes_on_at_its_first_keyframe_after_the_end),
        FACT(a_last_picture_that_was_thought_to_last_longer_costs_nothing),
        FACT(a_short_hole_stays_and_a_long_one_is_left_out),
        FACT(clips_with_and_without_b_frames_play_one_after_the_other),
        FACT(a_change_of_codec_is_refused_with_its_time),
        FACT(a_range_without_footage_is_empty),
        FACT(a_clip_without_its_file_is_passed_over_and_counted),
        FACT(a_clip_that_is_still_written_counts_up_to_its_last_whole_fragment),
        FACT(a_file_that_is_gone_fails_the_reader),
        FACT(any_part_has_the_bytes_of_the_whole),
        FACT(the_same_bytes_have_the_same_tag_and_others_another),
        FACT(a_part_of_one_clip_is_a_clip_file_that_says_who_it_is),
        FACT(extents_beyond_their_files_are_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
