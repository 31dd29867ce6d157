// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "tests/bench/index_county.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "storage/index_internal.h"

#define DAY_US   (INT64_C(86400) * GW_SECOND)
#define BASE_US  INT64_C(1780000000000000) // 2026-05-28
#define STEP     500000                    // rows in one transaction
#define TOWNS    8
#define VILLAGES 102
#define WEST     106.8 // of a county 70 km wide and 60 km high
#define SOUTH    37.4

const char *const county_question_names[] = {"polygon, one day", "circle, one month",
                                             "division, one hour", "covers, one week"};

uint64_t county_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

double county_fraction(uint64_t *state)
{
    return (double)(county_random(state) >> 11) / (double)(UINT64_C(1) << 53);
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "index bench: %s: %s\n", what, why);
    exit(1);
}

// --- cameras -------------------------------------------------------------------------------------

// Villages are scattered; cameras stand around the middle of theirs, some hundred metres apart.
void county_camera(const struct county *county, int i, struct gw_camera *ret)
{
    const int village = i % VILLAGES, town = village % TOWNS;
    uint64_t place = county->seed + 77 + (uint64_t)village, own = county->seed + 9999 + (uint64_t)i;

    for (int j = 0; j < 4; j++) { // neighbouring seeds give neighbouring numbers at first
        county_random(&place);
        county_random(&own);
    }
    *ret = (struct gw_camera){.enabled = true};
    snprintf(ret->id, sizeof(ret->id), "cam-%05d", i);
    snprintf(ret->name, sizeof(ret->name), "Camera %d of village %d", i, village);
    snprintf(ret->division, sizeof(ret->division), COUNTY_DIVISION "%03d%03d", 101 + town,
             201 + village);
    snprintf(ret->grid, sizeof(ret->grid), "%03d", i / VILLAGES % 19);
    snprintf(ret->record_url, sizeof(ret->record_url), "rtsp://192.0.2.1/%d", i);
    ret->lon = WEST + county_fraction(&place) * 0.79 + (county_fraction(&own) - 0.5) * 0.03;
    ret->lat = SOUTH + county_fraction(&place) * 0.54 + (county_fraction(&own) - 0.5) * 0.024;
    ret->view = (struct gw_view){.heading_deg = floor(county_fraction(&own) * 360),
                                 .fov_deg = i % 4 ? 90 : 0,
                                 .range_m = 60 + floor(county_fraction(&own) * 90),
                                 .height_m = 4};
}

static int put_cameras(void *opaque)
{
    const void *const *both = opaque;
    const struct county *county = both[0];
    struct gw_index *index = (struct gw_index *)both[1];
    struct gw_camera camera;
    int result = 0;

    for (int i = 0; result >= 0 && i < county->cameras; i++) {
        county_camera(county, i, &camera);
        result = gw_index_put_camera(index, &camera);
    }
    return result < 0 ? result : 0;
}

// --- rows ----------------------------------------------------------------------------------------

// Few cameras see much: the camera of a row is drawn from the square of a fraction.
static int pick_camera(const struct county *county, uint64_t *state)
{
    const double fraction = county_fraction(state);
    return (int)(fraction * fraction * county->cameras);
}

// A UUIDv7 of a moment, from the seeded generator.
static struct gw_id make_id(int64_t wall_us, uint64_t *state)
{
    struct gw_id id;
    const uint64_t high = county_random(state), low = county_random(state);
    const uint64_t ms = (uint64_t)(wall_us / 1000);

    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    for (int i = 0; i < 2; i++)
        id.bytes[6 + i] = (uint8_t)(high >> (8 * i));
    for (int i = 0; i < 8; i++)
        id.bytes[8 + i] = (uint8_t)(low >> (8 * i));
    id.bytes[6] = (id.bytes[6] & 0x0f) | 0x70;
    id.bytes[8] = (id.bytes[8] & 0x3f) | 0x80;
    return id;
}

static void check(struct gw_index *index, int result)
{
    if (result != SQLITE_OK && result != SQLITE_DONE)
        die("cannot make the county", sqlite3_errmsg(index->db));
}

static void run(struct gw_index *index, const char *sql)
{
    check(index, sqlite3_exec(index->db, sql, NULL, NULL, NULL));
}

