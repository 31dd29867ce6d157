// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Cameras and what is known of their state.

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

#define CAMERA_COLUMNS                                                                             \
    "id, name, division, grid, record_url, username, password, record, enabled, lon, lat, "        \
    "detect_url"
#define STATE_COLUMNS                                                                              \
    "status, reason, since_us, frame_rate, bit_rate, key_age_us, reconnects, clock_offset_us"
#define CAMERA_QUERY                                                                               \
    "SELECT " CAMERA_COLUMNS ", " STATE_COLUMNS                                                    \
    " FROM camera LEFT JOIN camera_state ON camera_state.camera = camera.id"

int64_t gw_index_version(struct gw_index *index)
{
    int64_t version = 0;
    sqlite3_stmt *statement = gw_index_statement(index, "PRAGMA data_version");
    if (!statement)
        return GW_ERROR_INDEX;
    int result = gw_index_integer(index, statement, &version);
    return result < 0 ? result : version;
}

// --- rows ----------------------------------------------------------------------------------------

// The columns of camera_state from this one on; all are NULL for a camera never heard of.
static int read_state(struct gw_index *index, sqlite3_stmt *statement, int column,
                      struct gw_camera_state *ret)
{
    const char *name = (const char *)sqlite3_column_text(statement, column);
    int status = name ? gw_camera_status_from_name(name) : GW_CAMERA_OFFLINE;
    if (status < 0) {
        snprintf(index->error, sizeof(index->error),
                 "a row of table camera_state has an unknown status");
        return GW_ERROR_INDEX;
    }
    ret->status = (enum gw_camera_status)status;
    gw_index_column_text(statement, column + 1, ret->reason, sizeof(ret->reason));
    ret->since_us = gw_index_column_known(statement, column + 2, GW_NO_TIME);
    ret->signs.frame_rate = sqlite3_column_double(statement, column + 3);
    ret->signs.bit_rate = sqlite3_column_double(statement, column + 4);
    ret->signs.key_age_us = gw_index_column_known(statement, column + 5, -1);
    ret->signs.reconnects = (uint64_t)sqlite3_column_int64(statement, column + 6);
    ret->signs.clock_offset_us = gw_index_column_known(statement, column + 7, GW_NO_TIME);
    return 0;
}

static int read_camera(struct gw_index *index, sqlite3_stmt *statement, struct gw_camera_row *ret)
{
    struct gw_camera *camera = &ret->camera;
    struct gw_camera_state *state = &ret->state;
    int record = gw_record_mode_from_name((const char *)sqlite3_column_text(statement, 7));
    if (record < 0) {
        snprintf(index->error, sizeof(index->error),
                 "a row of table camera has an unknown record mode");
        return GW_ERROR_INDEX;
    }
    *ret = (struct gw_camera_row){0};
    gw_index_column_text(statement, 0, camera->id, sizeof(camera->id));
    gw_index_column_text(statement, 1, camera->name, sizeof(camera->name));
    gw_index_column_text(statement, 2, camera->division, sizeof(camera->division));
    gw_index_column_text(statement, 3, camera->grid, sizeof(camera->grid));
    gw_index_column_text(statement, 4, camera->record_url, sizeof(camera->record_url));
    gw_index_column_text(statement, 5, camera->username, sizeof(camera->username));
    gw_index_column_text(statement, 6, camera->password, sizeof(camera->password));
    camera->record = (enum gw_record_mode)record;
    camera->enabled = sqlite3_column_int(statement, 8);
    camera->lon = gw_index_column_degrees(statement, 9);
    camera->lat = gw_index_column_degrees(statement, 10);
    gw_index_column_text(statement, 11, camera->detect_url, sizeof(camera->detect_url));

    gw_index_column_text(statement, 0, state->camera, sizeof(state->camera));
    return read_state(index, statement, 12, state);
}

int gw_index_camera(struct gw_index *index, const char *id, struct gw_camera_row *ret)
{
    sqlite3_stmt *statement = gw_index_statement(index, CAMERA_QUERY " WHERE id = ?1");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, id);
    int result = gw_index_step(index, statement);
    if (result == 1)
        result = read_camera(index, statement, ret);
    else if (result == 0)
        result = GW_ERROR_NOT_FOUND;
    gw_index_reset(statement);
    return result;
}

