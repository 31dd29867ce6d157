// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Invariants 1 to 7: the database by itself, and what its rows say of each other.

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/fsck_internal.h"

// --- 1: the database is whole --------------------------------------------------------------------

// The first complaint of SQLite's own check; "" for none. Prepared anew: a kept statement would
// keep what it saw.
static int check_database(struct gw_fsck *fsck, char complaint[GW_FSCK_TEXT_SIZE])
{
    sqlite3_stmt *statement = NULL;
    const char *sql = fsck->config->deep ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)";

    complaint[0] = 0;
    if (sqlite3_prepare_v2(fsck->index->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return gw_index_fail(fsck->index);
    const int result = sqlite3_step(statement);
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    if (result != SQLITE_ROW)
        snprintf(complaint, GW_FSCK_TEXT_SIZE, "%s", sqlite3_errmsg(fsck->index->db));
    else if (text && strcmp(text, "ok") != 0)
        snprintf(complaint, GW_FSCK_TEXT_SIZE, "%s", text);
    sqlite3_finalize(statement);
    for (char *at = complaint; *at; at++)
        if (*at == '\n')
            *at = ' ';
    return 0;
}

static int look_at_database(struct gw_fsck *fsck)
{
    gw_fsck_suspect(fsck, &(struct gw_suspect){0}); // to be judged once
    return 0;
}

static int judge_database(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                          char what[GW_FSCK_TEXT_SIZE])
{
    char complaint[GW_FSCK_TEXT_SIZE];
    const int result = check_database(fsck, complaint);

    if (result < 0 || !*complaint)
        return result;
    snprintf(what, GW_FSCK_TEXT_SIZE, "index.db is damaged: %.400s", complaint);
    return 1;
}

static int repair_database(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    char complaint[GW_FSCK_TEXT_SIZE];

    if (sqlite3_exec(fsck->index->db, "REINDEX", NULL, NULL, NULL) != SQLITE_OK)
        return gw_index_fail(fsck->index);
    const int result = check_database(fsck, complaint);
    if (result || !*complaint)
        return result;
    snprintf(fsck->index->error, sizeof(fsck->index->error),
             "tables are damaged, too; make the index again from journal and files");
    return GW_ERROR_INDEX;
}

// --- 2: nobody else reads it ---------------------------------------------------------------------

static const char *const private_files[] = {"index.db",   "index.db-wal",   "index.db-shm",
                                            "console.db", "console.db-wal", "reserve"};

static int judge_mode(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                      char what[GW_FSCK_TEXT_SIZE])
{
    char path[PATH_MAX];
    struct stat file;

    if (stat(gw_fsck_path(fsck, suspect->path, path), &file) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!(file.st_mode & 077))
        return 0;
    snprintf(what, GW_FSCK_TEXT_SIZE, "%s can be read by others (mode %03o)", suspect->path,
             (unsigned)file.st_mode & 0777);
    return 1;
}

static int suspect_mode(struct gw_fsck *fsck, const char *below)
{
    char what[GW_FSCK_TEXT_SIZE];
    struct gw_suspect suspect = {0};
    snprintf(suspect.path, sizeof(suspect.path), "%s", below);
    const int result = judge_mode(fsck, &suspect, what);
    if (result == 1)
        gw_fsck_suspect(fsck, &suspect);
    return result < 0 ? result : 0;
}

static int look_at_modes(struct gw_fsck *fsck)
{
    char below[96], name[GW_JOURNAL_NAME_SIZE];
    uint64_t *firsts = NULL;
    int result = 0;

    for (size_t i = 0; !result && i < sizeof(private_files) / sizeof(private_files[0]); i++)
        result = suspect_mode(fsck, private_files[i]);
    const int count = gw_journal_list(fsck->config->store, &firsts);
    for (int i = 0; !result && i < count; i++) {
        snprintf(below, sizeof(below), GW_JOURNAL_FOLDER "/%s",
                 gw_journal_file_name(name, firsts[i]));
        result = suspect_mode(fsck, below);
    }
    free(firsts);
    return count < 0 ? count : result;
}

static int repair_mode(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    char path[PATH_MAX];
    return chmod(gw_fsck_path(fsck, suspect->path, path), 0600) < 0 ? -errno : 0;
}

// --- 3: tallies ----------------------------------------------------------------------------------

#define DAY_OF_ROW "(start_us + (SELECT value FROM meta WHERE key = 'day_offset_us')) / 86400000000"
#define COUNTED                                                                                    \
    "SELECT " DAY_OF_ROW " AS day, place, kind AS what, count(*) AS count FROM event"              \
    " GROUP BY 1, 2, 3 UNION ALL SELECT " DAY_OF_ROW ", place, 'clip', count(*) FROM clip"         \
    " GROUP BY 1, 2 UNION ALL SELECT " DAY_OF_ROW                                                  \
    ", place, 'gap', count(*) FROM gap GROUP BY 1, 2"
#define DIFFERENT                                                                                  \
    "SELECT count(*) FROM (SELECT day, place, what, count FROM tally EXCEPT"                       \
    " SELECT * FROM (" COUNTED "))"
#define MISSING                                                                                    \
    "SELECT count(*) FROM (SELECT * FROM (" COUNTED ") EXCEPT"                                     \
    " SELECT day, place, what, count FROM tally)"

static int judge_tally(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                       char what[GW_FSCK_TEXT_SIZE])
{
    static const char sql[] = "SELECT (" DIFFERENT ") + (" MISSING ")";
    int64_t count = 0;
    sqlite3_stmt *statement = gw_index_statement(fsck->index, sql);
    if (!statement)
        return GW_ERROR_INDEX;
    const int result = gw_index_integer(fsck->index, statement, &count);
    if (result < 0 || !count)
        return result < 0 ? result : 0;
    snprintf(what, GW_FSCK_TEXT_SIZE, "%" PRId64 " counts of table tally are not those of the rows",
             count);
    return 1;
}

static int count_again(void *opaque)
{
    static const char clear[] = "DELETE FROM tally",
                      fill[] = "INSERT INTO tally (day, place, what, count) " COUNTED;
    struct gw_fsck *fsck = opaque;
    const int result = gw_fsck_execute(fsck, clear, NULL);
    return result ? result : gw_fsck_execute(fsck, fill, NULL);
}

static int repair_tally(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    return gw_index_transaction(fsck->index, count_again, fsck);
}

// --- 4: the longest rows -------------------------------------------------------------------------

static const struct {
    const char *key, *longest, *raise;
} lengths[] = {
    [GW_NOUN_EVENT] = {"longest_event_us",
                       "SELECT max(end_us - start_us) - (SELECT value FROM meta WHERE key ="
                       " 'longest_event_us') FROM event WHERE state <> 'open'",
                       "UPDATE meta SET value = (SELECT max(end_us - start_us) FROM event WHERE"
                       " state <> 'open') WHERE key = 'longest_event_us'"},
    [GW_NOUN_CLIP] = {"longest_clip_us",
                      "SELECT max(end_us - start_us) - (SELECT value FROM meta WHERE key ="
                      " 'longest_clip_us') FROM clip WHERE state <> 'recording'",
                      "UPDATE meta SET value = (SELECT max(end_us - start_us) FROM clip WHERE"
                      " state <> 'recording') WHERE key = 'longest_clip_us'"},
    [GW_NOUN_GAP] = {"longest_gap_us",
                     "SELECT max(end_us - start_us) - (SELECT value FROM meta WHERE key ="
                     " 'longest_gap_us') FROM gap WHERE state <> 'open'",
                     "UPDATE meta SET value = (SELECT max(end_us - start_us) FROM gap WHERE"
                     " state <> 'open') WHERE key = 'longest_gap_us'"},
};

static int look_at_lengths(struct gw_fsck *fsck)
{
    for (int noun = GW_NOUN_EVENT; noun <= GW_NOUN_GAP; noun++)
        gw_fsck_suspect(fsck, &(struct gw_suspect){.noun = (enum gw_noun)noun});
    return 0;
}

static int judge_length(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                        char what[GW_FSCK_TEXT_SIZE])
{
    int64_t beyond_us = 0;
    sqlite3_stmt *statement = gw_index_statement(fsck->index, lengths[suspect->noun].longest);
    if (!statement)
        return GW_ERROR_INDEX;
    const int result = gw_index_integer(fsck->index, statement, &beyond_us);
    if (result < 0 || beyond_us <= 0)
        return result < 0 ? result : 0;
    snprintf(what, GW_FSCK_TEXT_SIZE, "a row is %" PRId64 " us longer than meta.%s says", beyond_us,
             lengths[suspect->noun].key);
    return 1;
}

static int repair_length(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    return gw_fsck_execute(fsck, lengths[suspect->noun].raise, NULL);
}

// --- 5: places -----------------------------------------------------------------------------------

static const char *const table_names[] = {
    [GW_NOUN_EVENT] = "event", [GW_NOUN_CLIP] = "clip", [GW_NOUN_GAP] = "gap"};

#define PLACELESS(table)                                                                           \
    "SELECT id FROM " table " AS row WHERE NOT EXISTS (SELECT 1 FROM place WHERE place.number = "  \
    "row.place AND place.camera = row.camera)"

static const char *const placeless[] = {[GW_NOUN_EVENT] = PLACELESS("event"),
                                        [GW_NOUN_CLIP] = PLACELESS("clip"),
                                        [GW_NOUN_GAP] = PLACELESS("gap")};
static const char *const placeless_one[] = {
    [GW_NOUN_EVENT] = "SELECT camera FROM event WHERE id = ?1 AND id IN (" PLACELESS("event") ")",
    [GW_NOUN_CLIP] = "SELECT camera FROM clip WHERE id = ?1 AND id IN (" PLACELESS("clip") ")",
    [GW_NOUN_GAP] = "SELECT camera FROM gap WHERE id = ?1 AND id IN (" PLACELESS("gap") ")"};

static int look_at_places(struct gw_fsck *fsck)
{
    int result = 0;
    for (int noun = GW_NOUN_EVENT; !result && noun <= GW_NOUN_GAP; noun++)
        result = gw_fsck_suspect_rows(fsck, (enum gw_noun)noun, placeless[noun]);
    return result;
}

// The camera of a row without a place. Returns 1, 0 when it has one, or an error.
static int find_placeless(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                          char camera[GW_CAMERA_ID_SIZE])
{
    sqlite3_stmt *statement = gw_index_statement(fsck->index, placeless_one[suspect->noun]);
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_id(statement, 1, &suspect->id);
    const int result = gw_index_step(fsck->index, statement);
    if (result == 1)
        gw_index_column_text(statement, 0, camera, GW_CAMERA_ID_SIZE);
    gw_index_reset(statement);
    return result;
}

static int judge_place(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                       char what[GW_FSCK_TEXT_SIZE])
{
    char camera[GW_CAMERA_ID_SIZE], id[GW_ID_TEXT_SIZE];
    const int result = find_placeless(fsck, suspect, camera);

    if (result == 1)
        snprintf(what, GW_FSCK_TEXT_SIZE, "%s %s of camera %s has no place of it",
                 table_names[suspect->noun], gw_id_format(id, &suspect->id), camera);
    return result;
}

struct placing {
    struct gw_fsck *fsck;
    const struct gw_suspect *suspect;
};

static int place_row(void *opaque)
{
    static const char *const sql[] = {[GW_NOUN_EVENT] = "UPDATE event SET place = ?2 WHERE id = ?1",
                                      [GW_NOUN_CLIP] = "UPDATE clip SET place = ?2 WHERE id = ?1",
                                      [GW_NOUN_GAP] = "UPDATE gap SET place = ?2 WHERE id = ?1"};
    const struct placing *placing = opaque;
    struct gw_index *index = placing->fsck->index;
    char camera[GW_CAMERA_ID_SIZE];
    struct gw_place place;

    int result = find_placeless(placing->fsck, placing->suspect, camera);
    if (result != 1)
        return result;
    result = gw_index_find_place(index, camera, &place);
    sqlite3_stmt *statement = gw_index_statement(index, sql[placing->suspect->noun]);
    if (result || !statement)
        return result ? result : GW_ERROR_INDEX;
    gw_index_bind_id(statement, 1, &placing->suspect->id);
    sqlite3_bind_int64(statement, 2, place.number);
    result = gw_index_run(index, statement);
    if (!result)
        result = gw_fsck_tell_row(placing->fsck, placing->suspect);
    return result ? result : count_again(placing->fsck);
}

static int repair_place(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    struct placing placing = {fsck, suspect};
    return gw_index_transaction(fsck->index, place_row, &placing);
}

// --- 6: gaps -------------------------------------------------------------------------------------

// A gap that reaches over the beginning of the next one of its camera.
#define NEXT_GAP                                                                                   \
    "(SELECT min(start_us) FROM gap AS next WHERE next.camera = gap.camera AND"                    \
    " (next.start_us, next.id) > (gap.start_us, gap.id))"
#define REACHES_OVER "(state = 'open' OR end_us > " NEXT_GAP ") AND " NEXT_GAP " IS NOT NULL"

static int look_at_gaps(struct gw_fsck *fsck)
{
    static const char sql[] = "SELECT id FROM gap WHERE " REACHES_OVER;
    return gw_fsck_suspect_rows(fsck, GW_NOUN_GAP, sql);
}

static int judge_gap(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                     char what[GW_FSCK_TEXT_SIZE])
{
    static const char sql[] = "SELECT camera FROM gap WHERE id = ?1 AND " REACHES_OVER;
    char camera[GW_CAMERA_ID_SIZE], id[GW_ID_TEXT_SIZE];
    sqlite3_stmt *statement = gw_index_statement(fsck->index, sql);
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_id(statement, 1, &suspect->id);
    const int result = gw_index_step(fsck->index, statement);
    if (result == 1)
        gw_index_column_text(statement, 0, camera, sizeof(camera));
    gw_index_reset(statement);
    if (result == 1)
        snprintf(what, GW_FSCK_TEXT_SIZE, "gap %s of camera %s reaches over the next one",
                 gw_id_format(id, &suspect->id), camera);
    return result;
}

static int repair_gap(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    static const char sql[] =
        "UPDATE gap SET state = 'closed', end_us = " NEXT_GAP " WHERE id = ?1";
    return gw_fsck_change_row(fsck, suspect, sql);
}

// --- 7: events and clips do not end before they begin --------------------------------------------

static int look_at_ends(struct gw_fsck *fsck)
{
    static const char events[] = "SELECT id FROM event WHERE end_us < start_us",
                      clips[] = "SELECT id FROM clip WHERE end_us < start_us";
    const int result = gw_fsck_suspect_rows(fsck, GW_NOUN_EVENT, events);
    return result ? result : gw_fsck_suspect_rows(fsck, GW_NOUN_CLIP, clips);
}

static int judge_end(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                     char what[GW_FSCK_TEXT_SIZE])
{
    char id[GW_ID_TEXT_SIZE];
    struct gw_event_row event = {0};
    struct gw_clip_row clip = {0};
    const bool is_event = suspect->noun == GW_NOUN_EVENT;
    const int result = is_event ? gw_index_event(fsck->index, &suspect->id, &event)
                                : gw_index_clip(fsck->index, &suspect->id, &clip);

    if (gw_fsck_is_nonsense(fsck, result))
        return 0;
    if (result)
        return result == GW_ERROR_NOT_FOUND ? 0 : result;
    if (is_event ? event.event.end_us >= event.event.start_us
                 : clip.clip.end_us >= clip.clip.start_us)
        return 0;
    snprintf(what, GW_FSCK_TEXT_SIZE, "%s %s ends before it begins", table_names[suspect->noun],
             gw_id_format(id, &suspect->id));
    return 1;
}

static int repair_end(struct gw_fsck *fsck, const struct gw_suspect *suspect)
{
    static const char event[] = "UPDATE event SET end_us = start_us WHERE id = ?1",
                      clip[] = "UPDATE clip SET end_us = start_us WHERE id = ?1";
    return gw_fsck_change_row(fsck, suspect, suspect->noun == GW_NOUN_EVENT ? event : clip);
}

const struct gw_fsck_check gw_fsck_index_checks[] = {
    {1, "the database", "its indexes are made again", look_at_database, judge_database,
     repair_database},
    {2, "who may read", "its mode becomes 600", look_at_modes, judge_mode, repair_mode},
    {3, "tallies", "they are counted again", look_at_database, judge_tally, repair_tally},
    {4, "the longest rows", "meta gets the length of the longest row", look_at_lengths,
     judge_length, repair_length},
    {5, "places", "it gets the newest place of its camera", look_at_places, judge_place,
     repair_place},
    {6, "gaps", "it ends where the next one begins", look_at_gaps, judge_gap, repair_gap},
    {7, "beginnings and ends", "it ends when it begins", look_at_ends, judge_end, repair_end},
};
const int gw_fsck_index_check_count =
    sizeof(gw_fsck_index_checks) / sizeof(gw_fsck_index_checks[0]);
