// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/geo.h"

#include <math.h>

#define EARTH_RADIUS_M 6371008.8
#define RADIANS        (M_PI / 180)
// Of latitude; a little less than on the sphere above, so that rounding rules nothing out.
#define METRES_PER_DEGREE 111194.0

double gw_geo_distance_m(struct gw_point a, struct gw_point b)
{
    double half_lat = sin((b.lat - a.lat) * RADIANS / 2),
           half_lon = sin((b.lon - a.lon) * RADIANS / 2);
    double haversine =
        half_lat * half_lat + cos(a.lat * RADIANS) * cos(b.lat * RADIANS) * half_lon * half_lon;
    return 2 * EARTH_RADIUS_M * asin(fmin(1, sqrt(haversine)));
}

bool gw_geo_too_far_m(struct gw_point a, struct gw_point b, double most_m)
{
    return fabs(a.lat - b.lat) * METRES_PER_DEGREE > most_m;
}

double gw_geo_bearing_deg(struct gw_point a, struct gw_point b)
{
    double lon = (b.lon - a.lon) * RADIANS, lat_a = a.lat * RADIANS, lat_b = b.lat * RADIANS;
    double east = sin(lon) * cos(lat_b),
           north = cos(lat_a) * sin(lat_b) - sin(lat_a) * cos(lat_b) * cos(lon);
    double bearing = atan2(east, north) / RADIANS;
    return bearing < 0 ? bearing + 360 : bearing;
}

// Longitude as seen from a meridian: -180 to 180.
static double unwrap(double lon, double from)
{
    return from + remainder(lon - from, 360);
}

// Whether an edge from a to b goes past a latitude.
static bool passes(struct gw_point a, struct gw_point b, double lat)
{
    return (a.lat > lat) != (b.lat > lat);
}

// Most points of a county are north or south of all of it, which is told without a division.
static bool any_passes(const struct gw_point *polygon, int count, double lat)
{
    for (int i = 1; i < count; i++)
        if (passes(polygon[i - 1], polygon[i], lat))
            return true;
    return false;
}

bool gw_geo_in_polygon(const struct gw_point *polygon, int count, struct gw_point point)
{
    double west = 180, east = -180;
    bool inside = false;

    if (!any_passes(polygon, count, point.lat))
        return false;
    for (int i = 0; i < count; i++) {
        west = fmin(west, polygon[i].lon);
        east = fmax(east, polygon[i].lon);
    }
    const bool crosses = east - west > 180;
    const double x = crosses ? unwrap(point.lon, 180) : point.lon;
    for (int i = 0, j = count - 1; i < count; j = i++) {
        const struct gw_point a = polygon[i], b = polygon[j];
        const double a_lon = crosses ? unwrap(a.lon, 180) : a.lon,
                     b_lon = crosses ? unwrap(b.lon, 180) : b.lon;
        if (passes(a, b, point.lat) &&
            x < (b_lon - a_lon) * (point.lat - a.lat) / (b.lat - a.lat) + a_lon)
            inside = !inside;
    }
    return inside;
}

bool gw_geo_in_box(const struct gw_geo_box *box, struct gw_point point)
{
    if (!(point.lat >= box->south && point.lat <= box->north))
        return false;
    if (box->west <= box->east)
        return point.lon >= box->west && point.lon <= box->east;
    return point.lon >= box->west || point.lon <= box->east;
}

bool gw_geo_sees(struct gw_point camera, const struct gw_view *view, struct gw_point point)
{
    if (!isfinite(camera.lon) || !isfinite(camera.lat) || view->range_m <= 0 ||
        gw_geo_too_far_m(camera, point, view->range_m))
        return false;
    const double distance_m = gw_geo_distance_m(camera, point);
    if (!(distance_m <= view->range_m))
        return false;
    if (view->fov_deg <= 0 || view->fov_deg >= 360 || distance_m == 0)
        return true;
    const double off = remainder(gw_geo_bearing_deg(camera, point) - view->heading_deg, 360);
    return fabs(off) <= view->fov_deg / 2;
}
