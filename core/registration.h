// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the county's books say of a camera and no program needs to run it: who it is for others,
// whose it is, who mends it. Plain values, copied freely.
#pragma once

#define GW_DEVICE_ID_SIZE 21 // 20 digits
#define GW_UNIT_SIZE      128

// 监控点位类型 of GB/T 28181-2022: who built it, and for what.
enum gw_site_class {
    GW_SITE_CLASS_NONE,
    GW_SITE_CLASS_1, // 一类: public security's own, in key public places
    GW_SITE_CLASS_2, // 二类: of other authorities and key units, where the public goes
    GW_SITE_CLASS_3, // 三类: of companies and residents, connected on agreement
};

struct gw_registration {
    char device_id[GW_DEVICE_ID_SIZE]; // by GB/T 28181; "" without one
    enum gw_site_class site_class;
    char owner_unit[GW_UNIT_SIZE];       // UTF-8, one line; "" not known
    char maintenance_unit[GW_UNIT_SIZE]; // likewise
};

// What is wrong with a device id, in words for people; NULL when nothing is. Structure: 8 digits of
// the centre, of which the first 6 are its county and must be those of division (unless that is
// "", or one of the two names only the prefecture or province above), 2 of the line of business, 3
// of the type, which must be one that gives pictures, 1 of the network, 6 of the serial number. ""
// is fine.
const char *gw_device_id_fault(const char *id, const char *division);

const char *gw_site_class_name(enum gw_site_class site_class); // "", "class-1", "class-2", …
int gw_site_class_from_name(const char *name);                 // -1 when unknown
