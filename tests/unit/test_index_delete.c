// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Rows become garbage, garbage becomes nothing, and each deletion is told of.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "storage/hold.h"
#include "storage/index_delete.h"
#include "storage/media.h"
#include "tests/unit/index_store.h"

#define S   GW_SECOND
#define T   TEST_START_US
#define DAY (86400 * S)
#define NOW (T + 90 * DAY)

static void put_file(const char *path)
{
    assert_int_equal(gw_media_write(store, path, (const uint8_t *)"x", 1), 0);
}

static bool file_there(const char *path)
{
    char full[PATH_MAX];
    snprintf(full, sizeof(full), "%s/%s", store, path);
    return access(full, F_OK) == 0;
}

static struct gw_clip add_clip(const char *camera, int64_t start_us, enum gw_fact_kind kind)
{
    char path[GW_MEDIA_PATH_SIZE];
    struct gw_clip clip = make_clip(camera, start_us, start_us + 60 * S);
    assert_int_equal(commit_clip(kind, &clip), 0);
    put_file(gw_clip_path(path, &clip));
    return clip;
}

static struct gw_event add_event(const char *camera, int64_t start_us, enum gw_fact_kind kind)
{
    char path[GW_MEDIA_PATH_SIZE];
    struct gw_event event = make_event(camera, start_us, start_us + 3 * S);
    assert_int_equal(commit_event(kind, &event), 0);
    put_file(gw_event_snapshot_path(path, &event));
    put_file(gw_event_thumbnail_path(path, &event));
    return event;
}

static int delete_one(enum gw_noun noun, const struct gw_id *id)
{
    const struct gw_victim victim = {noun, *id};
    return gw_index_delete(idx, &victim, 1, GW_DELETED_EXPIRED, NOW, NULL);
}

static int collect_all(void)
{
    char after[GW_MEDIA_PATH_SIZE] = "";
    int failed = 0, got, all = 0;
    while ((got = gw_garbage_collect(idx, store, after, NOW, &failed)) > 0)
        all += got;
    assert_int_equal(got, 0);
    assert_int_equal(failed, 0);
    return all;
}

static void a_deleted_clip_is_garbage_before_its_file_is_gone(void **state)
{
    char path[GW_MEDIA_PATH_SIZE];
    struct gw_clip_row row;
    struct gw_clip clip = add_clip("gate", T, GW_FACT_CLIP_CLOSED);
    gw_clip_path(path, &clip);
    assert_int_equal(delete_one(GW_NOUN_CLIP, &clip.id), 1);
    assert_int_equal(gw_index_clip(idx, &clip.id, &row), GW_ERROR_NOT_FOUND);
    assert_true(file_there(path));
    assert_int_equal(gw_garbage_count(idx), 1);
    assert_int_equal(collect_all(), 1);
    assert_false(file_there(path));
    assert_int_equal(gw_garbage_count(idx), 0);
}

static void an_event_takes_its_pictures_along(void **state)
{
    char snapshot[GW_MEDIA_PATH_SIZE], thumbnail[GW_MEDIA_PATH_SIZE];
    struct gw_event event = add_event("gate", T, GW_FACT_EVENT_CLOSED);
    assert_int_equal(delete_one(GW_NOUN_EVENT, &event.id), 1);
    assert_int_equal(collect_all(), 2);
    assert_false(file_there(gw_event_snapshot_path(snapshot, &event)));
    assert_false(file_there(gw_event_thumbnail_path(thumbnail, &event)));
}

// --- facts ---------------------------------------------------------------------------------------

struct told {
    int count;
    struct gw_fact last;
    char topic[160];
};

static int note_fact(void *opaque, const struct gw_committed_fact *fact)
{
    struct told *told = opaque;
    json_t *json = json_pack("{s:s, s:I, s:o}", "kind", fact->kind, "wall_us",
                             (json_int_t)fact->wall_us, "data", json_loads(fact->data, 0, NULL));
    assert_int_equal(gw_fact_from_json(json, &told->last), 0);
    json_decref(json);
    snprintf(told->topic, sizeof(told->topic), "%s", fact->topic);
    told->count++;
    return 0;
}

static void every_deletion_is_a_fact(void **state)
{
    struct told told = {0};
    struct gw_camera camera = make_camera("gate", "640323101", "004");
    assert_true(gw_index_put_camera(idx, &camera) >= 0);
    struct gw_clip clip = add_clip("gate", T, GW_FACT_CLIP_CLOSED);
    int64_t head = gw_index_head(idx);
    assert_int_equal(delete_one(GW_NOUN_CLIP, &clip.id), 1);
    assert_int_equal(gw_index_facts(idx, (uint64_t)head, 100, note_fact, &told), 1);
    assert_int_equal(told.last.kind, GW_FACT_CLIP_DELETED);
    assert_true(told.last.wall_us == NOW);
    assert_true(gw_id_equal(&told.last.deletion.id, &clip.id));
    assert_true(told.last.deletion.start_us == T);
    assert_int_equal(told.last.deletion.reason, GW_DELETED_EXPIRED);
    assert_string_equal(told.topic, "event/640323101004/gate");
}

static void what_is_not_there_is_not_told_of(void **state)
{
    struct gw_clip clip = add_clip("gate", T, GW_FACT_CLIP_CLOSED);
    assert_int_equal(delete_one(GW_NOUN_CLIP, &clip.id), 1);
    int64_t head = gw_index_head(idx);
    assert_int_equal(delete_one(GW_NOUN_CLIP, &clip.id), 0);
    assert_int_equal(gw_index_head(idx), head);
}