int gw_index_cameras(struct gw_index *index, struct gw_camera_row **ret_rows)
{
    sqlite3_stmt *statement = gw_index_statement(index, CAMERA_QUERY " ORDER BY id");
    if (!statement)
        return GW_ERROR_INDEX;
    struct gw_camera_row *rows = NULL;
    int count = 0, result;
    while ((result = gw_index_step(index, statement)) == 1) {
        if (count % 256 == 0) {
            rows = realloc(rows, ((size_t)count + 256) * sizeof(*rows));
            if (!rows)
                abort();
        }
        result = read_camera(index, statement, &rows[count]);
        if (result < 0)
            break;
        count++;
    }
    gw_index_reset(statement);
    if (result < 0) {
        free(rows);
        return result;
    }
    *ret_rows = rows;
    return count;
}

// --- changes -------------------------------------------------------------------------------------

static int write_camera(struct gw_index *index, const struct gw_camera *camera)
{
    sqlite3_stmt *statement = gw_index_statement(
        index,
        "INSERT INTO camera (" CAMERA_COLUMNS ")"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, division = excluded.division,"
        " grid = excluded.grid, record_url = excluded.record_url, username = excluded.username,"
        " password = excluded.password, record = excluded.record, enabled = excluded.enabled,"
        " lon = excluded.lon, lat = excluded.lat, detect_url = excluded.detect_url");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, camera->id);
    gw_index_bind_text(statement, 2, camera->name);
    gw_index_bind_text(statement, 3, camera->division);
    gw_index_bind_text(statement, 4, camera->grid);
    gw_index_bind_text(statement, 5, camera->record_url);
    gw_index_bind_text(statement, 6, camera->username);
    gw_index_bind_text(statement, 7, camera->password);
    gw_index_bind_text(statement, 8, gw_record_mode_name(camera->record));
    sqlite3_bind_int(statement, 9, camera->enabled);
    gw_index_bind_degrees(statement, 10, camera->lon);
    gw_index_bind_degrees(statement, 11, camera->lat);
    gw_index_bind_text(statement, 12, camera->detect_url);
    return gw_index_run(index, statement);
}

int gw_index_write_camera_state(struct gw_index *index, const struct gw_camera_state *state)
{
    sqlite3_stmt *statement = gw_index_statement(
        index,
        "INSERT INTO camera_state (camera, status, reason, since_us, frame_rate, bit_rate,"
        " key_age_us, reconnects, clock_offset_us)"
        " SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM camera WHERE id = ?1"
        " ON CONFLICT (camera) DO UPDATE SET status = excluded.status, reason = excluded.reason,"
        " since_us = excluded.since_us, frame_rate = excluded.frame_rate,"
        " bit_rate = excluded.bit_rate, key_age_us = excluded.key_age_us,"
        " reconnects = excluded.reconnects, clock_offset_us = excluded.clock_offset_us");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, state->camera);
    gw_index_bind_text(statement, 2, gw_camera_status_name(state->status));
    gw_index_bind_text(statement, 3, state->reason);
    sqlite3_bind_int64(statement, 4, state->since_us);
    sqlite3_bind_double(statement, 5, state->signs.frame_rate);
    sqlite3_bind_double(statement, 6, state->signs.bit_rate);
    gw_index_bind_known(statement, 7, state->signs.key_age_us, -1);
    sqlite3_bind_int64(statement, 8, (int64_t)state->signs.reconnects);
    gw_index_bind_known(statement, 9, state->signs.clock_offset_us, GW_NO_TIME);
    return gw_index_run(index, statement);
}

struct put {
    struct gw_index *index;
    const struct gw_camera *camera;
};

static int put_camera(void *opaque)
{
    const struct put *put = opaque;
    struct gw_camera_row row;
    int found = gw_index_camera(put->index, put->camera->id, &row);
    if (found < 0 && found != GW_ERROR_NOT_FOUND)
        return found;
    int result = write_camera(put->index, put->camera);
    if (!result)
        result = gw_index_place_camera(put->index, put->camera, gw_wall_us());
    return result < 0 ? result : found == GW_ERROR_NOT_FOUND;
}

int gw_index_put_camera(struct gw_index *index, const struct gw_camera *camera)
{
    assert(index->mode != GW_INDEX_READ);
    struct put put = {index, camera};
    return gw_index_transaction(index, put_camera, &put);
}

int gw_index_remove_camera(struct gw_index *index, const char *id)
{
    assert(index->mode != GW_INDEX_READ);
    sqlite3_stmt *statement = gw_index_statement(index, "DELETE FROM camera WHERE id = ?1");
    if (!statement)
        return GW_ERROR_INDEX;
    gw_index_bind_text(statement, 1, id);
    int result = gw_index_run(index, statement);
    if (result < 0)
        return result;
    return sqlite3_changes(index->db) ? 0 : GW_ERROR_NOT_FOUND;
}
