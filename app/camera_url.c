// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/camera_url.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
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
