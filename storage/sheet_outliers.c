// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/sheet_outliers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/geo.h"

enum { TOWNSHIP = 9, VILLAGE = 12, OTHERS = 5 };
#define NEAR_M           2000.0 // less is never odd
#define SPREADS          8.0
#define MAD_TO_DEVIATION 1.4826 // of a normal distribution
#define MOST_TIMES       1.5 // as far as three quarters of them lie: a village may have two hamlets

// Cameras of one division and how they lie.
struct group {
    const struct gw_sheet_point *first;
    int count, digits; // of the division that they share
    double lon, lat;   // their middle
    double limit_m;    // farther from there is odd
};

struct groups {
    struct group *items;
    int count;
};

// --- the middle and the spread -------------------------------------------------------------------

static int compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *numbers, int count)
{
    qsort(numbers, (size_t)count, sizeof(*numbers), compare_numbers);
    return count % 2 ? numbers[count / 2] : (numbers[count / 2 - 1] + numbers[count / 2]) / 2;
}

static double distance_m(const struct group *group, double lon, double lat)
{
    return gw_geo_distance_m((struct gw_point){group->lon, group->lat},
                             (struct gw_point){lon, lat});
}

static void measure(struct group *group)
{
    double *numbers = calloc((size_t)group->count, sizeof(*numbers));

    if (!numbers)
        abort();
    for (int i = 0; i < group->count; i++)
        numbers[i] = group->first[i].lon;
    group->lon = median(numbers, group->count);
    for (int i = 0; i < group->count; i++)
        numbers[i] = group->first[i].lat;
    group->lat = median(numbers, group->count);
    for (int i = 0; i < group->count; i++)
        numbers[i] = distance_m(group, group->first[i].lon, group->first[i].lat);
    const double usual_m = median(numbers, group->count); // sorted now
    const double most_m = numbers[group->count * 3 / 4];
    for (int i = 0; i < group->count; i++)
        numbers[i] = fabs(numbers[i] - usual_m);
    const double spread_m = MAD_TO_DEVIATION * median(numbers, group->count);
    group->limit_m = fmax(fmax(NEAR_M, usual_m + SPREADS * spread_m), MOST_TIMES * most_m);
    free(numbers);
}

// --- groups --------------------------------------------------------------------------------------

static int compare_divisions(const void *a, const void *b)
{
    return strcmp(((const struct gw_sheet_point *)a)->division,
                  ((const struct gw_sheet_point *)b)->division);
}

// The groups of all divisions of so many digits, in order. Those with fewer digits are in none.
static void add_groups(struct groups *groups, const struct gw_sheet_point *cameras, int count,
                       size_t digits)
{
    for (int i = 0, next; i < count; i = next) {
        next = i + 1;
        if (strlen(cameras[i].division) < digits)
            continue;
        while (next < count && !strncmp(cameras[next].division, cameras[i].division, digits))
            next++;
        struct group group = {.first = &cameras[i], .count = next - i, .digits = (int)digits};
        if (group.count <= OTHERS)
            continue;
        measure(&group);
        groups->items[groups->count++] = group;
    }
}

static bool is_of(const struct gw_sheet_point *camera, const struct group *group)
{
    return !strncmp(camera->division, group->first->division, (size_t)group->digits);
}

// --- what is odd ---------------------------------------------------------------------------------

// Another village or township that the place would be right in.
static const struct group *find_fitting(const struct groups *groups, const struct group *own,
                                        const struct gw_sheet_point *camera)
{
    for (int i = 0; i < groups->count; i++) {
        const struct group *other = &groups->items[i];
        if (other->digits == own->digits && other != own &&
            distance_m(other, camera->lon, camera->lat) <= fmin(other->limit_m, NEAR_M))
            return other;
    }
    return NULL;
}

static void explain(char ret[GW_OUTLIER_WHAT_SIZE], const struct groups *groups,
                    const struct group *group, const struct gw_sheet_point *camera)
{
    const struct group *other = find_fitting(groups, group, camera);
    char why[100] = "check its position and its division";

    if (fabs(camera->lon) <= 90 && distance_m(group, camera->lat, camera->lon) <= group->limit_m)
        snprintf(why, sizeof(why), "lon and lat look swapped");
    else if (other)
        snprintf(why, sizeof(why), "it lies among those of %.*s; is its division right?",
                 other->digits, other->first->division);
    else if (distance_m(group, camera->lon, group->lat) <= group->limit_m)
        snprintf(why, sizeof(why), "lon fits and lat does not; check the digits of lat");
    else if (distance_m(group, group->lon, camera->lat) <= group->limit_m)
        snprintf(why, sizeof(why), "lat fits and lon does not; check the digits of lon");
    snprintf(ret, GW_OUTLIER_WHAT_SIZE, "this is %.1f km from the other cameras of %.*s; %s",
             distance_m(group, camera->lon, camera->lat) / 1000, group->digits,
             group->first->division, why);
}

// Villages come first, so a camera is held against its township only when its village is too small.
static const struct group *find_group(const struct groups *groups,
                                      const struct gw_sheet_point *camera)
{
    for (int i = 0; i < groups->count; i++)
        if (is_of(camera, &groups->items[i]))
            return &groups->items[i];
    return NULL;
}

static int compare_tags(const void *a, const void *b)
{
    const int x = (*(const struct gw_sheet_point *const *)a)->tag;
    const int y = (*(const struct gw_sheet_point *const *)b)->tag;
    return (x > y) - (x < y);
}

static int list_outliers(const struct gw_sheet_point **ret, const struct groups *groups,
                         const struct gw_sheet_point *cameras, int count)
{
    int found = 0;

    for (int i = 0; i < count; i++) {
        const struct group *group = find_group(groups, &cameras[i]);
        if (group && distance_m(group, cameras[i].lon, cameras[i].lat) > group->limit_m)
            ret[found++] = &cameras[i];
    }
    qsort(ret, (size_t)found, sizeof(*ret), compare_tags);
    return found;
}

void gw_sheet_find_outliers(struct gw_sheet_point *cameras, int count, void *opaque,
                            void (*callback)(void *opaque, const struct gw_sheet_point *outlier,
                                             const char *what))
{
    struct groups groups = {.items = calloc(2 * (size_t)count + 1, sizeof(*groups.items))};
    const struct gw_sheet_point **outliers = calloc((size_t)count + 1, sizeof(*outliers));
    char what[GW_OUTLIER_WHAT_SIZE];

    if (!groups.items || !outliers)
        abort();
    qsort(cameras, (size_t)count, sizeof(*cameras), compare_divisions);
    add_groups(&groups, cameras, count, VILLAGE);
    add_groups(&groups, cameras, count, TOWNSHIP);
    const int found = list_outliers(outliers, &groups, cameras, count);
    for (int i = 0; i < found; i++) {
        explain(what, &groups, find_group(&groups, outliers[i]), outliers[i]);
        callback(opaque, outliers[i], what);
    }
    free(outliers);
    free(groups.items);
}