// --- what stays ----------------------------------------------------------------------------------

static void the_unfinished_is_never_deleted(void **state)
{
    struct gw_clip clip = add_clip("gate", T, GW_FACT_CLIP_OPENED);
    struct gw_event event = add_event("gate", T, GW_FACT_EVENT_OPENED);
    assert_int_equal(delete_one(GW_NOUN_CLIP, &clip.id), 0);
    assert_int_equal(delete_one(GW_NOUN_EVENT, &event.id), 0);
}

static struct gw_hold hold_gate(void)
{
    struct gw_hold hold = {.case_name = "2026-117",
                           .reason = "theft",
                           .author = "chen",
                           .created_us = T,
                           .until_us = NOW + DAY,
                           .camera = "gate",
                           .from_us = GW_NO_TIME,
                           .to_us = GW_NO_TIME};
    assert_int_equal(gw_index_add_hold(idx, &hold), 0);
    return hold;
}

static void what_is_held_is_not_deleted_until_the_hold_ends(void **state)
{
    struct gw_clip clip = add_clip("gate", T, GW_FACT_CLIP_CLOSED),
                   other = add_clip("road", T, GW_FACT_CLIP_CLOSED);
    struct gw_event event = add_event("gate", T, GW_FACT_EVENT_CLOSED);
    struct gw_hold hold = hold_gate();
    assert_int_equal(delete_one(GW_NOUN_CLIP, &clip.id), 0);
    assert_int_equal(delete_one(GW_NOUN_EVENT, &event.id), 0);
    assert_int_equal(delete_one(GW_NOUN_CLIP, &other.id), 1);
    assert_int_equal(gw_index_remove_hold(idx, hold.id, "li", "closed", NOW), 0);
    assert_int_equal(delete_one(GW_NOUN_CLIP, &clip.id), 1);
    assert_int_equal(delete_one(GW_NOUN_EVENT, &event.id), 1);
}

static void a_hold_that_has_run_out_holds_nothing(void **state)
{
    struct gw_clip clip = add_clip("gate", T, GW_FACT_CLIP_CLOSED);
    const struct gw_victim victim = {GW_NOUN_CLIP, clip.id};
    hold_gate();
    assert_int_equal(gw_index_delete(idx, &victim, 1, GW_DELETED_ROOM, NOW + DAY - 1, NULL), 0);
    assert_int_equal(gw_index_delete(idx, &victim, 1, GW_DELETED_ROOM, NOW + DAY, NULL), 1);
}

// --- files ---------------------------------------------------------------------------------------

static void an_empty_day_goes_unless_it_may_be_written_to(void **state)
{
    char old_path[GW_MEDIA_PATH_SIZE], new_path[GW_MEDIA_PATH_SIZE];
    struct gw_clip old = add_clip("gate", T, GW_FACT_CLIP_CLOSED),
                   young = add_clip("gate", NOW - DAY, GW_FACT_CLIP_CLOSED);
    assert_int_equal(delete_one(GW_NOUN_CLIP, &old.id), 1);
    assert_int_equal(delete_one(GW_NOUN_CLIP, &young.id), 1);
    collect_all();
    *strrchr(gw_clip_path(old_path, &old), '/') = 0;
    *strrchr(gw_clip_path(new_path, &young), '/') = 0;
    assert_false(file_there(old_path));
    assert_true(file_there(new_path));
}

static void a_day_with_other_files_stays(void **state)
{
    char path[GW_MEDIA_PATH_SIZE];
    struct gw_clip a = add_clip("gate", T, GW_FACT_CLIP_CLOSED),
                   b = add_clip("gate", T + 60 * S, GW_FACT_CLIP_CLOSED);
    assert_int_equal(delete_one(GW_NOUN_CLIP, &a.id), 1);
    collect_all();
    assert_true(file_there(gw_clip_path(path, &b)));
}

static void what_cannot_be_unlinked_stays_garbage(void **state)
{
    char path[GW_MEDIA_PATH_SIZE], full[PATH_MAX], after[GW_MEDIA_PATH_SIZE] = "";
    int failed = 0;
    struct gw_clip clip = add_clip("gate", T, GW_FACT_CLIP_CLOSED);
    snprintf(full, sizeof(full), "%s/%s", store, gw_clip_path(path, &clip));
    assert_int_equal(unlink(full), 0);
    assert_int_equal(mkdir(full, 0700), 0); // unlink() refuses a folder, also root's
    assert_int_equal(delete_one(GW_NOUN_CLIP, &clip.id), 1);
    assert_int_equal(gw_garbage_collect(idx, store, after, NOW, &failed), 1);
    assert_int_equal(failed, 1);
    assert_int_equal(gw_garbage_collect(idx, store, after, NOW, &failed), 0);
    assert_int_equal(gw_garbage_count(idx), 1);
    assert_int_equal(rmdir(full), 0);
    assert_int_equal(collect_all(), 1);
    assert_int_equal(gw_garbage_count(idx), 0);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)
    const struct CMUnitTest tests[] = {
        FACT(a_deleted_clip_is_garbage_before_its_file_is_gone),
        FACT(an_event_takes_its_pictures_along),
        FACT(every_deletion_is_a_fact),
        FACT(what_is_not_there_is_not_told_of),
        FACT(the_unfinished_is_never_deleted),
        FACT(what_is_held_is_not_deleted_until_the_hold_ends),
        FACT(a_hold_that_has_run_out_holds_nothing),
        FACT(an_empty_day_goes_unless_it_may_be_written_to),
        FACT(a_day_with_other_files_stays),
        FACT(what_cannot_be_unlinked_stays_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
