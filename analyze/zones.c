// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/zones.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

// The default leaves motion.c's limits as they are.
static const double default_sensitivity = 0.5;

// Where in the file the reader is, for errors: "masks[0].polygon".
struct reader {
    const char *name; // of the file
    char *error;
};

__attribute__((format(printf, 2, 3))) static int refuse(const struct reader *reader,
                                                        const char *format, ...)
{
    char what[GW_ZONES_ERROR_SIZE / 2];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    snprintf(reader->error, GW_ZONES_ERROR_SIZE, "%.100s: %s", reader->name, what);
    return GW_ERROR_INVALID;
}

// Every key must be one of the few that exist there: a typing error is not a default.
static int check_keys(const struct reader *reader, const json_t *object, const char *where,
                      const char *const *known)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return refuse(reader, "%s must be an object {…}", where);
    json_object_foreach((json_t *)object, key, value)
    {
        int i = 0;
        while (known[i] && strcmp(known[i], key))
            i++;
        if (!known[i])
            return refuse(reader, "%s has an unknown key \"%.40s\"", where, key);
    }
    return 0;
}

static bool read_fraction(const json_t *json, double *ret)
{
    if (!json_is_number(json))
        return false;
    double value = json_number_value(json);
    if (!(value >= 0 && value <= 1))
        return false;
    *ret = value;
    return true;
}

static int read_polygon(const struct reader *reader, const json_t *owner, const char *where,
                        struct gw_polygon *ret)
{
    const json_t *points = json_object_get(owner, "polygon");
    size_t count = json_array_size(points);

    if (count < 3 || count > GW_POLYGON_POINTS)
        return refuse(reader, "%s.polygon must be a list of 3 to %d points [x, y]", where,
                      GW_POLYGON_POINTS);
    for (size_t i = 0; i < count; i++) {
        const json_t *point = json_array_get(points, i);
        if (json_array_size(point) != 2 || !read_fraction(json_array_get(point, 0), &ret->x[i]) ||
            !read_fraction(json_array_get(point, 1), &ret->y[i]))
            return refuse(reader, "%s.polygon[%zu] must be [x, y], each between 0 and 1", where, i);
    }
    ret->count = (int)count;
    return 0;
}

static int read_zone(const struct reader *reader, const json_t *json, const char *where,
                     struct gw_zone *ret)
{
    static const char *const known[] = {"name", "polygon", "sensitivity", "min_size", NULL};
    int error = check_keys(reader, json, where, known);
    if (error < 0)
        return error;

    const char *name = json_string_value(json_object_get(json, "name"));
    if (!name || !*name || strlen(name) >= GW_ZONE_NAME_SIZE)
        return refuse(reader, "%s.name must be a text of 1 to %d bytes", where,
                      GW_ZONE_NAME_SIZE - 1);
    strcpy(ret->name, name);

    const json_t *sensitivity = json_object_get(json, "sensitivity");
    ret->sensitivity = default_sensitivity;
    if (sensitivity && !read_fraction(sensitivity, &ret->sensitivity))
        return refuse(reader, "%s.sensitivity must be a number between 0 and 1", where);

    const json_t *min_size = json_object_get(json, "min_size");
    ret->min_size = 0;
    if (min_size && !read_fraction(min_size, &ret->min_size))
        return refuse(reader,
                      "%s.min_size must be a number between 0 and 1: the thing's longer side, as a "
                      "fraction of the picture's height",
                      where);
    return read_polygon(reader, json, where, &ret->polygon);
}

static int read_mask(const struct reader *reader, const json_t *json, const char *where,
                     struct gw_polygon *ret)
{
    static const char *const known[] = {"name", "polygon", NULL};
    int error = check_keys(reader, json, where, known);
    return error < 0 ? error : read_polygon(reader, json, where, ret);
}

// The list under key, which may be absent. Returns its length or an error.
static int list_length(const struct reader *reader, const json_t *root, const char *key, int limit)
{
    const json_t *list = json_object_get(root, key);

    if (list && !json_is_array(list))
        return refuse(reader, "%s must be a list […]", key);
    if (json_array_size(list) > (size_t)limit)
        return refuse(reader, "%s has more than %d entries", key, limit);
    return (int)json_array_size(list);
}

static int read_root(const struct reader *reader, const json_t *root, struct gw_zones *ret)
{
    static const char *const known[] = {"zones", "masks", NULL};
    char where[32];
    int error = check_keys(reader, root, "the file", known);

    if (error < 0)
        return error;
    ret->zone_count = list_length(reader, root, "zones", GW_EVENT_ZONES);
    if (ret->zone_count < 0)
        return ret->zone_count;
    ret->mask_count = list_length(reader, root, "masks", GW_MASKS);
    if (ret->mask_count < 0)
        return ret->mask_count;
    for (int i = 0; i < ret->zone_count && error == 0; i++) {
        snprintf(where, sizeof(where), "zones[%d]", i);
        error = read_zone(reader, json_array_get(json_object_get(root, "zones"), (size_t)i), where,
                          &ret->zones[i]);
    }
    for (int i = 0; i < ret->mask_count && error == 0; i++) {
        snprintf(where, sizeof(where), "masks[%d]", i);
        error = read_mask(reader, json_array_get(json_object_get(root, "masks"), (size_t)i), where,
                          &ret->masks[i]);
    }
    return error;
}

// An error is one line, whatever the file's keys are.
static void make_line(char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            *text = '?';
}

static int finish(struct gw_zones *ret, json_t *root, const json_error_t *json_error,
                  const char *name, char error[GW_ZONES_ERROR_SIZE])
{
    const struct reader reader = {name, error};
    struct gw_zones zones = {0};

    if (!root) {
        snprintf(error, GW_ZONES_ERROR_SIZE, "%.90s:%d:%d: %.130s", name, json_error->line,
                 json_error->column, json_error->text);
        make_line(error);
        return GW_ERROR_INVALID;
    }
    int result = read_root(&reader, root, &zones);
    json_decref(root);
    if (result == 0)
        *ret = zones;
    else
        make_line(error);
    return result;
}

int gw_zones_load(struct gw_zones *ret, const char *path, char error[GW_ZONES_ERROR_SIZE])
{
    json_error_t json_error;
    FILE *file = fopen(path, "re");

    if (!file) {
        int code = -errno;
        snprintf(error, GW_ZONES_ERROR_SIZE, "%.100s: %s", path, gw_strerror(code));
        return code;
    }
    json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, &json_error);
    fclose(file);
    return finish(ret, root, &json_error, path, error);
}

int gw_zones_parse(struct gw_zones *ret, const char *text, const char *name,
                   char error[GW_ZONES_ERROR_SIZE])
{
    json_error_t json_error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &json_error);

    return finish(ret, root, &json_error, name, error);
}

bool gw_polygon_contains(const struct gw_polygon *polygon, double x, double y)
{
    bool inside = false;

    for (int i = 0, j = polygon->count - 1; i < polygon->count; j = i++) {
        const double xi = polygon->x[i], yi = polygon->y[i];
        const double xj = polygon->x[j], yj = polygon->y[j];
        if ((yi > y) != (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi)
            inside = !inside;
    }
    return inside;
}

bool gw_zones_masked(const struct gw_zones *zones, double x, double y)
{
    for (int i = 0; i < zones->mask_count; i++)
        if (gw_polygon_contains(&zones->masks[i], x, y))
            return true;
    return false;
}
