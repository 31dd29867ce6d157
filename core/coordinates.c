// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/coordinates.h"

#include <math.h>
#include <strings.h>

#include "core/names.h"

#define RADIANS (M_PI / 180)
// Krasovsky 1940: semi-major axis in metres, and the square of the first eccentricity.
#define AXIS_M       6378245.0
#define ECCENTRICITY 0.00669342162296594323
#define ORIGIN_LON   105.0
#define ORIGIN_LAT   35.0

static const struct {
    const char *name;
    enum gw_coordinate_system system;
} names[] = {
    {"WGS-84", GW_COORDINATES_WGS84},
    {"WGS84", GW_COORDINATES_WGS84},
    {"EPSG:4326", GW_COORDINATES_WGS84},
    {"CGCS2000", GW_COORDINATES_CGCS2000},
    {"CGCS-2000", GW_COORDINATES_CGCS2000},
    {"EPSG:4490", GW_COORDINATES_CGCS2000},
    {"国家2000", GW_COORDINATES_CGCS2000},
    {"大地2000", GW_COORDINATES_CGCS2000},
    {"国家大地2000", GW_COORDINATES_CGCS2000},
    {"2000国家大地坐标系", GW_COORDINATES_CGCS2000},
    {"GCJ-02", GW_COORDINATES_GCJ02},
    {"GCJ02", GW_COORDINATES_GCJ02},
    {"火星坐标", GW_COORDINATES_GCJ02},
    {"火星坐标系", GW_COORDINATES_GCJ02},
    {"国测局", GW_COORDINATES_GCJ02},
    {"高德", GW_COORDINATES_GCJ02},
    {"腾讯", GW_COORDINATES_GCJ02},
    {"BD-09", GW_COORDINATES_BD09},
    {"BD09", GW_COORDINATES_BD09},
    {"BD09LL", GW_COORDINATES_BD09},
    {"BD09MC", GW_COORDINATES_BD09},
    {"百度", GW_COORDINATES_BD09},
    {"百度坐标", GW_COORDINATES_BD09},
    {"百度坐标系", GW_COORDINATES_BD09},
};

int gw_coordinates_from_name(const char *name)
{
    for (int i = 0; i < GW_COUNT(names); i++)
        if (!strcasecmp(names[i].name, name))
            return (int)names[i].system;
    return -1;
}

bool gw_gcj02_applies(double lon, double lat)
{
    return lon >= 72.004 && lon <= 137.8347 && lat >= 0.8293 && lat <= 55.8271;
}

// Both shifts begin with the same ripple along the longitude.
static double ripple_m(double x)
{
    return (20 * sin(6 * x * M_PI) + 20 * sin(2 * x * M_PI)) * 2 / 3;
}

static double shift_north_m(double x, double y)
{
    return -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(fabs(x)) + ripple_m(x) +
           (20 * sin(y * M_PI) + 40 * sin(y / 3 * M_PI)) * 2 / 3 +
           (160 * sin(y / 12 * M_PI) + 320 * sin(y / 30 * M_PI)) * 2 / 3;
}

static double shift_east_m(double x, double y)
{
    return 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(fabs(x)) + ripple_m(x) +
           (20 * sin(x * M_PI) + 40 * sin(x / 3 * M_PI)) * 2 / 3 +
           (150 * sin(x / 12 * M_PI) + 300 * sin(x / 30 * M_PI)) * 2 / 3;
}

// How far GCJ-02 moves a point of WGS-84, in degrees.
static void find_shift(double lon, double lat, double *ret_lon, double *ret_lat)
{
    const double x = lon - ORIGIN_LON, y = lat - ORIGIN_LAT, sine = sin(lat * RADIANS);
    const double bulge = 1 - ECCENTRICITY * sine * sine, root = sqrt(bulge);
    const double meridian_m = AXIS_M * (1 - ECCENTRICITY) / (bulge * root); // radii of curvature
    const double parallel_m = AXIS_M / root * cos(lat * RADIANS);

    *ret_lon = shift_east_m(x, y) / (parallel_m * RADIANS);
    *ret_lat = shift_north_m(x, y) / (meridian_m * RADIANS);
}

void gw_gcj02_from_wgs84(double *lon, double *lat)
{
    double east, north;

    if (!gw_gcj02_applies(*lon, *lat))
        return;
    find_shift(*lon, *lat, &east, &north);
    *lon += east;
    *lat += north;
}

// The shift changes by less than 2 % of the way from one point to another, so each round of going
// back by the shift found at the last guess leaves less than 2 % of the error; six are plenty for
// 700 m, and more than ten are never needed.
void gw_wgs84_from_gcj02(double *lon, double *lat)
{
    const double limit_degrees = 1e-9; // a tenth of a millimetre
    double guess_lon = *lon, guess_lat = *lat, step = 1;

    if (!gw_gcj02_applies(*lon, *lat))
        return;
    for (int i = 0; i < 10 && step > limit_degrees; i++) {
        double east, north;
        find_shift(guess_lon, guess_lat, &east, &north);
        step = fabs(*lon - east - guess_lon) + fabs(*lat - north - guess_lat);
        guess_lon = *lon - east;
        guess_lat = *lat - north;
    }
    *lon = guess_lon;
    *lat = guess_lat;
}
