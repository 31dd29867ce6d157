// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Each invariant is broken once; fsck names exactly its number, and repairs it.

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "storage/fsck.h"
#include "storage/index_delete.h"
#include "storage/index_internal.h"
#include "storage/journal_internal.h"
#include "storage/media.h"
#include "tests/unit/index_store.h"

#define S GW_SECOND
#define T TEST_START_US

static struct gw_clip clip;
static struct gw_event event;
static char clip_path[GW_MEDIA_PATH_SIZE], snapshot_path[GW_MEDIA_PATH_SIZE],
    thumbnail_path[GW_MEDIA_PATH_SIZE];

// The boxes of a clip with nothing in them.
static const uint8_t clip_bytes[] = "\0\0\0\x08"
                                    "ftyp"
                                    "\0\0\0\x08"
                                    "moov"
                                    "\0\0\0\x0c"
                                    "mdatabcd";
enum { CLIP_BYTES = sizeof(clip_bytes) - 1 };

static void put_file(const char *path, const void *bytes, size_t size)
{
    assert_int_equal(gw_media_write(store, path, bytes, size), 0);
}

static void run_sql(const char *sql)
{
    char path[PATH_MAX], *error = NULL;
    sqlite3 *db;
    snprintf(path, sizeof(path), "%s/index.db", store);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
        print_error("%s\n", error);
        fail();
    }
    sqlite3_close(db);
}

// A site with a clip, an event with pictures, a gap and a camera, all as they should be.
static int make_sound_store(void **state)
{
    int result = make_store(state);
    struct gw_camera camera = make_camera("gate", "640323101", "004");
    struct gw_clip recording = make_clip("gate", T + 60 * S, T + 60 * S);

    sqlite3_exec(idx->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
    camera.record = GW_RECORD_CONTINUOUS;
    assert_true(gw_index_put_camera(idx, &camera) >= 0);
    clip = make_clip("gate", T, T + 30 * S);
    clip.size_bytes = CLIP_BYTES;
    event = make_event("gate", T + S, T + 5 * S);
    assert_int_equal(commit_clip(GW_FACT_CLIP_OPENED, &clip), 0);
    assert_int_equal(commit_event(GW_FACT_EVENT_OPENED, &event), 0);
    assert_int_equal(commit_event(GW_FACT_EVENT_CLOSED, &event), 0);
    clip.state = GW_CLIP_CLOSED;
    assert_int_equal(commit_clip(GW_FACT_CLIP_CLOSED, &clip), 0);
    assert_int_equal(commit_clip(GW_FACT_CLIP_OPENED, &recording), 0);
    put_file(gw_clip_path(clip_path, &clip), clip_bytes, CLIP_BYTES);
    put_file(gw_event_snapshot_path(snapshot_path, &event), "jpeg", 4);
    put_file(gw_event_thumbnail_path(thumbnail_path, &event), "jpeg", 4);
    gw_index_close(&idx);
    return result;
}

static int remove_sound_store(void **state)
{
    return remove_store(state);
}

// --- running it ----------------------------------------------------------------------------------

static struct gw_fsck_finding findings[16];
static int finding_count;
static bool deep, live;

static void note(void *opaque, const struct gw_fsck_finding *finding)
{
    assert_true(finding_count < 16);
    findings[finding_count++] = *finding;
}

static struct gw_fsck_result run_fsck(bool repair)
{
    char error[256] = "";
    struct gw_fsck_result result;
    const struct gw_fsck_config config = {.store = store,
                                          .division = "640323",
                                          .live = live,
                                          .repair = repair,
                                          .deep = deep,
                                          .found = note};
    finding_count = 0;
    if (gw_fsck_run(&config, &result, error) < 0) {
        print_error("%s\n", error);
        fail();
    }
    for (int i = 0; i < finding_count; i++)
        print_message("  %d: %s%s%s\n", findings[i].invariant, findings[i].what,
                      findings[i].problem ? "; " : "",
                      findings[i].problem ? findings[i].problem : "");
    return result;
}

// The invariant alone is found, repaired, and then nothing is found.
static void is_found_and_repaired(int invariant)
{
    struct gw_fsck_result result = run_fsck(false);
    assert_true(result.found > 0);
    for (int i = 0; i < finding_count; i++) {
        assert_int_equal(findings[i].invariant, invariant);
        assert_false(findings[i].repaired);
    }
    result = run_fsck(true);
    assert_int_equal(result.found, result.repaired);
    for (int i = 0; i < finding_count; i++)
        assert_int_equal(findings[i].invariant, invariant);
    deep = true;
    assert_int_equal(run_fsck(false).found, 0);
    deep = false;
}

static bool there(const char *path)
{
    char full[PATH_MAX];
    snprintf(full, sizeof(full), "%s/%s", store, path);
    return access(full, F_OK) == 0;
}

static bool quarantined(const char *path)
{
    char kept[PATH_MAX];
    snprintf(kept, sizeof(kept), "quarantine/%s", path);
    return there(kept) && !there(path);
}

// --- facts ---------------------------------------------------------------------------------------

static void a_sound_store_is_found_sound(void **state)
{
    assert_int_equal(run_fsck(false).found, 0);
    deep = true;
    assert_int_equal(run_fsck(false).found, 0);
    deep = false;
}

// An index is told to hold nothing while a row comes in, and then to hold all.
static void invariant_1_a_row_that_an_index_does_not_know(void **state)
{
    const char *shrink = "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql ="
                         " 'CREATE INDEX gap_by_start ON gap (start_us, id, place) WHERE 0'"
                         " WHERE name = 'gap_by_start'",
               *insert =
                   "INSERT INTO gap SELECT x'00000000000070008000000000000001', 'gate',"
                   " 'closed', 5, 5, (SELECT min(number) FROM place), 'stalled';"
                   " INSERT INTO tally SELECT (5 + (SELECT value FROM meta WHERE key ="
                   " 'day_offset_us')) / 86400000000, (SELECT min(number) FROM place), 'gap', 1",
               *grow = "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql ="
                       " 'CREATE INDEX gap_by_start ON gap (start_us, id, place)'"
                       " WHERE name = 'gap_by_start'";
    run_sql(shrink);
    run_sql(insert);
    run_sql(grow);
    deep = true;
    is_found_and_repaired(1);
}

static void invariant_2_an_index_that_others_can_read(void **state)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/index.db", store);
    assert_int_equal(chmod(path, 0644), 0);
    is_found_and_repaired(2);
}

