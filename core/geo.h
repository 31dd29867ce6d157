// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Points and areas on the globe, WGS-84 degrees. Pure; any thread.
#pragma once

#include <stdbool.h>

#include "core/camera.h"

struct gw_point {
    double lon, lat;
};

// Great-circle distance in metres, haversine on a sphere of the Earth's mean radius (6371008.8 m,
// IUGG); wrong by at most 0.6 %.
double gw_geo_distance_m(struct gw_point a, struct gw_point b);

// Whether their latitudes alone show that they are further apart than that: much sooner told than
// the distance, and true of most points of a county.
bool gw_geo_too_far_m(struct gw_point a, struct gw_point b, double most_m);

// Where b lies as seen from a: degrees clockwise from north, 0 to < 360.
double gw_geo_bearing_deg(struct gw_point a, struct gw_point b);

// Whether a point lies in a polygon, by the even-odd rule; edges are straight in degrees, the last
// point joins the first. A polygon wider than half the globe in longitude crosses the date line.
bool gw_geo_in_polygon(const struct gw_point *polygon, int count, struct gw_point point);

// A box from west eastwards to east; west > east crosses the date line. Its edges belong to it.
struct gw_geo_box {
    double west, south, east, north;
};
bool gw_geo_in_box(const struct gw_geo_box *box, struct gw_point point);

// Whether a camera at a place could see a point: within its range, and within its field of view
// (all round when that is not known). Walls and hills are not known. Never when its position or its
// range is not known.
bool gw_geo_sees(struct gw_point camera, const struct gw_view *view, struct gw_point point);
