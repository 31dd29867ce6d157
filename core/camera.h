// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A camera as the registry knows it, and the state that ingest reports of it.
// Plain values, copied freely.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "core/level.h"
#include "core/registration.h"
#include "core/url.h"

#define GW_CAMERA_ID_SIZE   64
#define GW_CAMERA_NAME_SIZE 128
#define GW_DIVISION_SIZE    16
#define GW_GRID_SIZE        16
#define GW_REASON_SIZE      160
#define GW_ZONES_TEXT_SIZE  2048
#define GW_RETENTION_DAYS   3650 // the longest

enum gw_record_mode {
    GW_RECORD_EVENTS,     // keep what surrounds events
    GW_RECORD_CONTINUOUS, // keep everything
    GW_RECORD_OFF,        // keep nothing; events still have snapshots
};

// What a camera can see from where it stands. All zero: not known.
struct gw_view {
    double heading_deg; // where the middle of its picture points, clockwise from north, 0 to < 360
    double fov_deg;     // horizontal field of view; 0: all round, or not known
    double range_m;     // how far something is recognisable as something; 0: not known
    double height_m;    // of the camera above the ground; 0: not known
};

struct gw_camera {
    char id[GW_CAMERA_ID_SIZE];      // [A-Za-z0-9._-], unique in the site
    char name[GW_CAMERA_NAME_SIZE];  // UTF-8, for people
    char division[GW_DIVISION_SIZE]; // 6 (county), 9 (township) or 12 (village) digits; "" = the
                                     // site's
    char grid[GW_GRID_SIZE];         // grid cell within the division, digits; may be ""
    char record_url[GW_URL_SIZE];    // without credentials
    char detect_url[GW_URL_SIZE]; // likewise; a smaller stream of the same camera, of which events
                                  // are found; "" = record_url
    char username[GW_USERNAME_SIZE];
    char password[GW_PASSWORD_SIZE]; // goes to a worker and nowhere else
    enum gw_record_mode record;
    bool enabled;
    double lon, lat; // WGS-84 degrees; NAN when unknown
    struct gw_view view;
    struct gw_registration registration;
    // Zones and masks as in docs/ref/zones.md, compact JSON; "" for none. Whoever puts a camera
    // into the registry has checked them; a worker that cannot read them does not look at the
    // pictures.
    char zones[GW_ZONES_TEXT_SIZE];
    int retention_days; // how long its clips are kept; 0: as long as the site's
};

enum gw_camera_status {
    GW_CAMERA_OFFLINE,
    GW_CAMERA_ONLINE,
    GW_CAMERA_DEGRADED, // delivers, with a fault
};

// How it delivers.
struct gw_camera_signs {
    double frame_rate, bit_rate; // per second, of the last 10 s
    int64_t key_age_us;          // since its last keyframe came; -1 before the first
    int64_t longest_gop_us;      // of this session
    double loss;                 // share of RTP packets lost, of the last 10 s
    int64_t clock_offset_us;     // its clock minus ours; GW_NO_TIME: it tells none
    uint64_t lost_packets;       // RTP packets, and
    uint64_t skipped;            // pictures that could not be used, since its worker started
    uint64_t reconnects;         // sessions after the first, likewise
};
extern const struct gw_camera_signs gw_camera_no_signs; // of a camera that does not deliver

struct gw_camera_state {
    char camera[GW_CAMERA_ID_SIZE];
    enum gw_camera_status status;
    char reason[GW_REASON_SIZE];  // what is wrong, in words for people; "" when online
    int64_t since_us;             // wall
    struct gw_camera_signs signs; // at that moment
};

// Counters of one camera since its worker started, for /metrics.
struct gw_camera_metrics {
    char camera[GW_CAMERA_ID_SIZE];
    bool online;                // or degraded
    bool detect_online;         // the stream that detect_url names delivers; true without one
    uint64_t packets, bytes;    // received
    uint64_t reconnects;        // sessions after the first
    uint64_t decoded;           // pictures decoded
    uint64_t analysis_dropped;  // packets skipped to the next keyframe, because analysis lagged
    uint64_t events, clips;     // opened
    uint64_t clips_truncated;   // clips that lost packets, because the disk lagged
    uint64_t ring_bytes;        // pre-roll held now
    uint64_t ring_shed;         // GOPs of it dropped because all rings together held too much
    int64_t last_packet_age_us; // -1 before the first
    // How it is analysed. See analyze/level.h for what speaks for a level.
    enum gw_level level;         // at work; never auto
    uint64_t analysis_packets;   // that analysis has had; decoded is of these
    uint64_t analysis_cpu_us;    // CPU time of decoding and looking
    uint64_t audits;             // GOPs decoded although the level would not
    uint64_t judged;             // events lately that the level could have missed
    double miss_rate, miss_high; // share of them that it did, and the upper bound of that, 90 %
    enum gw_camera_status status;
    struct gw_camera_signs signs; // now
};

// Whether text can be a camera id / a division code / a grid cell ("" allowed for the last two).
bool gw_camera_id_valid(const char *id);
bool gw_division_valid(const char *division);
bool gw_grid_valid(const char *grid);
// Whether text can be a camera's name: one line of UTF-8 without control characters.
bool gw_camera_name_valid(const char *name);

// Whether a view makes sense: finite, in the ranges above, range at most 100 km, height at most 1
// km.
bool gw_view_valid(const struct gw_view *view);

// Whether a worker does the same for both: a name or place may differ, what it connects to may not.
bool gw_camera_same_work(const struct gw_camera *a, const struct gw_camera *b);

// Adds view, registration, zones and retention to a camera's JSON; what is not known is left out.
void gw_camera_details_to_json(json_t *json, const struct gw_camera *camera);

const char *gw_camera_status_name(enum gw_camera_status status); // "offline", "online", "degraded"
int gw_camera_status_from_name(const char *name);                // -1 when unknown
// Whether a camera in this state delivers pictures.
bool gw_camera_delivers(enum gw_camera_status status);
// How a camera in this state delivers: now, by its worker's report (NULL: there is none), or, when
// the report is of another state and thus older than the fact, as it did when its state changed.
// Borrows both.
const struct gw_camera_signs *gw_camera_signs_of(const struct gw_camera_state *state,
                                                 const struct gw_camera_metrics *report);

const char *gw_record_mode_name(enum gw_record_mode mode); // "events", "continuous", "off"
int gw_record_mode_from_name(const char *name);            // -1 when unknown