static void invariant_2_a_journal_that_others_can_read(void **state)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/journal/00000000000000000001.log", store);
    assert_int_equal(chmod(path, 0640), 0);
    is_found_and_repaired(2);
}

static void invariant_3_a_count_that_is_wrong_missing_or_too_many(void **state)
{
    run_sql("UPDATE tally SET count = count + 1 WHERE what = 'clip'");
    is_found_and_repaired(3);
    run_sql("DELETE FROM tally WHERE what = 'motion'");
    is_found_and_repaired(3);
    run_sql("INSERT INTO tally VALUES (1, 1, 'gap', 4)");
    is_found_and_repaired(3);
}

static void invariant_4_a_row_longer_than_the_longest(void **state)
{
    run_sql("UPDATE meta SET value = 7 WHERE key = 'longest_clip_us'");
    is_found_and_repaired(4);
}

static void invariant_5_a_row_at_a_place_that_is_not_there(void **state)
{
    run_sql("UPDATE tally SET place = 99 WHERE what = 'motion'; UPDATE event SET place = 99");
    is_found_and_repaired(5);
}

static void invariant_6_gaps_that_overlap(void **state)
{
    struct gw_gap gaps[2];
    struct gw_place place;
    idx = open_index(GW_INDEX_WRITE);
    assert_int_equal(gw_index_find_place(idx, "gate", &place), 0);
    for (int i = 0; i < 2; i++) {
        gaps[i] = (struct gw_gap){.id = gw_id_make(T + i * S),
                                  .camera = "gate",
                                  .cause = GW_GAP_STALLED,
                                  .from_us = T + (100 + 5 * i) * S,
                                  .to_us = T + (110 + 5 * i) * S};
        struct gw_committed_fact fact = {.seq = (uint64_t)gw_index_head(idx) + 1};
        json_t *json = gw_gap_to_json(&gaps[i]);
        gw_place_to_json_numbered(json, &place);
        fact.kind = gw_fact_kind_name(GW_FACT_GAP_CLOSED);
        fact.topic = "camera/640323101004/gate";
        fact.camera = "gate";
        fact.thumbnail = "";
        char *data = json_dumps(json, 0);
        fact.data = data;
        json_decref(json);
        struct gw_journal_end end;
        assert_int_equal(gw_index_read_end(idx, &end), 0);
        gw_journal_add(idx->journal, &fact);
        assert_int_equal(gw_journal_append(idx->journal, &end), 0);
        assert_int_equal(gw_index_take(idx, &fact, 1), 0);
        assert_int_equal(gw_index_write_end(idx, &end), 0);
        free(data);
    }
    gw_index_close(&idx);
    run_sql("UPDATE meta SET value = 10000000 WHERE key = 'longest_gap_us'");
    is_found_and_repaired(6);
}

