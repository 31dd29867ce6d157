// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "storage/index_internal.h"
#include "tests/unit/index_dump.h"
#include "tests/unit/index_store.h"

// --- facts as they come out ----------------------------------------------------------------------

struct outbox {
    int count, stop_after;
    struct {
        uint64_t seq;
        int64_t wall_us;
        char kind[32], topic[128], camera[64], thumbnail[GW_MEDIA_PATH_SIZE];
        json_t *data;
    } facts[64];
};

static int take_fact(void *opaque, const struct gw_committed_fact *fact)
{
    struct outbox *box = opaque;
    int i = box->count++;
    box->facts[i].seq = fact->seq;
    box->facts[i].wall_us = fact->wall_us;
    snprintf(box->facts[i].kind, 32, "%s", fact->kind);
    snprintf(box->facts[i].topic, 128, "%s", fact->topic);
    snprintf(box->facts[i].camera, 64, "%s", fact->camera);
    snprintf(box->facts[i].thumbnail, GW_MEDIA_PATH_SIZE, "%s", fact->thumbnail);
    box->facts[i].data = json_loads(fact->data, 0, NULL);
    return box->stop_after && box->count == box->stop_after;
}

static struct outbox read_facts(uint64_t since)
{
    struct outbox box = {0};
    int calls = gw_index_facts(idx, since, 64, take_fact, &box);
    assert_int_equal(calls, box.count);
    for (int i = 0; i < box.count; i++)
        assert_int_equal(box.facts[i].seq, since + 1 + (uint64_t)i);
    return box;
}

static void free_facts(struct outbox *box)
{
    for (int i = 0; i < box->count; i++)
        json_decref(box->facts[i].data);
}

static const char *text_of(const struct outbox *box, int i, const char *key)
{
    const char *text = json_string_value(json_object_get(box->facts[i].data, key));
    return text ? text : "(none)";
}

// --- opening -------------------------------------------------------------------------------------

static void an_index_is_private_and_keeps_its_epoch(void **state)
{
    char path[PATH_MAX + 16];
    struct stat status;
    snprintf(path, sizeof(path), "%s/index.db", store);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    snprintf(path, sizeof(path), "%s/index.db-wal", store);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);

    uint64_t epoch = gw_index_epoch(idx);
    assert_true(epoch > 0 && epoch < UINT64_C(1) << 53);
    gw_index_close(&idx);
    idx = open_index(GW_INDEX_WRITE);
    assert_true(gw_index_epoch(idx) == epoch);
    assert_int_equal(gw_index_head(idx), 0);
}

static void a_reader_of_an_empty_store_is_told_so(void **state)
{
    struct gw_index *index = NULL;
    char error[GW_INDEX_ERROR_SIZE], empty[PATH_MAX + 16];
    snprintf(empty, sizeof(empty), "%s/nothing", store);
    assert_true(gw_index_open(&index, empty, GW_INDEX_READ, "", error) < 0);
    assert_null(index);
    assert_non_null(strstr(error, "nothing/index.db: "));
    assert_int_equal(access(empty, F_OK), -1); // looking makes nothing
}

