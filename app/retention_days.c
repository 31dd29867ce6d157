// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/retention_days.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct camera_days {
    char camera[GW_CAMERA_ID_SIZE];
    int days;
};

struct gw_retention_days {
    struct camera_days *cameras; // by id; only those with days of their own
    int count, fewest;
    bool read;
    int64_t version; // of the index, when they were read
};

struct gw_retention_days *gw_retention_days_create(void)
{
    struct gw_retention_days *days = calloc(1, sizeof(*days));
    if (!days)
        abort();
    return days;
}

void gw_retention_days_destroy(struct gw_retention_days **days)
{
    if (*days)
        free((*days)->cameras);
    free(*days);
    *days = NULL;
}

// Cameras come by id.
static void take_rows(struct gw_retention_days *days, const struct gw_camera_row *rows, int count)
{
    struct camera_days *cameras = calloc((size_t)count + 1, sizeof(*cameras));
    int kept = 0, fewest = 0;

    if (!cameras)
        abort();
    for (int i = 0; i < count; i++) {
        const struct gw_camera *camera = &rows[i].camera;
        if (camera->retention_days <= 0)
            continue;
        snprintf(cameras[kept].camera, sizeof(cameras[kept].camera), "%s", camera->id);
        cameras[kept++].days = camera->retention_days;
        if (!fewest || camera->retention_days < fewest)
            fewest = camera->retention_days;
    }
    free(days->cameras);
    days->cameras = cameras;
    days->count = kept;
    days->fewest = fewest;
}

int gw_retention_days_read(struct gw_retention_days *days, struct gw_index *index)
{
    struct gw_camera_row *rows;
    const int64_t version = gw_index_version(index);

    if (days->read && version == days->version)
        return 0;
    const int count = gw_index_cameras(index, &rows);
    if (count < 0)
        return count;
    take_rows(days, rows, count);
    free(rows);
    days->read = true;
    days->version = version;
    return 0;
}

static int compare(const void *key, const void *camera)
{
    return strcmp(key, ((const struct camera_days *)camera)->camera);
}

int gw_retention_days_of(const struct gw_retention_days *days, const char *camera)
{
    const struct camera_days *found =
        days->count ? bsearch(camera, days->cameras, (size_t)days->count, sizeof(*found), compare)
                    : NULL;
    return found ? found->days : 0;
}

int gw_retention_days_fewest(const struct gw_retention_days *days)
{
    return days->fewest;
}