static void invariant_7_an_event_that_ends_before_it_begins(void **state)
{
    // Its fact says the same, so nothing else is wrong.
    idx = open_index(GW_INDEX_WRITE);
    struct gw_event odd = make_event("gate", T + 50 * S, T + 40 * S);
    odd.snapshot_us = GW_NO_TIME;
    assert_int_equal(commit_event(GW_FACT_EVENT_CLOSED, &odd), 0);
    gw_index_close(&idx);
    is_found_and_repaired(7);
}

static void invariant_8_a_clip_without_its_file(void **state)
{
    char full[PATH_MAX];
    snprintf(full, sizeof(full), "%s/%s", store, clip_path);
    assert_int_equal(unlink(full), 0);
    is_found_and_repaired(8);
}

static void invariant_8_a_file_of_another_size(void **state)
{
    char full[PATH_MAX];
    snprintf(full, sizeof(full), "%s/%s", store, clip_path);
    assert_int_equal(truncate(full, CLIP_BYTES - 3), 0);
    is_found_and_repaired(8);
    assert_true(quarantined(clip_path));
}

static void invariant_9_a_file_that_is_no_clip(void **state)
{
    char other[CLIP_BYTES];
    memset(other, 'x', sizeof(other));
    put_file(clip_path, other, sizeof(other));
    is_found_and_repaired(9);
    assert_true(quarantined(clip_path));
}

static void invariant_9_looks_at_every_box_when_it_is_deep(void **state)
{
    uint8_t other[CLIP_BYTES];
    memcpy(other, clip_bytes, CLIP_BYTES);
    other[16 + 3] = 200; // the last box reaches over the end
    put_file(clip_path, other, sizeof(other));
    assert_int_equal(run_fsck(false).found, 0);
    deep = true;
    is_found_and_repaired(9);
}

static void invariant_10_a_lost_clip_with_a_file(void **state)
{
    char path[GW_MEDIA_PATH_SIZE];
    idx = open_index(GW_INDEX_WRITE);
    struct gw_clip lost = make_clip("gate", T + 200 * S, T + 210 * S);
    lost.state = GW_CLIP_LOST;
    assert_int_equal(commit_clip(GW_FACT_CLIP_CLOSED, &lost), 0);
    gw_index_close(&idx);
    put_file(gw_clip_path(path, &lost), "x", 1);
    is_found_and_repaired(10);
    assert_true(quarantined(path));
}

static void invariant_11_files_without_rows(void **state)
{
    char path[GW_MEDIA_PATH_SIZE];
    const struct gw_clip stray = make_clip("gate", T + 300 * S, T + 310 * S);
    put_file(gw_clip_path(path, &stray), clip_bytes, CLIP_BYTES);
    is_found_and_repaired(11);
    assert_true(quarantined(path));
    put_file("media/gate/2026-05-04/notes.txt", "x", 1);
    is_found_and_repaired(11);
}

static void invariant_11_garbage_is_no_stray(void **state)
{
    const struct gw_victim victim = {GW_NOUN_CLIP, clip.id};
    idx = open_index(GW_INDEX_WRITE);
    assert_int_equal(gw_index_delete(idx, &victim, 1, GW_DELETED_EXPIRED, T, NULL), 1);
    gw_index_close(&idx);
    assert_true(there(clip_path));
    assert_int_equal(run_fsck(false).found, 0);
}

static void invariant_12_half_a_file(void **state)
{
    char part[GW_MEDIA_PATH_SIZE + 16];
    snprintf(part, sizeof(part), "%.180s.7-1.part", snapshot_path);
    put_file(part, "x", 1);
    is_found_and_repaired(12);
    assert_false(there(part));
}

static void invariant_13_an_event_without_its_pictures(void **state)
{
    char full[PATH_MAX];
    snprintf(full, sizeof(full), "%s/%s", store, snapshot_path);
    assert_int_equal(unlink(full), 0);
    snprintf(full, sizeof(full), "%s/%s", store, thumbnail_path);
    assert_int_equal(unlink(full), 0);
    is_found_and_repaired(13);
}