static void put_events(struct gw_index *index, const struct county *county)
{
    uint64_t state = county->seed;
    const double step_us = (double)(county->last_us - county->first_us) / (double)county->events;
    sqlite3_stmt *insert = gw_index_statement(index, "INSERT INTO event (" GW_EVENT_COLUMNS
                                                     ") VALUES (" GW_EVENT_PARAMETERS ")");

    for (int64_t i = 0; i < county->events; i++) {
        const int camera = pick_camera(county, &state);
        char name[32];
        const int64_t start_us =
            county->first_us + (int64_t)((double)i * step_us + county_fraction(&state) * 1e6);
        const int64_t end_us = start_us + 2000000 + (int64_t)(county_fraction(&state) * 4e7);
        const struct gw_id id = make_id(start_us, &state);
        const uint64_t kind = county_random(&state) % 1000;
        snprintf(name, sizeof(name), "cam-%05d", camera);
        gw_index_bind_id(insert, 1, &id);
        gw_index_bind_text(insert, 2, name);
        gw_index_bind_text(insert, 3, "closed");
        sqlite3_bind_int64(insert, 4, start_us);
        sqlite3_bind_int64(insert, 5, end_us);
        sqlite3_bind_int(insert, 6, camera + 1);
        gw_index_bind_text(
            insert, 7,
            gw_event_kind_name(kind < 6 ? (enum gw_event_kind)(1 + kind) : GW_EVENT_MOTION));
        sqlite3_bind_int64(insert, 8, start_us + 300000);
        sqlite3_bind_double(insert, 9, round(county_fraction(&state) * 1e4) / 1e4);
        for (int j = 0; j < 4; j++)
            sqlite3_bind_double(insert, 10 + j, 0.25);
        gw_index_bind_text(insert, 14, i % 3 ? "[]" : "[\"gate\"]");
        sqlite3_bind_int64(insert, 15, start_us + 400000);
        sqlite3_bind_int(insert, 16, 0);
        sqlite3_bind_null(insert, 17);
        check(index, sqlite3_step(insert));
        gw_index_reset(insert);
        if (i % STEP == STEP - 1)
            run(index, "COMMIT; BEGIN");
    }
}

static void put_clips(struct gw_index *index, const struct county *county)
{
    uint64_t state = county->seed + 1;
    const double step_us = (double)(county->last_us - county->first_us) / (double)county->clips;
    sqlite3_stmt *insert = gw_index_statement(index, "INSERT INTO clip (" GW_CLIP_COLUMNS
                                                     ") VALUES (" GW_CLIP_PARAMETERS ")");

    for (int64_t i = 0; i < county->clips; i++) {
        const int camera = pick_camera(county, &state);
        char name[32];
        const int64_t start_us =
            county->first_us + (int64_t)((double)i * step_us + county_fraction(&state) * 1e6);
        const struct gw_id id = make_id(start_us, &state);
        snprintf(name, sizeof(name), "cam-%05d", camera);
        gw_index_bind_id(insert, 1, &id);
        gw_index_bind_text(insert, 2, name);
        gw_index_bind_text(insert, 3, "closed");
        sqlite3_bind_int64(insert, 4, start_us);
        sqlite3_bind_int64(insert, 5,
                           start_us + 12000000 + (int64_t)(county_fraction(&state) * 4.8e7));
        sqlite3_bind_int(insert, 6, camera + 1);
        sqlite3_bind_int64(insert, 7, 5000000 + (int64_t)(county_fraction(&state) * 2e7));
        sqlite3_bind_int(insert, 8, 800);
        gw_index_bind_text(insert, 9, "h264");
        sqlite3_bind_int(insert, 10, 1920);
        sqlite3_bind_int(insert, 11, 1080);
        sqlite3_bind_int(insert, 12, 0);
        sqlite3_bind_null(insert, 13);
        check(index, sqlite3_step(insert));
        gw_index_reset(insert);
        if (i % STEP == STEP - 1)
            run(index, "COMMIT; BEGIN");
    }
}

// Indexes are made again behind the rows, which is several times faster.
static void put_rows(struct gw_index *index, const struct county *county)
{
    sqlite3_stmt *statement;
    char *make[16], drop[128];
    int count = 0;

    check(index, sqlite3_prepare_v2(index->db,
                                    "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND"
                                    " sql IS NOT NULL AND tbl_name IN ('event', 'clip')",
                                    -1, &statement, NULL));
    char names[16][64];
    for (; sqlite3_step(statement) == SQLITE_ROW; count++) {
        gw_index_column_text(statement, 0, names[count], sizeof(names[count]));
        make[count] = strdup((const char *)sqlite3_column_text(statement, 1));
    }
    sqlite3_finalize(statement);
    for (int i = 0; i < count; i++) {
        snprintf(drop, sizeof(drop), "DROP INDEX %s", names[i]);
        run(index, drop);
    }
    run(index, "PRAGMA synchronous=OFF; BEGIN");
    put_events(index, county);
    put_clips(index, county);
    run(index, "COMMIT");
    for (int i = 0; i < count; i++) {
        run(index, make[i]);
        free(make[i]);
    }
    run(index,
        "DELETE FROM tally;"
        "INSERT INTO tally SELECT (start_us + (SELECT value FROM meta WHERE key = 'day_offset_us'))"
        " / 86400000000, place, kind, count(*) FROM event GROUP BY 1, 2, 3;"
        "INSERT INTO tally SELECT (start_us + (SELECT value FROM meta WHERE key = 'day_offset_us'))"
        " / 86400000000, place, 'clip', count(*) FROM clip GROUP BY 1, 2;"
        "UPDATE meta SET value = (SELECT max(end_us - start_us) FROM event)"
        " WHERE key = 'longest_event_us';"
        "UPDATE meta SET value = (SELECT max(end_us - start_us) FROM clip)"
        " WHERE key = 'longest_clip_us';"
        "PRAGMA wal_checkpoint(TRUNCATE)");
}

