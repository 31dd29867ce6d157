// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/registration.h"

#include <stdbool.h>
#include <string.h>

#include "core/names.h"

enum { COUNTY = 6, TYPE = 10, TYPE_DIGITS = 3, DIGITS = 20 };

static const char *const site_classes[] = {"", "class-1", "class-2", "class-3"};

// Of GB/T 28181-2016 and -2022, appendix on codes: cameras, and what gives the pictures of cameras
// that have no code of their own.
static const char *const picture_types[] = {
    "111", // DVR
    "112", // video server
    "113", // encoder
    "118", // NVR
    "119", // hybrid recorder, since 2022
    "130", // hybrid recorder, 2016
    "131", // camera
    "132", // IP camera
};

static bool gives_pictures(const char *type)
{
    for (int i = 0; i < GW_COUNT(picture_types); i++)
        if (!strncmp(picture_types[i], type, TYPE_DIGITS))
            return true;
    return false;
}

// Of the county code with which text begins, the digits that say something: "640300" is a
// prefecture and names 4.
static size_t significant(const char *text)
{
    size_t digits = COUNTY;
    while (digits > 2 && !strncmp(text + digits - 2, "00", 2))
        digits -= 2;
    return digits;
}

static bool same_county(const char *id, const char *division)
{
    const size_t a = significant(id), b = significant(division);
    return !strncmp(id, division, a < b ? a : b);
}

const char *gw_device_id_fault(const char *id, const char *division)
{
    if (!*id)
        return NULL;
    if (strlen(id) != DIGITS || strspn(id, "0123456789") != DIGITS)
        return "a device id has 20 digits (GB/T 28181)";
    if (*id == '0' || *id == '9')
        return "a device id begins with the code of its county (GB/T 2260)";
    if (*division && !same_county(id, division))
        return "the first 6 digits of the device id name another county than the division";
    if (!gives_pictures(id + TYPE))
        return "digits 11 to 13 of the device id are not the type of a camera; it is 131 or 132, "
               "of a recorder or encoder 111, 112, 113, 118, 119 or 130";
    return NULL;
}

const char *gw_site_class_name(enum gw_site_class site_class)
{
    return site_classes[site_class];
}

int gw_site_class_from_name(const char *name)
{
    return gw_find_name(site_classes, GW_COUNT(site_classes), name);
}