static void invariant_14_garbage_that_a_row_needs(void **state)
{
    char sql[512];
    snprintf(sql, sizeof(sql), "INSERT INTO garbage VALUES ('%s', 5)", clip_path);
    run_sql(sql);
    is_found_and_repaired(14);
    assert_true(there(clip_path));
}

static void invariant_15_a_damaged_line(void **state)
{
    char path[PATH_MAX], byte;
    snprintf(path, sizeof(path), "%s/journal/00000000000000000001.log", store);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    // In the first fact, whose row later ones tell of too.
    assert_int_equal(pread(fd, &byte, 1, 120), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 120), 1);
    close(fd);
    run_fsck(false);
    assert_int_equal(findings[0].invariant, 15);
    is_found_and_repaired(15);
}

static void invariant_16_a_journal_that_is_shorter_than_the_index_says(void **state)
{
    char path[PATH_MAX];
    struct stat file;
    idx = open_index(GW_INDEX_WRITE);
    struct gw_event last = make_event("gate", T + 400 * S, T + 401 * S);
    last.snapshot_us = GW_NO_TIME;
    snprintf(path, sizeof(path), "%s/journal/00000000000000000001.log", store);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(commit_event(GW_FACT_EVENT_CLOSED, &last), 0);
    const int64_t head = gw_index_head(idx);
    gw_index_close(&idx);
    assert_int_equal(truncate(path, file.st_size), 0);
    is_found_and_repaired(16);
    idx = open_index(GW_INDEX_WRITE);
    assert_int_equal(gw_index_head(idx), head); // no number is given twice
}

static void invariant_17_a_row_that_is_not_as_its_fact_says(void **state)
{
    struct gw_clip_row row;
    run_sql("UPDATE clip SET frames = 1 WHERE state = 'closed'");
    is_found_and_repaired(17);
    idx = open_index(GW_INDEX_READ);
    assert_int_equal(gw_index_clip(idx, &clip.id, &row), 0);
    assert_int_equal(row.clip.frames, 412);
}

static void invariant_17_a_row_that_is_gone_without_a_fact(void **state)
{
    run_sql("DELETE FROM event; DELETE FROM tally WHERE what = 'motion'");
    live = true; // its pictures are young, so they are not called strays beside a site
    struct gw_fsck_result result = run_fsck(false);
    live = false;
    assert_int_equal(result.found, 1);
    assert_int_equal(findings[0].invariant, 17);
}

static void beside_a_site_young_files_are_no_findings(void **state)
{
    char path[GW_MEDIA_PATH_SIZE];
    const struct gw_clip young = make_clip("gate", T + 300 * S, T + 310 * S);
    put_file(gw_clip_path(path, &young), clip_bytes, CLIP_BYTES);
    put_file("media/gate/2026-05-04/030201-x.jpg.7-1.part", "x", 1);
    live = true;
    assert_int_equal(run_fsck(false).found, 0);
    live = false;
    assert_int_equal(run_fsck(false).found, 2);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, make_sound_store, remove_sound_store)
    const struct CMUnitTest tests[] = {
        FACT(a_sound_store_is_found_sound),
        FACT(invariant_1_a_row_that_an_index_does_not_know),
        FACT(invariant_2_an_index_that_others_can_read),
        FACT(invariant_2_a_journal_that_others_can_read),
        FACT(invariant_3_a_count_that_is_wrong_missing_or_too_many),
        FACT(invariant_4_a_row_longer_than_the_longest),
        FACT(invariant_5_a_row_at_a_place_that_is_not_there),
        FACT(invariant_6_gaps_that_overlap),
        FACT(invariant_7_an_event_that_ends_before_it_begins),
        FACT(invariant_8_a_clip_without_its_file),
        FACT(invariant_8_a_file_of_another_size),
        FACT(invariant_9_a_file_that_is_no_clip),
        FACT(invariant_9_looks_at_every_box_when_it_is_deep),
        FACT(invariant_10_a_lost_clip_with_a_file),
        FACT(invariant_11_files_without_rows),
        FACT(invariant_11_garbage_is_no_stray),
        FACT(invariant_12_half_a_file),
        FACT(invariant_13_an_event_without_its_pictures),
        FACT(invariant_14_garbage_that_a_row_needs),
        FACT(invariant_15_a_damaged_line),
        FACT(invariant_16_a_journal_that_is_shorter_than_the_index_says),
        FACT(invariant_17_a_row_that_is_not_as_its_fact_says),
        FACT(invariant_17_a_row_that_is_gone_without_a_fact),
        FACT(beside_a_site_young_files_are_no_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
