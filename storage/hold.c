// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/hold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

#define COLUMNS                                                                                    \
    "id, case_name, reason, author, created_us, until_us, camera, division, from_us, to_us, "      \
    "removed_us, removed_by, removed_reason"

bool gw_hold_lasts(const struct gw_hold *hold, int64_t now_us)
{
    return hold->removed_us == GW_NO_TIME && now_us < hold->until_us;
}

static bool covers_place(const struct gw_hold *hold, const struct gw_place *place)
{
    char area[GW_HOLD_AREA_SIZE];
    if (!*hold->division || !place)
        return true;
    snprintf(area, sizeof(area), "%s%s", place->division, place->grid);
    return !strncmp(area, hold->division, strlen(hold->division));
}

bool gw_hold_covers(const struct gw_hold *hold, const char *camera, const struct gw_place *place,
                    int64_t start_us, int64_t end_us)
{
    if (*hold->camera && strcmp(hold->camera, camera) != 0)
        return false;
    if (hold->to_us != GW_NO_TIME && start_us >= hold->to_us)
        return false;
    if (hold->from_us != GW_NO_TIME && start_us < hold->from_us && end_us <= hold->from_us)
        return false;
    return covers_place(hold, place);
}

static bool makes_sense(const struct gw_hold *hold)
{
    const bool somewhere = *hold->camera || *hold->division || hold->from_us != GW_NO_TIME ||
                           hold->to_us != GW_NO_TIME;
    const bool some_time =
        hold->from_us == GW_NO_TIME || hold->to_us == GW_NO_TIME || hold->from_us < hold->to_us;
    return *hold->case_name && *hold->reason && *hold->author && somewhere && some_time &&
           hold->until_us > hold->created_us;
}

int gw_index_add_hold(struct gw_index *index, struct gw_hold *hold)
{
    if (!makes_sense(hold))
        return GW_ERROR_INVALID;
    sqlite3_stmt *statement = gw_index_statement(
        index, "INSERT INTO hold (case_name, reason, author, created_us, until_us, camera,"
               " division, from_us, to_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, hold->case_name);
    gw_index_bind_text(statement, 2, hold->reason);
    gw_index_bind_text(statement, 3, hold->author);
    sqlite3_bind_int64(statement, 4, hold->created_us);
    sqlite3_bind_int64(statement, 5, hold->until_us);
    gw_index_bind_text(statement, 6, hold->camera);
    gw_index_bind_text(statement, 7, hold->division);
    gw_index_bind_known(statement, 8, hold->from_us, GW_NO_TIME);
    gw_index_bind_known(statement, 9, hold->to_us, GW_NO_TIME);
    int result = gw_index_run(index, statement);
    if (!result)
        hold->id = sqlite3_last_insert_rowid(index->db);
    return result;
}

int gw_index_remove_hold(struct gw_index *index, int64_t id, const char *by, const char *reason,
                         int64_t now_us)
{
    if (!*by || !*reason)
        return GW_ERROR_INVALID;
    sqlite3_stmt *statement = gw_index_statement(
        index, "UPDATE hold SET removed_us = ?2, removed_by = ?3, removed_reason = ?4"
               " WHERE id = ?1 AND removed_us IS NULL");
    if (!statement)
        return GW_ERROR_INDEX;
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, now_us);
    gw_index_bind_text(statement, 3, by);
    gw_index_bind_text(statement, 4, reason);
    int result = gw_index_run(index, statement);
    if (result < 0)
        return result;
    return sqlite3_changes(index->db) ? 0 : GW_ERROR_NOT_FOUND;
}

static void read_hold(sqlite3_stmt *statement, struct gw_hold *ret)
{
    *ret = (struct gw_hold){.id = sqlite3_column_int64(statement, 0)};
    gw_index_column_text(statement, 1, ret->case_name, sizeof(ret->case_name));
    gw_index_column_text(statement, 2, ret->reason, sizeof(ret->reason));
    gw_index_column_text(statement, 3, ret->author, sizeof(ret->author));
    ret->created_us = sqlite3_column_int64(statement, 4);
    ret->until_us = sqlite3_column_int64(statement, 5);
    gw_index_column_text(statement, 6, ret->camera, sizeof(ret->camera));
    gw_index_column_text(statement, 7, ret->division, sizeof(ret->division));
    ret->from_us = gw_index_column_known(statement, 8, GW_NO_TIME);
    ret->to_us = gw_index_column_known(statement, 9, GW_NO_TIME);
    ret->removed_us = gw_index_column_known(statement, 10, GW_NO_TIME);
    gw_index_column_text(statement, 11, ret->removed_by, sizeof(ret->removed_by));
    gw_index_column_text(statement, 12, ret->removed_reason, sizeof(ret->removed_reason));
}

int gw_index_holds(struct gw_index *index, struct gw_hold **ret)
{
    struct gw_hold *holds = NULL;
    int count = 0, result;
    sqlite3_stmt *statement = gw_index_statement(index, "SELECT " COLUMNS " FROM hold ORDER BY id");

    if (!statement)
        return GW_ERROR_INDEX;
    while ((result = gw_index_step(index, statement)) == 1) {
        if (count % 16 == 0)
            holds = realloc(holds, (size_t)(count + 16) * sizeof(*holds));
        if (!holds)
            abort();
        read_hold(statement, &holds[count++]);
    }
    gw_index_reset(statement);
    if (result < 0) {
        free(holds);
        return result;
    }
    *ret = holds;
    return count;
}

// --- JSON ----------------------------------------------------------------------------------------

static void set_time(json_t *object, const char *key, const char *key_us, int64_t wall_us)
{
    char text[GW_RFC3339_SIZE];
    if (wall_us == GW_NO_TIME)
        return;
    json_object_set_new(object, key, json_string(gw_format_rfc3339(text, wall_us)));
    json_object_set_new(object, key_us, json_integer(wall_us));
}

json_t *gw_hold_to_json(const struct gw_hold *hold, int64_t now_us)
{
    json_t *json = json_object();

    json_object_set_new(json, "id", json_integer(hold->id));
    json_object_set_new(json, "case", json_string(hold->case_name));
    json_object_set_new(json, "reason", json_string(hold->reason));
    json_object_set_new(json, "author", json_string(hold->author));
    json_object_set_new(json, "lasts", json_boolean(gw_hold_lasts(hold, now_us)));
    set_time(json, "created", "created_us", hold->created_us);
    set_time(json, "until", "until_us", hold->until_us);
    if (*hold->camera)
        json_object_set_new(json, "camera", json_string(hold->camera));
    if (*hold->division)
        json_object_set_new(json, "division", json_string(hold->division));
    set_time(json, "from", "from_us", hold->from_us);
    set_time(json, "to", "to_us", hold->to_us);
    set_time(json, "removed", "removed_us", hold->removed_us);
    if (hold->removed_us != GW_NO_TIME) {
        json_object_set_new(json, "removed_by", json_string(hold->removed_by));
        json_object_set_new(json, "removed_reason", json_string(hold->removed_reason));
    }
    return json;
}