static int64_t count_rows(struct gw_index *index, const char *sql)
{
    int64_t count = 0;
    gw_index_integer(index, gw_index_statement(index, sql), &count);
    return count;
}

void county_make(struct county *county)
{
    char error[GW_INDEX_ERROR_SIZE];
    struct gw_index *index;

    county->first_us = BASE_US;
    county->last_us = BASE_US + COUNTY_DAYS * DAY_US;
    if (gw_index_open(&index, county->store, GW_INDEX_WRITE, COUNTY_DIVISION, error) < 0)
        die("cannot open the store", error);
    const int64_t events = count_rows(index, "SELECT sum(count) FROM tally WHERE what <> 'clip'");
    if (events >= county->events) {
        gw_index_close(&index);
        return;
    }
    if (events)
        die(county->store, "holds another county; remove it or name another folder");
    const void *both[] = {county, index};
    if (gw_index_transaction(index, put_cameras, both) < 0)
        die("cannot put cameras", gw_index_error(index));
    put_rows(index, county);
    gw_index_close(&index);
}

// --- questions -----------------------------------------------------------------------------------

// A point where cameras are.
static struct gw_point pick_point(const struct county *county, uint64_t *state)
{
    struct gw_camera camera;
    county_camera(county, (int)(county_random(state) % (uint64_t)county->cameras), &camera);
    return (struct gw_point){camera.lon, camera.lat};
}

static void set_time(const struct county *county, int64_t length_us, uint64_t *state,
                     struct gw_query *ret)
{
    const double room = (double)(county->last_us - county->first_us - length_us);
    ret->from_us = county->first_us + (int64_t)(county_fraction(state) * room);
    ret->to_us = ret->from_us + length_us;
}

void county_ask(const struct county *county, enum county_question question, uint64_t *state,
                struct gw_query *ret)
{
    const struct gw_point middle = pick_point(county, state);
    const double km = 1 + county_fraction(state) * 5;

    gw_query_init(ret);
    switch (question) {
    case POLYGON_DAY:
        set_time(county, DAY_US, state, ret);
        ret->polygon_count = 7;
        for (int i = 0; i < 7; i++) {
            const double reach = km / 111 * (0.6 + 0.4 * county_fraction(state));
            ret->polygon[i] = (struct gw_point){middle.lon + reach * cos(i * M_PI * 2 / 7) * 1.26,
                                                middle.lat + reach * sin(i * M_PI * 2 / 7)};
        }
        break;
    case CIRCLE_MONTH:
        set_time(county, 30 * DAY_US, state, ret);
        ret->near = true;
        ret->near_lon = middle.lon;
        ret->near_lat = middle.lat;
        ret->near_m = km * 1000;
        break;
    case DIVISION_HOUR: {
        const int village = (int)(county_random(state) % VILLAGES);
        set_time(county, DAY_US / 24, state, ret);
        snprintf(ret->division, sizeof(ret->division),
                 county_random(state) % 2 ? COUNTY_DIVISION "%03d" : COUNTY_DIVISION "%03d%03d",
                 101 + village % TOWNS, 201 + village);
        break;
    }
    case COVERS_WEEK:
        set_time(county, 7 * DAY_US, state, ret);
        ret->covers = true;
        ret->seen = (struct gw_point){middle.lon + (county_fraction(state) - 0.5) * 0.001,
                                      middle.lat + (county_fraction(state) - 0.5) * 0.0008};
        break;
    case QUESTION_COUNT: break;
    }
}

void county_event(const struct county *county, uint64_t *state, int64_t now_us,
                  struct gw_event *ret)
{
    *ret = (struct gw_event){.id = gw_id_make(now_us),
                             .start_us = now_us - 3000000,
                             .end_us = now_us,
                             .confirmed_us = now_us,
                             .score = 0.5,
                             .box = {0.25, 0.25, 0.25, 0.25},
                             .snapshot_us = now_us,
                             .clock_offset_us = GW_NO_TIME};
    snprintf(ret->camera, sizeof(ret->camera), "cam-%05d", pick_camera(county, state));
}
