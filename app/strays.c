// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/strays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/protocol.h"
#include "core/clock.h"

enum {
    MOST_ROWS = 4096, // unfinished rows looked at in one call
    STEP = 256,       // strays settled in one transaction or message
};

// --- events: closed by the hub, which has all that is known of them ------------------------------

static bool close_events(const struct gw_strays_config *config, const struct gw_event *events,
                         int count)
{
    struct gw_fact facts[STEP];

    for (int i = 0; i < count; i++) {
        facts[i] = (struct gw_fact){
            .kind = GW_FACT_EVENT_CLOSED, .wall_us = gw_wall_us(), .event = events[i]};
        facts[i].event.state = GW_EVENT_CLOSED;
        facts[i].event.interrupted = true;
    }
    return gw_ledger_record(config->ledger, facts, count);
}

static bool settle_events(const struct gw_strays_config *config)
{
    struct gw_event *rows = calloc(MOST_ROWS, sizeof(*rows));
    if (!rows)
        return false;
    int count = gw_index_unfinished_events(config->index, NULL, rows, MOST_ROWS), strays = 0;
    bool settled = count >= 0 && count < MOST_ROWS;

    for (int i = 0; i < count; i++)
        if (!gw_crew_has_open(config->crew, &rows[i].id))
            rows[strays++] = rows[i];
    for (int i = 0; settled && i < strays; i += STEP)
        settled = close_events(config, rows + i, strays - i < STEP ? strays - i : STEP);
    free(rows);
    return settled;
}

// --- clips: repaired by a worker, because that reads what came from a camera ---------------------

static struct gw_crew_member *find_present(struct gw_crew *crew)
{
    for (int i = 0; i < gw_crew_count(crew); i++)
        if (gw_crew_member(crew, i)->present)
            return gw_crew_member(crew, i);
    return NULL;
}

static bool repair_clips(const struct gw_strays_config *config, const struct gw_clip *clips,
                         int count)
{
    struct gw_crew_member *member = find_present(config->crew);

    if (!member ||
        gw_protocol_send(config->workers, &member->boot, gw_protocol_repair(clips, count)) < 0)
        return false;
    for (int i = 0; i < count; i++)
        gw_id_set_add(&member->open, &clips[i].id);
    return true;
}

static bool settle_clips(const struct gw_strays_config *config)
{
    struct gw_clip *rows = calloc(MOST_ROWS, sizeof(*rows));
    if (!rows)
        return false;
    int count = gw_index_unfinished_clips(config->index, NULL, rows, MOST_ROWS), strays = 0;
    bool settled = count >= 0 && count < MOST_ROWS;

    for (int i = 0; i < count; i++)
        if (!gw_crew_has_open(config->crew, &rows[i].id))
            rows[strays++] = rows[i];
    for (int i = 0; settled && i < strays; i += STEP)
        settled = repair_clips(config, rows + i, strays - i < STEP ? strays - i : STEP);
    free(rows);
    return settled;
}

// --- cameras: called offline by the hub ----------------------------------------------------------

// Of a camera that no worker has for that reason.
static enum gw_suspicion_phase find_suspicion(const struct gw_strays_config *config,
                                              const struct gw_camera *camera)
{
    const struct gw_assigned *assigned = gw_assignment_find(config->assignment, camera->id);
    return assigned && assigned->worker < 0 ? assigned->suspicion.phase : GW_SUSPICION_NONE;
}

static const char *find_reason(const struct gw_strays_config *config,
                               const struct gw_camera *camera)
{
    if (!camera->enabled)
        return "switched off in the registry";
    if (config->stopping)
        return "the site was stopped";
    switch (find_suspicion(config, camera)) {
    case GW_SUSPICION_NONE: break;
    case GW_SUSPICION_SUSPECT:
        return "its worker died again and again; its cameras are tried in turn to find out which "
               "one does it";
    case GW_SUSPICION_ISOLATED:
        return "its worker dies of what this camera sends; it is tried again ever more rarely, at "
               "last once an hour; update its firmware or change its encoding";
    }
    return "its worker ended; connecting again";
}

static struct gw_fact make_offline(const struct gw_strays_config *config,
                                   const struct gw_camera *camera)
{
    int64_t now_us = gw_wall_us();
    struct gw_fact fact = {
        .kind = GW_FACT_CAMERA_OFFLINE,
        .wall_us = now_us,
        .camera = {.status = GW_CAMERA_OFFLINE, .since_us = now_us, .signs = gw_camera_no_signs}};

    memcpy(fact.camera.camera, camera->id, sizeof(fact.camera.camera));
    snprintf(fact.camera.reason, sizeof(fact.camera.reason), "%s", find_reason(config, camera));
    return fact;
}

// Called online, and nobody is connected to it; or offline for another reason than that it is kept
// from the workers.
static bool is_stray(const struct gw_strays_config *config, const struct gw_camera_row *row)
{
    if (gw_camera_delivers(row->state.status))
        return !gw_assignment_online(config->assignment, row->camera.id);
    return row->camera.enabled && !config->stopping && find_suspicion(config, &row->camera) &&
           strncmp(row->state.reason, find_reason(config, &row->camera), GW_REASON_SIZE - 1) != 0;
}

static bool settle_cameras(const struct gw_strays_config *config)
{
    struct gw_camera_row *rows;
    struct gw_fact facts[STEP];
    int count = gw_index_cameras(config->index, &rows), strays = 0;
    bool settled = count >= 0;

    for (int i = 0; settled && i < count; i++) {
        if (!is_stray(config, &rows[i]))
            continue;
        facts[strays++] = make_offline(config, &rows[i].camera);
        if (strays < STEP)
            continue;
        settled = gw_ledger_record(config->ledger, facts, strays);
        strays = 0;
    }
    if (count >= 0)
        free(rows);
    return settled && gw_ledger_record(config->ledger, facts, strays);
}

// --- coverage: ends where a lost worker's did, or the registry says so ---------------------------

bool gw_strays_settle_coverage(struct gw_ledger *ledger, struct gw_crew *crew)
{
    struct gw_id *running = calloc((size_t)gw_crew_count(crew) + 1, sizeof(*running));
    int count = 0;

    if (!running)
        return false;
    for (int i = 0; i < gw_crew_count(crew); i++)
        if (gw_crew_member(crew, i)->present)
            running[count++] = gw_crew_member(crew, i)->boot;
    bool settled = gw_ledger_settle_coverage(ledger, running, count);
    free(running);
    return settled;
}

bool gw_strays_settle(const struct gw_strays_config *config)
{
    bool coverage = gw_strays_settle_coverage(config->ledger, config->crew);
    bool events = settle_events(config), clips = settle_clips(config);
    bool cameras = settle_cameras(config);
    return coverage && events && clips && cameras;
}
