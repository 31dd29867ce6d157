// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/camera_url.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

// What an id may hold stays; any run of other characters becomes one dash, at the ends none.
static void make_id(char ret[GW_CAMERA_ID_SIZE], const char *text)
{
    size_t used = 0;
    for (; *text && used + 1 < GW_CAMERA_ID_SIZE; text++) {
        bool plain = isalnum((unsigned char)*text) || strchr("._", *text);
        if (plain && (used || *text != '.'))
            ret[used++] = *text;
        else if (!plain && used && ret[used - 1] != '-')
            ret[used++] = '-';
    }
    while (used && ret[used - 1] == '-')
        used--;
    ret[used] = 0;
}

int gw_camera_from_url(struct gw_camera *ret, const char *url)
{
    struct gw_camera camera = {.record = GW_RECORD_EVENTS, .enabled = true, .lon = NAN, .lat = NAN};

    if (gw_url_split(url, camera.record_url, camera.username, camera.password) < 0)
        return GW_ERROR_INVALID;
    make_id(camera.id, strstr(camera.record_url, "://") + 3);
    if (!gw_camera_id_valid(camera.id))
        return GW_ERROR_INVALID;
    snprintf(camera.name, sizeof(camera.name), "%s", camera.id);
    *ret = camera;
    return 0;
}

// --- its place in the registry -------------------------------------------------------------------

// The same URL again is the same camera; only what was given changes.
static void keep_registered(struct gw_camera *camera, const struct gw_camera *registered)
{
    struct gw_camera merged = *registered;
    if (*camera->username || *camera->password) {
        memcpy(merged.username, camera->username, sizeof(merged.username));
        memcpy(merged.password, camera->password, sizeof(merged.password));
    }
    *camera = merged;
}

static const struct gw_camera *find_url(const struct gw_camera_row *rows, int count,
                                        const char *url)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(rows[i].camera.record_url, url))
            return &rows[i].camera;
    return NULL;
}

static const struct gw_camera *find_id(const struct gw_camera_row *rows, int count, const char *id)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(rows[i].camera.id, id))
            return &rows[i].camera;
    return NULL;
}

static void make_unique(struct gw_camera *camera, const struct gw_camera_row *rows, int count)
{
    char stem[GW_CAMERA_ID_SIZE];
    snprintf(stem, sizeof(stem), "%s", camera->id);
    for (int n = 2; find_id(rows, count, camera->id); n++)
        snprintf(camera->id, sizeof(camera->id), "%.50s-%d", stem, n);
    snprintf(camera->name, sizeof(camera->name), "%s", camera->id);
}

int gw_camera_find_place(struct gw_camera *camera, const char *id,
                         const struct gw_camera_row *registered, int count)
{
    const struct gw_camera *same =
        id ? find_id(registered, count, id) : find_url(registered, count, camera->record_url);

    if (same && strcmp(same->record_url, camera->record_url))
        return GW_ERROR_INVALID;
    if (same)
        keep_registered(camera, same);
    else if (id)
        snprintf(camera->name, sizeof(camera->name), "%s", strcpy(camera->id, id));
    else
        make_unique(camera, registered, count);
    return 0;
}

// --- registering ---------------------------------------------------------------------------------

struct registration {
    struct gw_index *index;
    const struct gw_camera *cameras;
    int count;
};

static int register_camera(struct gw_index *index, struct gw_camera camera)
{
    struct gw_camera_row *rows;
    int count = gw_index_cameras(index, &rows);

    if (count < 0)
        return count;
    int result = gw_camera_find_place(&camera, NULL, rows, count);
    free(rows);
    camera.enabled = true;
    return result < 0 ? result : gw_index_put_camera(index, &camera);
}

static int register_all(void *opaque)
{
    const struct registration *registration = opaque;
    int result = 0;

    for (int i = 0; result >= 0 && i < registration->count; i++)
        result = register_camera(registration->index, registration->cameras[i]);
    return result;
}

int gw_camera_register(struct gw_index *index, const struct gw_camera *cameras, int count)
{
    struct registration registration = {index, cameras, count};

    return count ? gw_index_transaction(index, register_all, &registration) : 0;
}
