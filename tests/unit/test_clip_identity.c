// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include <libavutil/log.h>

#include "core/error.h"
#include "storage/clip_identity.h"
#include "tests/unit/clip_store.h"

static struct gw_clip identify(const struct gw_clip *clip)
{
    char path[GW_MEDIA_PATH_SIZE];
    struct gw_clip found;
    assert_int_equal(gw_clip_identify(store, gw_clip_path(path, clip), &found), 0);
    return found;
}

static void assert_same(const struct gw_clip *found, const struct gw_clip *row)
{
    assert_true(gw_id_equal(&found->id, &row->id));
    assert_string_equal(found->camera, row->camera);
    assert_int_equal(found->start_us, row->start_us);
    assert_int_equal(found->end_us, row->end_us);
    assert_int_equal(found->size_bytes, row->size_bytes);
    assert_int_equal(found->frames, row->frames);
    assert_string_equal(found->codec, row->codec);
    assert_int_equal(found->width, row->width);
    assert_int_equal(found->height, row->height);
    assert_int_equal(found->clock_offset_us, row->clock_offset_us);
}

static void assert_found_as_written(const char *encoder, int b_frames, int64_t clock_offset_us)
{
    struct coded_pictures *pictures = encode(encoder, 110, 25, b_frames, START_US);
    struct gw_clip clip = record_part(pictures, 0, 110, clock_offset_us), found = identify(&clip);
    assert_same(&found, &clip);
    assert_int_equal(found.state, GW_CLIP_CLOSED);
    assert_int_equal(found.frames, 110);
    coded_pictures_free(pictures);
}

static void a_file_says_what_the_row_of_its_clip_says(void **state)
{
    assert_found_as_written("libx264", 0, GW_NO_TIME);
    assert_found_as_written("libx264", 0, 0);
    assert_found_as_written("libx264", 2, -123456);
}

static void so_does_one_of_h265(void **state)
{
    assert_found_as_written("libx265", 0, INT64_C(7200000000));
}

static void a_clip_of_keyframes_only_is_one_too(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 1500, 1, 0, START_US);
    struct gw_clip clip = record(pictures), found = identify(&clip);
    assert_same(&found, &clip);
    assert_int_equal(found.state, GW_CLIP_CLOSED);
    coded_pictures_free(pictures);
}

static void assert_found_as_repaired(int b_frames, int64_t cut_bytes)
{
    struct coded_pictures *pictures = encode("libx264", 110, 25, b_frames, START_US);
    struct gw_clip clip = record_part(pictures, 0, 110, 20000), repaired = clip;
    char path[PATH_MAX];
    assert_int_equal(truncate(clip_file(path, &clip), clip.size_bytes - cut_bytes), 0);
    const struct gw_clip before = identify(&clip);
    assert_int_equal(before.state, GW_CLIP_RECORDING);

    repaired.frames = repaired.size_bytes = repaired.end_us = 0;
    assert_int_equal(gw_clip_repair(store, &repaired), 0);
    assert_int_equal(repaired.state, GW_CLIP_REPAIRED);
    const struct gw_clip found = identify(&clip);
    assert_same(&found, &repaired);
    assert_int_equal(found.state, GW_CLIP_CLOSED);
    assert_same(&before, &repaired); // what the repair would find was known before
    coded_pictures_free(pictures);
}

static void a_repaired_clips_file_says_what_its_row_says(void **state)
{
    assert_found_as_repaired(0, 10);
    assert_found_as_repaired(2, 10);
}

static void a_clip_that_is_still_written_reaches_to_its_last_whole_fragment(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 110, 25, 0, START_US);
    struct gw_clip clip = new_clip(GW_NO_TIME);
    struct gw_clip_writer *writer;
    assert_int_equal(gw_clip_writer_create(&writer, store, &clip, &pictures->packets[0]), 0);
    struct gw_clip found = identify(&clip);
    assert_int_equal(found.frames, 0);
    assert_int_equal(found.end_us, START_US);
    assert_int_equal(found.state, GW_CLIP_RECORDING);
    for (int i = 0; i < 60; i++)
        assert_int_equal(gw_clip_writer_write(writer, &pictures->packets[i]), 0);
    found = identify(&clip);
    assert_int_equal(found.frames, 50);
    assert_int_equal(found.end_us, START_US + 2 * GW_SECOND);
    assert_int_equal(gw_clip_writer_finish(&writer, &clip), 0);
    coded_pictures_free(pictures);
}

static void what_follows_a_complete_clip_is_no_part_of_it(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 50, 25, 0, START_US);
    struct gw_clip clip = record(pictures);
    char path[PATH_MAX];
    FILE *file = fopen(clip_file(path, &clip), "ab");
    fputs("more", file);
    fclose(file);
    struct gw_clip found = identify(&clip);
    assert_int_equal(found.size_bytes, clip.size_bytes);
    assert_int_equal(found.state, GW_CLIP_RECORDING);
    coded_pictures_free(pictures);
}

// One byte of the file is another one: found, or refused, and never a clip that is too long.
static void a_damaged_header_is_refused_or_harmless(void **state)
{
    struct coded_pictures *pictures = encode("libx264", 20, 10, 2, START_US);
    struct gw_clip clip = record(pictures), found;
    char path[PATH_MAX], below[GW_MEDIA_PATH_SIZE];
    FILE *file = fopen(clip_file(path, &clip), "r+b");
    gw_clip_path(below, &clip);
    for (int64_t at = 0; at < clip.size_bytes && at < 7000; at += at < 1400 ? 1 : 9) {
        uint8_t byte, flipped;
        fseek(file, at, SEEK_SET);
        assert_int_equal(fread(&byte, 1, 1, file), 1);
        flipped = byte ^ 0x80;
        fseek(file, at, SEEK_SET);
        fwrite(&flipped, 1, 1, file);
        fflush(file);
        const int result = gw_clip_identify(store, below, &found);
        assert_true(result == 0 || result == GW_ERROR_INVALID);
        assert_true(result < 0 || found.size_bytes <= clip.size_bytes);
        fseek(file, at, SEEK_SET);
        fwrite(&byte, 1, 1, file);
        fflush(file);
    }
    fclose(file);
    found = identify(&clip);
    assert_same(&found, &clip);
    coded_pictures_free(pictures);
}

static void a_file_that_is_no_clip_is_refused(void **state)
{
    char path[PATH_MAX];
    struct gw_clip found;
    snprintf(path, sizeof(path), "%.1000s/other.mp4", store);
    FILE *file = fopen(path, "wb");
    fputs("not a clip, but long enough to be one at least at its beginning", file);
    fclose(file);
    assert_int_equal(gw_clip_identify(store, "other.mp4", &found), GW_ERROR_INVALID);
    assert_int_equal(gw_clip_identify(store, "none.mp4", &found), -ENOENT);
    assert_int_equal(gw_clip_identify(store, ".", &found), GW_ERROR_INVALID);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)

int main(void)
{
    av_log_set_level(AV_LOG_QUIET);
    const struct CMUnitTest tests[] = {
        FACT(a_file_says_what_the_row_of_its_clip_says),
        FACT(so_does_one_of_h265),
        FACT(a_clip_of_keyframes_only_is_one_too),
        FACT(a_repaired_clips_file_says_what_its_row_says),
        FACT(a_clip_that_is_still_written_reaches_to_its_last_whole_fragment),
        FACT(what_follows_a_complete_clip_is_no_part_of_it),
        FACT(a_damaged_header_is_refused_or_harmless),
        FACT(a_file_that_is_no_clip_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
