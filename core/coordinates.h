// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Coordinate systems that positions come in, and the way to WGS-84, in which all are kept.
//
// CGCS2000 is WGS-84 to a few centimetres, which is less than anybody knows where a camera hangs.
// GCJ-02 is what maps published in China show: WGS-84 moved by up to 700 m, in each place by
// another amount. Its transform was never published by its makers. The constants here (axis and
// eccentricity of Krasovsky's ellipsoid of 1940, the origin 105 E 35 N, the sums of sines) became
// known in 2010 through programs that had it built in, and all open implementations use them; the
// points in tests/unit/test_coordinates.c are those that these publish. BD-09 is a further shift
// for which only approximations are known, so it is not taken.
#pragma once

#include <stdbool.h>

enum gw_coordinate_system {
    GW_COORDINATES_WGS84,
    GW_COORDINATES_CGCS2000,
    GW_COORDINATES_GCJ02,
    GW_COORDINATES_BD09,
};

// The words that people use for them, Chinese ones too ("GCJ-02", "高德", "CGCS2000", …), whatever
// their case. Returns -1 when it is none.
int gw_coordinates_from_name(const char *name);

// Whether GCJ-02 differs from WGS-84 there: the box that its programs draw around China.
bool gw_gcj02_applies(double lon, double lat);

// Degrees, in place. Outside the box nothing changes.
void gw_gcj02_from_wgs84(double *lon, double *lat);
// The reverse, to less than a millimetre.
void gw_wgs84_from_gcj02(double *lon, double *lat);