static void refused(const char *sql, const char *why)
{
    struct gw_index *index = NULL;
    char error[GW_INDEX_ERROR_SIZE];
    assert_int_equal(sqlite3_exec(idx->db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(gw_index_open(&index, store, GW_INDEX_WRITE, "", error), GW_ERROR_INVALID);
    assert_non_null(strstr(error, why));
}

static void an_index_of_a_later_version_is_left_alone(void **state)
{
    refused("PRAGMA user_version=99", "later version");
}

// Makes the store's index anew, as an earlier version did, and puts rows into it.
static void make_old_index(int version, const char *sql)
{
    char path[PATH_MAX + 16], pragmas[96];
    sqlite3 *db;
    gw_index_close(&idx);
    snprintf(path, sizeof(path), "rm -rf '%s'", store);
    assert_int_equal(system(path), 0);
    assert_int_equal(mkdir(store, 0700), 0);
    snprintf(path, sizeof(path), "%s/index.db", store);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (int i = 1; i <= version; i++)
        for (int part = 0; gw_index_schema(i, part); part++)
            assert_int_equal(sqlite3_exec(db, gw_index_schema(i, part), NULL, NULL, NULL),
                             SQLITE_OK);
    snprintf(pragmas, sizeof(pragmas),
             "INSERT INTO meta VALUES ('epoch', 77);"
             "PRAGMA application_id=%d; PRAGMA user_version=%d",
             0x47576978, version);
    assert_int_equal(sqlite3_exec(db, pragmas, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    idx = open_index(GW_INDEX_WRITE);
}

static void an_index_of_version_1_keeps_its_cameras(void **state)
{
    struct gw_camera_row row;
    make_old_index(1, "INSERT INTO camera VALUES ('a', 'a', '', '', 'rtsp://h/1', '', '', 'events',"
                      " 1, NULL, NULL);"
                      "INSERT INTO camera_state VALUES ('a', 'online', '', 5)");
    assert_int_equal(gw_index_camera(idx, "a", &row), 0);
    assert_string_equal(row.camera.record_url, "rtsp://h/1");
    assert_string_equal(row.camera.detect_url, "");
    assert_string_equal(row.camera.zones, "");
    assert_int_equal(row.camera.registration.site_class, GW_SITE_CLASS_NONE);
    assert_int_equal(row.state.status, GW_CAMERA_ONLINE);
    assert_int_equal(row.state.signs.key_age_us, -1);
    assert_int_equal(row.state.signs.clock_offset_us, GW_NO_TIME);
}

static void an_index_of_version_4_keeps_its_rows_places_and_facts(void **state)
{
    struct gw_query query;
    struct gw_event_row event;
    struct gw_clip_row clip;
    struct gw_gap_row gap;
    struct gw_day_count day;
    gw_query_init(&query);
    make_old_index(
        4,
        "INSERT INTO event VALUES (x'01900000000070008000000000000001', 'a', 'closed', 1000, 2000,"
        " 'motion', 1500, 0.5, 0, 0, 1, 1, '[]', NULL, 0, 'Gate', '640323101', '004', 106.1, 37.8,"
        " NULL);"
        "INSERT INTO clip VALUES (x'01900000000070008000000000000002', 'a', 'closed', 900, 2100, 7,"
        " 3, 'h264', 640, 360, 0, 'Old gate', '640323101', '004', NULL, NULL, 12);"
        "INSERT INTO gap VALUES (x'01900000000070008000000000000003', 'b', 'open', 100, 100,"
        " 'stalled', 'B', '640323', '', NULL, NULL);"
        "INSERT INTO fact VALUES (1, 2000, 'event.closed', 'event/640323101004/a', 'a',"
        " '{\"id\":\"x\",\"camera_name\":\"Gate\",\"division\":\"640323101\",\"grid\":\"004\","
        "\"lon\":106.1,\"lat\":37.8}', 'media/a.jpg'),"
        " (2, 2100, 'camera.online', 'camera/640323/c', 'c',"
        " '{\"camera_name\":\"C\",\"division\":\"640323\",\"grid\":\"\"}', '')");
    assert_int_equal(gw_index_events(idx, &query, &event, query.cursor), 1);
    assert_string_equal(event.place.camera_name, "Gate");
    assert_true(event.place.lon == 106.1 && event.event.end_us == 2000);
    assert_int_equal(gw_index_clips(idx, &query, &clip, query.cursor), 1);
    assert_string_equal(clip.place.camera_name, "Old gate");
    assert_int_equal(clip.clip.clock_offset_us, 12);
    assert_int_equal(gw_index_gaps(idx, &query, &gap, query.cursor), 1);
    assert_true(gap.gap.open);
    assert_int_equal(gw_index_count_days(idx, GW_NOUN_CLIP, &query, &day, 1), 1);

    struct outbox box = read_facts(0);
    assert_int_equal(box.count, 2);
    assert_string_equal(box.facts[0].thumbnail, "media/a.jpg");
    assert_int_equal(json_integer_value(json_object_get(box.facts[0].data, "place")),
                     event.place.number);
    assert_string_equal(box.facts[1].camera, "c");
    free_facts(&box);
    assert_int_equal(gw_index_epoch(idx), 77);
}

static void what_a_fact_cannot_tell_of_a_view_is_not_known(void **state)
{
    struct gw_event_row row;
    struct gw_camera camera = make_camera("a", "", "");
    struct gw_event event = make_event("a", TEST_START_US, TEST_START_US);
    camera.view = (struct gw_view){390, -1, 45, 2e5};
    gw_index_put_camera(idx, &camera);
    commit_event(GW_FACT_EVENT_OPENED, &event);
    gw_index_event(idx, &event.id, &row);
    assert_true(row.place.view.heading_deg == 0 && row.place.view.fov_deg == 0);
    assert_true(row.place.view.range_m == 45 && row.place.view.height_m == 0);
    struct outbox box = read_facts(0);
    struct gw_place place;
    assert_int_equal(gw_place_from_json(box.facts[0].data, &place), 0);
    assert_true(gw_place_same(&place, &row.place));
    free_facts(&box);
}

static void rewrite_meta(const char *sql)
{
    assert_int_equal(sqlite3_exec(idx->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void a_commit_that_failed_at_its_last_step_is_not_in_the_journal(void **state)
{
    struct gw_clip clip = make_clip("a", TEST_START_US, TEST_START_US),
                   other = make_clip("b", TEST_START_US, TEST_START_US);
    struct gw_journal_end end;
    char sql[200];
    assert_int_equal(gw_index_read_end(idx, &end), 0);
    commit_clip(GW_FACT_CLIP_OPENED, &clip);
    // As if the transaction had been lost behind the journal's sync.
    snprintf(sql, sizeof(sql),
             "UPDATE meta SET value = 0 WHERE key IN ('head', 'journal_file',"
             " 'journal_offset'); DELETE FROM clip; DELETE FROM tally");
    rewrite_meta(sql);
    gw_index_close(&idx);
    idx = open_index(GW_INDEX_WRITE);
    assert_int_equal(gw_index_head(idx), 0);
    commit_clip(GW_FACT_CLIP_OPENED, &other);
    commit_clip(GW_FACT_CLIP_CLOSED, &other);
    struct outbox box = read_facts(0);
    assert_int_equal(box.count, 2);
    assert_string_equal(box.facts[0].camera, "b");
    free_facts(&box);
}

static void an_index_that_is_older_than_its_journal_is_not_written(void **state)
{
    struct gw_index *index = NULL;
    char error[GW_INDEX_ERROR_SIZE];
    struct gw_clip clip = make_clip("a", TEST_START_US, TEST_START_US);
    commit_clip(GW_FACT_CLIP_OPENED, &clip);
    commit_clip(GW_FACT_CLIP_CLOSED, &clip);
    rewrite_meta("UPDATE meta SET value = 0 WHERE key IN ('head', 'journal_file',"
                 " 'journal_offset')");
    assert_int_equal(gw_index_open(&index, store, GW_INDEX_WRITE, "", error), GW_ERROR_INVALID);
    assert_non_null(strstr(error, "gridwatch index rebuild"));
}

static int take_one(void *opaque, const struct gw_committed_fact *fact)
{
    int result = gw_index_take(opaque, fact, 1);
    if (result)
        print_error("%s\n", gw_index_error(opaque));
    assert_int_equal(result, 0);
    assert_int_equal(gw_index_take(opaque, fact, 1), 0); // twice is once
    return 0;
}

static void facts_alone_make_the_same_rows_again(void **state)
{
    static const char *const tables[] = {"event", "clip", "gap", "place", "tally"};
    char other[PATH_MAX + 8], error[GW_INDEX_ERROR_SIZE];
    struct gw_index *again;
    struct gw_camera camera = make_camera("a", "640323101", "004");
    camera.lon = 106.123456789;
    camera.lat = 37.8;
    camera.view = (struct gw_view){123.4567, 90, 50, 4.5};
    gw_index_put_camera(idx, &camera);
    for (int i = 0; i < 20; i++) {
        struct gw_event event = make_event(i % 3 ? "a" : "b", TEST_START_US + i * GW_SECOND,
                                           TEST_START_US + i * GW_SECOND + rand() % 1000000);
        struct gw_clip clip = make_clip(event.camera, event.start_us, event.end_us);
        event.score = rand() / (double)RAND_MAX;
        event.box.x = rand() / (double)RAND_MAX;
        commit_event(GW_FACT_EVENT_OPENED, &event);
        commit_clip(GW_FACT_CLIP_OPENED, &clip);
        camera.view.heading_deg = i * 10;
        if (i % 5 == 0)
            gw_index_put_camera(idx, &camera);
        event.score = rand() / (double)RAND_MAX;
        commit_event(i % 2 ? GW_FACT_EVENT_UPDATED : GW_FACT_EVENT_CLOSED, &event);
        clip.clock_offset_us = i % 4 ? -5 : GW_NO_TIME;
        if (i % 6)
            commit_clip(GW_FACT_CLIP_CLOSED, &clip);
    }
    snprintf(other, sizeof(other), "%s/again", store);
    assert_int_equal(gw_index_open(&again, other, GW_INDEX_WRITE, "640323", error), 0);
    assert_true(gw_index_facts(idx, 0, 1000, take_one, again) > 60);
    for (int i = 0; i < 5; i++) {
        char *was = dump_table(idx, tables[i]), *is = dump_table(again, tables[i]);
        if (strcmp(tables[i], "place") != 0)
            assert_string_equal(is, was);
        else // one that no fact has is made when the registry is read again
            for (char *row = strtok(is, "\n"); row; row = strtok(NULL, "\n"))
                assert_non_null(strstr(was, row));
        free(was);
        free(is);
    }
    gw_index_close(&again);
}

static void a_database_of_another_program_is_left_alone(void **state)
{
    refused("PRAGMA application_id=1", "another program");
}

// docs/ref/index.md, found from where this file was compiled.
static char *read_reference(void)
{
    char path[PATH_MAX], *text = calloc(1, 65536);
    snprintf(path, sizeof(path), "%s", __FILE__);
    snprintf(strstr(path, "tests/unit"), 32, "docs/ref/index.md");
    FILE *file = fopen(path, "rb");
    if (!file) {
        print_message("%s cannot be read from here\n", path);
        free(text);
        skip();
    }
    assert_true(fread(text, 1, 65535, file) > 0);
    fclose(file);
    return text;
}

static void every_column_is_described(void **state)
{
    sqlite3_stmt *statement;
    char *text = read_reference(), heading[64], column[64];
    int columns = 0;
    sqlite3_prepare_v2(idx->db,
                       "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_xinfo(t.name) c"
                       " WHERE t.type = 'table'",
                       -1, &statement, NULL);
    for (; sqlite3_step(statement) == SQLITE_ROW; columns++) {
        snprintf(heading, sizeof(heading), "\n## %s\n", sqlite3_column_text(statement, 0));
        snprintf(column, sizeof(column), "`%s`", sqlite3_column_text(statement, 1));
        const char *section = strstr(text, heading);
        assert_non_null(section);
        const char *end = strstr(section + 4, "\n## "), *found = strstr(section, column);
        if (!found || (end && found > end))
            print_error("%s of table%s\n", column, heading + 3);
        assert_true(found && (!end || found < end));
    }
    sqlite3_finalize(statement);
    free(text);
    assert_true(columns > 60);
}

// Six processes open a store that is not there yet, and each puts a camera.
static int set_up_at_once(void)
{
    int status, failed = 0;
    for (int i = 0; i < 6; i++)
        if (fork() == 0) {
            struct gw_index *index;
            char error[GW_INDEX_ERROR_SIZE] = "", id[16];
            snprintf(id, sizeof(id), "c%d", i);
            struct gw_camera camera = make_camera(id, "", "");
            bool good = gw_index_open(&index, store, GW_INDEX_WRITE, "", error) == 0 &&
                        gw_index_put_camera(index, &camera) == 1;
            if (!good)
                print_error("%s\n", error);
            _exit(!good);
        }
    while (wait(&status) > 0)
        failed += status != 0;
    return failed;
}

static void many_processes_may_set_up_a_store_at_once(void **state)
{
    struct gw_camera_row *rows;
    char *end = store + strlen(store);
    for (int round = 0; round < 10; round++) {
        snprintf(end, 8, "/new%d", round);
        assert_int_equal(set_up_at_once(), 0);
    }
    gw_index_close(&idx);
    idx = open_index(GW_INDEX_READ);
    assert_int_equal(gw_index_cameras(idx, &rows), 6);
    free(rows);
    *end = 0;
}

// --- facts ---------------------------------------------------------------------------------------

static void an_opened_event_raises_an_alert(void **state)
{
    struct gw_camera camera = make_camera("gate-07", "640323101", "004");
    camera.lon = 106.1234567;
    camera.lat = 37.8;
    gw_index_put_camera(idx, &camera);
    struct gw_event event = make_event("gate-07", TEST_START_US, TEST_START_US + GW_SECOND);
    assert_int_equal(commit_event(GW_FACT_EVENT_OPENED, &event), 0);

    struct outbox box = read_facts(0);
    assert_int_equal(box.count, 2);
    assert_string_equal(box.facts[0].kind, "event.opened");
    assert_string_equal(box.facts[0].topic, "event/640323101004/gate-07");
    assert_string_equal(box.facts[1].kind, "alert.raised");
    assert_string_equal(box.facts[1].topic, "alert/640323101004/gate-07");
    assert_int_equal(box.facts[1].wall_us, event.end_us);
    for (int i = 0; i < 2; i++) {
        char path[GW_MEDIA_PATH_SIZE], id[GW_ID_TEXT_SIZE];
        assert_string_equal(box.facts[i].camera, "gate-07");
        assert_string_equal(box.facts[i].thumbnail, gw_event_thumbnail_path(path, &event));
        assert_string_equal(text_of(&box, i, "id"), gw_id_format(id, &event.id));
        assert_string_equal(text_of(&box, i, "division"), "640323101");
        assert_string_equal(text_of(&box, i, "grid"), "004");
        assert_string_equal(text_of(&box, i, "camera_name"), "The camera gate-07");
        assert_true(json_number_value(json_object_get(box.facts[i].data, "lon")) == 106.1234567);
    }
    free_facts(&box);
}

static void numbers_have_no_holes_when_a_commit_fails(void **state)
{
    struct gw_event event = make_event("a", TEST_START_US, TEST_START_US);
    assert_int_equal(commit_event(GW_FACT_EVENT_OPENED, &event), 0);
    struct gw_fact_entry batch[2] = {0};
    batch[0].fact.kind = GW_FACT_CLIP_OPENED;
    batch[0].fact.clip = make_clip("a", TEST_START_US, TEST_START_US);
    batch[1].fact.kind = (enum gw_fact_kind)99;
    assert_int_equal(gw_index_commit(idx, batch, 2), GW_ERROR_INVALID);
    assert_int_equal(gw_index_head(idx), 2);
    struct gw_clip_row row;
    assert_int_equal(gw_index_clip(idx, &batch[0].fact.clip.id, &row), GW_ERROR_NOT_FOUND);

    assert_int_equal(gw_index_commit(idx, batch, 1), 0);
    assert_int_equal(gw_index_head(idx), 3);
    struct outbox box = read_facts(0);
    assert_int_equal(box.count, 3);
    free_facts(&box);
}

static void a_fact_that_is_sent_again_is_skipped(void **state)
{
    struct gw_fact_entry batch[3] = {0};
    struct gw_id boot = gw_id_make(1), other = gw_id_make(2);
    for (int i = 0; i < 3; i++) {
        batch[i].boot = boot;
        batch[i].boot_seq = (uint64_t)i + 1;
        batch[i].fact.kind = GW_FACT_CAMERA_ONLINE;
        batch[i].fact.camera = (struct gw_camera_state){"gate-07", GW_CAMERA_ONLINE, "", i};
    }
    assert_int_equal(gw_index_commit(idx, batch, 2), 0);
    assert_int_equal(gw_index_commit(idx, batch, 3), 0); // the ack was lost
    assert_int_equal(gw_index_head(idx), 3);
    for (int i = 0; i < 3; i++)
        batch[i].boot = other; // another run counts anew
    assert_int_equal(gw_index_commit(idx, batch, 3), 0);
    assert_int_equal(gw_index_head(idx), 6);
    for (int i = 0; i < 3; i++)
        batch[i].boot = (struct gw_id){0}; // the hub's own are never sent again
    assert_int_equal(gw_index_commit(idx, batch, 3), 0);
    assert_int_equal(gw_index_head(idx), 9);
}

static void a_fact_waits_for_those_before_it(void **state)
{
    struct gw_fact_entry batch[3] = {0};
    for (int i = 0; i < 3; i++) {
        batch[i].boot = i ? batch[0].boot : gw_id_make(1);
        batch[i].boot_seq = (uint64_t)i + 1;
        batch[i].fact.kind = GW_FACT_CAMERA_ONLINE;
        batch[i].fact.camera = (struct gw_camera_state){"gate-07", GW_CAMERA_ONLINE, "", i};
    }
    assert_int_equal(gw_index_commit(idx, &batch[1], 2), 0); // the first was lost
    assert_int_equal(gw_index_head(idx), 0);
    assert_int_equal(gw_index_boot_seq(idx, &batch[0].boot), 0);
    assert_int_equal(gw_index_commit(idx, batch, 1), 0);
    assert_int_equal(gw_index_commit(idx, &batch[2], 1), 0);
    assert_int_equal(gw_index_boot_seq(idx, &batch[0].boot), 1);
    // One that makes no sense is passed over in its turn.
    assert_int_equal(gw_index_pass_over(idx, &batch[0].boot, 3, 0), 0);
    assert_int_equal(gw_index_boot_seq(idx, &batch[0].boot), 1);
    assert_int_equal(gw_index_pass_over(idx, &batch[0].boot, 2, 0), 0);
    assert_int_equal(gw_index_commit(idx, batch, 3), 0);
    assert_int_equal(gw_index_boot_seq(idx, &batch[0].boot), 3);
    assert_int_equal(gw_index_head(idx), 2);
}

static void facts_are_read_from_anywhere_and_as_many_as_wanted(void **state)
{
    for (int i = 0; i < 5; i++) {
        struct gw_clip clip = make_clip("a", TEST_START_US + i, TEST_START_US + i);
        commit_clip(GW_FACT_CLIP_OPENED, &clip);
    }
    struct outbox box = {0};
    assert_int_equal(gw_index_facts(idx, 2, 2, take_fact, &box), 2);
    assert_int_equal(box.facts[0].seq, 3);
    free_facts(&box);
    box = (struct outbox){.stop_after = 1};
    assert_int_equal(gw_index_facts(idx, 0, 64, take_fact, &box), 1);
    free_facts(&box);
    assert_int_equal(gw_index_facts(idx, 5, 64, take_fact, &box), 0);
    assert_int_equal(gw_index_facts(idx, UINT64_MAX, 64, take_fact, &box), 0);
}

// --- events --------------------------------------------------------------------------------------

static void assert_same_event(const struct gw_event *a, const struct gw_event *b)
{
    json_t *a_json = gw_event_to_json(a), *b_json = gw_event_to_json(b);
    assert_true(json_equal(a_json, b_json));
    json_decref(a_json);
    json_decref(b_json);
}

static void an_event_is_kept_as_it_was_told(void **state)
{
    struct gw_event_row row;
    struct gw_event event = make_event("gate-07", TEST_START_US, TEST_START_US + GW_SECOND);
    commit_event(GW_FACT_EVENT_OPENED, &event);
    assert_int_equal(gw_index_event(idx, &event.id, &row), 0);
    assert_same_event(&row.event, &event);

    event.end_us += GW_SECOND;
    event.score = 0.9;
    event.zone_count = 2;
    strcpy(event.zones[1], "garden");
    commit_event(GW_FACT_EVENT_UPDATED, &event);
    gw_index_event(idx, &event.id, &row);
    assert_same_event(&row.event, &event);

    event.state = GW_EVENT_CLOSED;
    event.interrupted = true;
    commit_event(GW_FACT_EVENT_CLOSED, &event);
    gw_index_event(idx, &event.id, &row);
    assert_same_event(&row.event, &event);
}

static void an_update_takes_nothing_away(void **state)
{
    struct gw_event_row row;
    struct gw_event event = make_event("gate-07", TEST_START_US, TEST_START_US + 3 * GW_SECOND);
    commit_event(GW_FACT_EVENT_OPENED, &event);
    struct gw_event poorer = event;
    poorer.snapshot_us = GW_NO_TIME;
    poorer.start_us += GW_SECOND; // would move its snapshot's path
    poorer.end_us -= GW_SECOND;
    strcpy(poorer.camera, "other");
    commit_event(GW_FACT_EVENT_UPDATED, &poorer);
    gw_index_event(idx, &event.id, &row);
    assert_same_event(&row.event, &event);
    struct outbox box = read_facts(2);
    assert_string_equal(box.facts[0].camera, "gate-07");
    free_facts(&box);
}

static void a_closed_event_is_never_opened_again(void **state)
{
    struct gw_event_row row;
    struct gw_event event = make_event("gate-07", TEST_START_US, TEST_START_US + GW_SECOND),
                    late = event;
    commit_event(GW_FACT_EVENT_OPENED, &event);
    event.state = GW_EVENT_CLOSED;
    commit_event(GW_FACT_EVENT_CLOSED, &event);
    assert_int_equal(gw_index_head(idx), 3);
    late.end_us += 5 * GW_SECOND;
    assert_int_equal(commit_event(GW_FACT_EVENT_UPDATED, &late), 0);
    assert_int_equal(commit_event(GW_FACT_EVENT_OPENED, &late), 0);
    assert_int_equal(commit_event(GW_FACT_EVENT_CLOSED, &late), 0);
    assert_int_equal(gw_index_head(idx), 3); // nothing new was said
    gw_index_event(idx, &event.id, &row);
    assert_same_event(&row.event, &event);
}

static void an_event_whose_end_comes_first_stays_closed(void **state)
{
    struct gw_event_row row;
    struct gw_event event = make_event("gate-07", TEST_START_US, TEST_START_US + GW_SECOND);
    commit_event(GW_FACT_EVENT_CLOSED, &event);
    gw_index_event(idx, &event.id, &row);
    assert_int_equal(row.event.state, GW_EVENT_CLOSED);
    commit_event(GW_FACT_EVENT_OPENED, &event);
    gw_index_event(idx, &event.id, &row);
    assert_int_equal(row.event.state, GW_EVENT_CLOSED);
    assert_int_equal(gw_index_head(idx), 1);
}

static void a_row_keeps_the_place_its_camera_had(void **state)
{
    struct gw_event_row row;
    struct gw_camera camera = make_camera("gate-07", "640323101", "004");
    camera.lon = 106.1;
    camera.lat = 37.8;
    gw_index_put_camera(idx, &camera);
    struct gw_event event = make_event("gate-07", TEST_START_US, TEST_START_US);
    commit_event(GW_FACT_EVENT_OPENED, &event);

    camera = make_camera("gate-07", "640323202", "009");
    gw_index_put_camera(idx, &camera);
    commit_event(GW_FACT_EVENT_CLOSED, &event);
    gw_index_event(idx, &event.id, &row);
    assert_string_equal(row.place.division, "640323101");
    assert_string_equal(row.place.grid, "004");
    assert_true(row.place.lon == 106.1);
    struct outbox box = read_facts(2);
    assert_string_equal(box.facts[0].topic, "event/640323101004/gate-07");
    free_facts(&box);
}

static void a_camera_without_a_division_is_in_the_sites(void **state)
{
    struct gw_camera camera = make_camera("gate-07", "", "12");
    gw_index_put_camera(idx, &camera);
    struct gw_clip clip = make_clip("gate-07", TEST_START_US, TEST_START_US);
    commit_clip(GW_FACT_CLIP_OPENED, &clip);
    struct outbox box = read_facts(0);
    assert_string_equal(box.facts[0].topic, "event/64032312/gate-07");
    assert_string_equal(text_of(&box, 0, "division"), "640323");
    assert_null(json_object_get(box.facts[0].data, "lon"));
    free_facts(&box);
}

static void without_any_division_topics_have_six_zeros(void **state)
{
    char error[GW_INDEX_ERROR_SIZE];
    gw_index_close(&idx);
    assert_int_equal(gw_index_open(&idx, store, GW_INDEX_WRITE, "", error), 0);
    struct gw_clip clip = make_clip("gate-07", TEST_START_US, TEST_START_US);
    commit_clip(GW_FACT_CLIP_OPENED, &clip);
    struct outbox box = read_facts(0);
    assert_string_equal(box.facts[0].topic, "event/000000/gate-07");
    free_facts(&box);
}

// --- clips ---------------------------------------------------------------------------------------

static void a_clip_is_kept_as_it_was_told_and_its_first_end_stands(void **state)
{
    struct gw_clip_row row;
    struct gw_clip clip = make_clip("gate-07", TEST_START_US, TEST_START_US), unfinished[4];
    commit_clip(GW_FACT_CLIP_OPENED, &clip);
    assert_int_equal(gw_index_unfinished_clips(idx, NULL, unfinished, 4), 1);
    assert_int_equal(gw_index_unfinished_clips(idx, "gate-07", unfinished, 4), 1);
    assert_int_equal(gw_index_unfinished_clips(idx, "other", unfinished, 4), 0);
    assert_true(gw_id_equal(&unfinished[0].id, &clip.id));

    clip.end_us += GW_SECOND;
    clip.frames++;
    clip.truncated = true;
    clip.state = GW_CLIP_REPAIRED;
    commit_clip(GW_FACT_CLIP_CLOSED, &clip);
    struct gw_clip late = clip;
    late.state = GW_CLIP_LOST;
    commit_clip(GW_FACT_CLIP_CLOSED, &late);
    commit_clip(GW_FACT_CLIP_OPENED, &late);
    assert_int_equal(gw_index_head(idx), 2);
    assert_int_equal(gw_index_clip(idx, &clip.id, &row), 0);
    json_t *a = gw_clip_to_json(&clip), *b = gw_clip_to_json(&row.clip);
    assert_true(json_equal(a, b));
    json_decref(a);
    json_decref(b);
    assert_int_equal(gw_index_unfinished_clips(idx, NULL, unfinished, 4), 0);
}

static void open_events_are_found_by_camera(void **state)
{
    struct gw_event a = make_event("a", TEST_START_US, TEST_START_US), b = make_event("b", 1, 1),
                    found[4];
    commit_event(GW_FACT_EVENT_OPENED, &a);
    commit_event(GW_FACT_EVENT_OPENED, &b);
    assert_int_equal(gw_index_unfinished_events(idx, NULL, found, 4), 2);
    assert_int_equal(gw_index_unfinished_events(idx, NULL, found, 1), 1);
    assert_int_equal(gw_index_unfinished_events(idx, "a", found, 4), 1);
    assert_same_event(&found[0], &a);
    commit_event(GW_FACT_EVENT_CLOSED, &a);
    assert_int_equal(gw_index_unfinished_events(idx, "a", found, 4), 0);
}

// --- durability ----------------------------------------------------------------------------------

static void what_was_committed_survives_kill_9(void **state)
{
    int pipes[2], committed = 0;
    assert_int_equal(pipe(pipes), 0);
    gw_index_close(&idx);
    pid_t pid = fork();
    if (pid == 0) {
        idx = open_index(GW_INDEX_WRITE);
        for (int i = 0;; i++) {
            struct gw_clip clip = make_clip("a", TEST_START_US + i, TEST_START_US + i);
            if (commit_clip(GW_FACT_CLIP_OPENED, &clip) || write(pipes[1], "x", 1) != 1)
                _exit(1);
        }
    }
    char byte;
    while (committed < 50 && read(pipes[0], &byte, 1) == 1)
        committed++;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(pipes[1]);
    while (read(pipes[0], &byte, 1) == 1)
        committed++;
    close(pipes[0]);
    idx = open_index(GW_INDEX_WRITE);
    assert_true(committed >= 50);
    assert_true(gw_index_head(idx) >= committed);
}

// --- registry ------------------------------------------------------------------------------------

static void a_camera_is_kept_as_it_was_put(void **state)
{
    struct gw_camera camera = make_camera("gate-07", "640323101", "004");
    struct gw_camera_row row;
    strcpy(camera.username, "admin");
    strcpy(camera.password, "p@ss 'word'");
    camera.record = GW_RECORD_CONTINUOUS;
    camera.enabled = false;
    camera.lon = 106.1;
    camera.lat = -37.8;
    camera.view = (struct gw_view){135.5, 90, 60.25, 6};
    camera.registration = (struct gw_registration){"64032300001310000007", GW_SITE_CLASS_2,
                                                   "Public security", "Wires & Co."};
    strcpy(camera.zones, "{\"masks\":[]}");
    camera.retention_days = 90;
    assert_int_equal(gw_index_put_camera(idx, &camera), 1);
    assert_int_equal(gw_index_camera(idx, "gate-07", &row), 0);
    assert_memory_equal(&row.camera.view, &camera.view, sizeof(camera.view));
    assert_string_equal(row.camera.registration.device_id, "64032300001310000007");
    assert_int_equal(row.camera.registration.site_class, GW_SITE_CLASS_2);
    assert_string_equal(row.camera.registration.owner_unit, "Public security");
    assert_string_equal(row.camera.registration.maintenance_unit, "Wires & Co.");
    assert_string_equal(row.camera.zones, "{\"masks\":[]}");
    assert_int_equal(row.camera.retention_days, 90);
    assert_memory_equal(&row.camera.lon, &camera.lon, 2 * sizeof(double));
    assert_string_equal(row.camera.password, camera.password);
    assert_string_equal(row.camera.username, "admin");
    assert_string_equal(row.camera.record_url, "rtsp://192.0.2.1/gate-07");
    assert_int_equal(row.camera.record, GW_RECORD_CONTINUOUS);
    assert_false(row.camera.enabled);
    assert_true(row.state.since_us == GW_NO_TIME);

    camera.lon = camera.lat = NAN;
    assert_int_equal(gw_index_put_camera(idx, &camera), 0);
    gw_index_camera(idx, "gate-07", &row);
    assert_true(isnan(row.camera.lon));
    assert_int_equal(gw_index_remove_camera(idx, "gate-07"), 0);
    assert_int_equal(gw_index_remove_camera(idx, "gate-07"), GW_ERROR_NOT_FOUND);
    assert_int_equal(gw_index_camera(idx, "gate-07", &row), GW_ERROR_NOT_FOUND);
}

static void cameras_are_listed_by_id(void **state)
{
    struct gw_camera_row *rows = NULL;
    assert_int_equal(gw_index_cameras(idx, &rows), 0);
    free(rows);
    for (int i = 599; i >= 0; i--) {
        char id[16];
        snprintf(id, sizeof(id), "c%03d", i);
        struct gw_camera camera = make_camera(id, "", "");
        gw_index_put_camera(idx, &camera);
    }
    assert_int_equal(gw_index_cameras(idx, &rows), 600);
    assert_string_equal(rows[0].camera.id, "c000");
    assert_string_equal(rows[599].camera.id, "c599");
    free(rows);
}

static int commit_state(const char *camera, enum gw_camera_status status, const char *reason)
{
    struct gw_fact_entry entry = {0};
    entry.fact.kind = status == GW_CAMERA_ONLINE ? GW_FACT_CAMERA_ONLINE : GW_FACT_CAMERA_OFFLINE;
    entry.fact.camera.status = status;
    entry.fact.camera.since_us = TEST_START_US;
    snprintf(entry.fact.camera.camera, GW_CAMERA_ID_SIZE, "%s", camera);
    snprintf(entry.fact.camera.reason, GW_REASON_SIZE, "%s", reason);
    return gw_index_commit(idx, &entry, 1);
}

static void a_cameras_state_goes_with_it(void **state)
{
    struct gw_camera camera = make_camera("gate-07", "640323101", "004");
    struct gw_camera_row row;
    gw_index_put_camera(idx, &camera);
    assert_int_equal(commit_state("gate-07", GW_CAMERA_OFFLINE, "no route to it"), 0);
    gw_index_camera(idx, "gate-07", &row);
    assert_int_equal(row.state.status, GW_CAMERA_OFFLINE);
    assert_string_equal(row.state.reason, "no route to it");
    assert_int_equal(row.state.since_us, TEST_START_US);
    struct outbox box = read_facts(0);
    assert_string_equal(box.facts[0].topic, "camera/640323101004/gate-07");
    assert_string_equal(box.facts[0].thumbnail, "");
    free_facts(&box);

    gw_index_put_camera(idx, &camera); // changing it does not forget its state
    gw_index_camera(idx, "gate-07", &row);
    assert_int_equal(row.state.since_us, TEST_START_US);
    gw_index_remove_camera(idx, "gate-07");
    assert_int_equal(commit_state("gate-07", GW_CAMERA_ONLINE, ""), 0); // a late fact harms nothing
    gw_index_put_camera(idx, &camera);
    gw_index_camera(idx, "gate-07", &row);
    assert_true(row.state.since_us == GW_NO_TIME);
}

static void a_degraded_camera_keeps_its_reason_and_numbers(void **state)
{
    struct gw_camera camera = make_camera("gate-07", "640323101", "004");
    struct gw_fact_entry entry = {.fact.kind = GW_FACT_CAMERA_DEGRADED};
    struct gw_camera_state told = {.camera = "gate-07",
                                   .status = GW_CAMERA_DEGRADED,
                                   .reason = "no keyframe",
                                   .since_us = TEST_START_US,
                                   .signs = {.frame_rate = 12.5,
                                             .bit_rate = 2e6,
                                             .key_age_us = 11000000,
                                             .reconnects = 3,
                                             .clock_offset_us = -7}};
    struct gw_camera_row row;
    entry.fact.camera = told;
    gw_index_put_camera(idx, &camera);
    assert_int_equal(gw_index_commit(idx, &entry, 1), 0);
    gw_index_camera(idx, "gate-07", &row);
    json_t *a = gw_camera_state_to_json(&told), *b = gw_camera_state_to_json(&row.state);
    assert_true(json_equal(a, b));
    json_decref(a);
    json_decref(b);
    entry.fact.camera.signs = gw_camera_no_signs;
    assert_int_equal(gw_index_commit(idx, &entry, 1), 0);
    gw_index_camera(idx, "gate-07", &row);
    assert_int_equal(row.state.signs.key_age_us, -1);
    assert_int_equal(row.state.signs.clock_offset_us, GW_NO_TIME);
}

static void a_clock_offset_that_is_known_is_not_forgotten(void **state)
{
    struct gw_clip clip = make_clip("gate-07", TEST_START_US, TEST_START_US);
    struct gw_event event = make_event("gate-07", TEST_START_US, TEST_START_US);
    struct gw_clip_row clip_row;
    struct gw_event_row event_row;
    clip.clock_offset_us = event.clock_offset_us = -120000;
    commit_clip(GW_FACT_CLIP_OPENED, &clip);
    commit_event(GW_FACT_EVENT_OPENED, &event);
    clip.clock_offset_us = event.clock_offset_us = GW_NO_TIME; // its session ended meanwhile
    commit_clip(GW_FACT_CLIP_CLOSED, &clip);
    commit_event(GW_FACT_EVENT_CLOSED, &event);
    assert_int_equal(gw_index_clip(idx, &clip.id, &clip_row), 0);
    assert_int_equal(clip_row.clip.clock_offset_us, -120000);
    assert_int_equal(gw_index_event(idx, &event.id, &event_row), 0);
    assert_int_equal(event_row.event.clock_offset_us, -120000);
}

static void the_version_tells_of_other_handles_changes(void **state)
{
    struct gw_index *other = open_index(GW_INDEX_READ);
    int64_t version = gw_index_version(other);
    assert_int_equal(gw_index_version(other), version);
    struct gw_camera camera = make_camera("gate-07", "", "");
    gw_index_put_camera(idx, &camera);
    assert_true(gw_index_version(other) != version);
    gw_index_close(&other);
}

static int put_two_and_fail(void *opaque)
{
    struct gw_camera a = make_camera("a", "", ""), b = make_camera("b", "", "");
    assert_int_equal(gw_index_put_camera(idx, &a), 1);
    assert_int_equal(gw_index_put_camera(idx, &b), 1);
    return *(int *)opaque;
}

static void a_transaction_is_all_or_nothing(void **state)
{
    struct gw_camera_row *rows = NULL;
    int result = -EINVAL;
    assert_int_equal(gw_index_transaction(idx, put_two_and_fail, &result), -EINVAL);
    assert_int_equal(gw_index_cameras(idx, &rows), 0);
    result = 7;
    assert_int_equal(gw_index_transaction(idx, put_two_and_fail, &result), 7);
    assert_int_equal(gw_index_cameras(idx, &rows), 2);
    free(rows);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(an_index_is_private_and_keeps_its_epoch),
        FACT(a_reader_of_an_empty_store_is_told_so),
        FACT(an_index_of_a_later_version_is_left_alone),
        FACT(an_index_of_version_1_keeps_its_cameras),
        FACT(an_index_of_version_4_keeps_its_rows_places_and_facts),
        FACT(a_commit_that_failed_at_its_last_step_is_not_in_the_journal),
        FACT(an_index_that_is_older_than_its_journal_is_not_written),
        FACT(what_a_fact_cannot_tell_of_a_view_is_not_known),
        FACT(facts_alone_make_the_same_rows_again),
        FACT(a_database_of_another_program_is_left_alone),
        FACT(every_column_is_described),
        FACT(many_processes_may_set_up_a_store_at_once),
        FACT(an_opened_event_raises_an_alert),
        FACT(numbers_have_no_holes_when_a_commit_fails),
        FACT(a_fact_that_is_sent_again_is_skipped),
        FACT(a_fact_waits_for_those_before_it),
        FACT(facts_are_read_from_anywhere_and_as_many_as_wanted),
        FACT(an_event_is_kept_as_it_was_told),
        FACT(an_update_takes_nothing_away),
        FACT(a_closed_event_is_never_opened_again),
        FACT(an_event_whose_end_comes_first_stays_closed),
        FACT(a_row_keeps_the_place_its_camera_had),
        FACT(a_camera_without_a_division_is_in_the_sites),
        FACT(without_any_division_topics_have_six_zeros),
        FACT(a_clip_is_kept_as_it_was_told_and_its_first_end_stands),
        FACT(open_events_are_found_by_camera),
        FACT(what_was_committed_survives_kill_9),
        FACT(a_camera_is_kept_as_it_was_put),
        FACT(cameras_are_listed_by_id),
        FACT(a_cameras_state_goes_with_it),
        FACT(a_degraded_camera_keeps_its_reason_and_numbers),
        FACT(a_clock_offset_that_is_known_is_not_forgotten),
        FACT(the_version_tells_of_other_handles_changes),
        FACT(a_transaction_is_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
