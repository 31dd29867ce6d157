// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/vitals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"

#define HOLD_US           (30 * GW_SECOND)
#define MINUTE_US         (60 * GW_SECOND)
#define MOST_KEY_AGE_US   (10 * GW_SECOND)
#define MOST_CLOCK_US     (2 * GW_SECOND)
#define FINE_CLOCK_US     (1800 * GW_SECOND / 1000)
#define SESSIONS_US       (600 * GW_SECOND)
#define MOST_LOSS         0.01
#define FINE_LOSS         0.005
#define SLOW              0.4 // of the slowest minute that is far enough back
#define FINE_RATE         0.6
#define RTP_PAYLOAD_BYTES 1400 // what cameras put into a packet, more or less

enum {
    FEWEST_LOST = 2,
    FEWEST_SKIPPED = 2,
    RECENT_MINUTES = 5, // too new to be what the camera is used to
};

// --- what is told --------------------------------------------------------------------------------

static void forget_rates(struct gw_vitals *vitals)
{
    for (int i = 0; i <= GW_VITALS_SECONDS; i++)
        vitals->seconds[i] = (struct gw_vitals_second){.number = GW_NO_TIME};
    vitals->key_us = vitals->key_wall_us = vitals->minute_us = GW_NO_TIME;
    vitals->longest_gop_us = 0;
    vitals->minute_pictures = 0;
}

void gw_vitals_init(struct gw_vitals *vitals)
{
    *vitals = (struct gw_vitals){.online_us = GW_NO_TIME,
                                 .clock_offset_us = GW_NO_TIME,
                                 .judged_us = GW_NO_TIME,
                                 .fault = GW_FAULT_NONE};
    for (int i = 0; i < GW_VITALS_SESSIONS; i++)
        vitals->sessions_us[i] = GW_NO_TIME;
    for (int i = 0; i < GW_FAULT_COUNT; i++)
        vitals->spoken_us[i] = GW_NO_TIME;
    forget_rates(vitals);
}

void gw_vitals_online(struct gw_vitals *vitals, int64_t mono_us)
{
    for (int i = GW_VITALS_SESSIONS - 1; i > 0; i--)
        vitals->sessions_us[i] = vitals->sessions_us[i - 1];
    // The first time is no return.
    vitals->sessions_us[0] = vitals->judged_us == GW_NO_TIME ? GW_NO_TIME : mono_us;
    vitals->judged_us = mono_us;
    vitals->online_us = mono_us;
    forget_rates(vitals);
}

// What was wrong with the session that ended says nothing about the next one.
void gw_vitals_offline(struct gw_vitals *vitals)
{
    vitals->online_us = GW_NO_TIME;
    vitals->clock_offset_us = GW_NO_TIME;
    for (int i = 0; i < GW_FAULT_COUNT; i++)
        vitals->spoken_us[i] = GW_NO_TIME;
    vitals->fault = GW_FAULT_NONE;
    vitals->reason[0] = 0;
    forget_rates(vitals);
}

static struct gw_vitals_second *second_at(struct gw_vitals *vitals, int64_t mono_us)
{
    int64_t number = mono_us / GW_SECOND;
    struct gw_vitals_second *second = &vitals->seconds[number % (GW_VITALS_SECONDS + 1)];
    if (second->number != number)
        *second = (struct gw_vitals_second){.number = number};
    return second;
}

// Full minutes become what the camera is used to.
static void count_minute(struct gw_vitals *vitals, int64_t mono_us)
{
    if (vitals->minute_us == GW_NO_TIME)
        vitals->minute_us = mono_us;
    vitals->minute_pictures++;
    int64_t elapsed_us = mono_us - vitals->minute_us;
    if (elapsed_us < MINUTE_US)
        return;
    vitals->minutes[vitals->minute_count++ % GW_VITALS_MINUTES] =
        (float)vitals->minute_pictures * (float)GW_SECOND / (float)elapsed_us;
    vitals->minute_us = mono_us;
    vitals->minute_pictures = 0;
}

void gw_vitals_packet(struct gw_vitals *vitals, int size_bytes, bool key, int64_t capture_wall_us,
                      int64_t mono_us)
{
    struct gw_vitals_second *second = second_at(vitals, mono_us);
    second->pictures++;
    second->bytes += (uint64_t)size_bytes;
    second->received += (uint64_t)size_bytes / RTP_PAYLOAD_BYTES + 1;
    count_minute(vitals, mono_us);
    if (!key)
        return;
    if (vitals->key_us != GW_NO_TIME &&
        capture_wall_us - vitals->key_wall_us > vitals->longest_gop_us)
        vitals->longest_gop_us = capture_wall_us - vitals->key_wall_us;
    vitals->key_us = mono_us;
    vitals->key_wall_us = capture_wall_us;
}

void gw_vitals_lost(struct gw_vitals *vitals, unsigned packets, int64_t mono_us)
{
    second_at(vitals, mono_us)->lost += packets;
    vitals->lost += packets;
}

void gw_vitals_skipped(struct gw_vitals *vitals, int64_t mono_us)
{
    second_at(vitals, mono_us)->skipped++;
    vitals->skipped++;
}

void gw_vitals_clock(struct gw_vitals *vitals, int64_t offset_us)
{
    vitals->clock_offset_us = offset_us;
}

// --- what follows from it ------------------------------------------------------------------------

struct sums {
    uint64_t pictures, bytes, received, lost, skipped;
    double seconds; // that they are of
};

// Of the last 10 full seconds, or since it came online.
static struct sums add_up(const struct gw_vitals *vitals, int64_t mono_us)
{
    struct sums sums = {0};
    int64_t now = mono_us / GW_SECOND, first = now - GW_VITALS_SECONDS;
    for (int i = 0; i <= GW_VITALS_SECONDS; i++) {
        const struct gw_vitals_second *second = &vitals->seconds[i];
        if (second->number < first || second->number >= now)
            continue;
        sums.pictures += second->pictures;
        sums.bytes += second->bytes;
        sums.received += second->received;
        sums.lost += second->lost;
        sums.skipped += second->skipped;
    }
    int64_t from_us = first * GW_SECOND;
    if (vitals->online_us != GW_NO_TIME && from_us < vitals->online_us)
        from_us = vitals->online_us;
    if (vitals->online_us != GW_NO_TIME && now * GW_SECOND > from_us)
        sums.seconds = (double)(now * GW_SECOND - from_us) / GW_SECOND;
    return sums;
}

static double loss_of(const struct sums *sums)
{
    return sums->lost < FEWEST_LOST ? 0
                                    : (double)sums->lost / (double)(sums->lost + sums->received);
}

// The slowest past minute that is not too new; 0 as long as there is none.
static double usual_rate(const struct gw_vitals *vitals)
{
    double slowest = 0;
    int count = vitals->minute_count;
    int oldest = count > GW_VITALS_MINUTES ? count - GW_VITALS_MINUTES : 0;
    for (int i = oldest; i < count - RECENT_MINUTES; i++)
        if (slowest == 0 || vitals->minutes[i % GW_VITALS_MINUTES] < slowest)
            slowest = vitals->minutes[i % GW_VITALS_MINUTES];
    return slowest;
}

static int returns(const struct gw_vitals *vitals, int64_t mono_us)
{
    int count = 0;
    for (int i = 0; i < GW_VITALS_SESSIONS; i++)
        count +=
            vitals->sessions_us[i] != GW_NO_TIME && mono_us - vitals->sessions_us[i] < SESSIONS_US;
    return count;
}

void gw_vitals_unwritten(struct gw_vitals *vitals, enum gw_gap_cause cause)
{
    vitals->unwritten = cause;
}

// Whether something speaks for this fault now; one that is known stays with less.
static bool speaks_for(const struct gw_vitals *vitals, enum gw_fault fault, const struct sums *sums,
                       int64_t mono_us)
{
    bool known = vitals->spoken_us[fault] != GW_NO_TIME;
    int64_t off_us = vitals->clock_offset_us == GW_NO_TIME ? 0 : llabs(vitals->clock_offset_us);
    double usual = usual_rate(vitals);

    switch (fault) {
    case GW_FAULT_DISK_FULL: return vitals->unwritten == GW_GAP_DISK_FULL;
    case GW_FAULT_DISK_FAILED: return vitals->unwritten == GW_GAP_DISK_FAILED;
    case GW_FAULT_UNDECODABLE: return sums->skipped >= FEWEST_SKIPPED;
    case GW_FAULT_LOSS: return loss_of(sums) > (known ? FINE_LOSS : MOST_LOSS);
    case GW_FAULT_RECONNECTING: return returns(vitals, mono_us) >= GW_VITALS_SESSIONS;
    case GW_FAULT_NO_KEYFRAME:
        return vitals->key_us != GW_NO_TIME && mono_us - vitals->key_us > MOST_KEY_AGE_US;
    case GW_FAULT_SLOW:
        return sums->seconds >= GW_VITALS_SECONDS &&
               (double)sums->pictures / sums->seconds < usual * (known ? FINE_RATE : SLOW);
    case GW_FAULT_CLOCK: return off_us > (known ? FINE_CLOCK_US : MOST_CLOCK_US);
    default: return false;
    }
}

static void explain_clock(struct gw_vitals *vitals)
{
    double off = (double)llabs(vitals->clock_offset_us) / GW_SECOND;
    const char *unit = off < 120 ? "seconds" : off < 7200 ? "minutes" : "hours";
    off /= off < 120 ? 1 : off < 7200 ? 60 : 3600;
    if (vitals->clock_offset_us > 0)
        snprintf(
            vitals->reason, sizeof(vitals->reason),
            "its clock is ahead of ours by %.1f %s, so times come from arrival; let it set its "
            "clock by NTP",
            off, unit);
    else
        snprintf(vitals->reason, sizeof(vitals->reason),
                 "its clock is behind ours by %.1f %s, so times come from arrival; let it set its "
                 "clock by NTP",
                 off, unit);
}

// The numbers in it are those of this moment and stay, because another reason is another state. The
// page has each sentence in Chinese (console/web/src/i18n/reasons.ts).
static void explain(struct gw_vitals *vitals, const struct sums *sums)
{
    char *reason = vitals->reason;
    const size_t size = sizeof(vitals->reason);

    switch (vitals->fault) {
    case GW_FAULT_DISK_FULL:
        snprintf(reason, size,
                 "its pictures are not recorded, because the disk is full; make room there");
        return;
    case GW_FAULT_DISK_FAILED:
        snprintf(reason, size,
                 "its pictures are not recorded, because the disk fails; look at the log, and at "
                 "the disk");
        return;
    case GW_FAULT_UNDECODABLE:
        snprintf(reason, size,
                 "pictures come that cannot be decoded and are skipped; restart the camera, and "
                 "switch its smart codec (H.264+, H.265+) off");
        return;
    case GW_FAULT_LOSS:
        snprintf(reason, size,
                 "%.0f %% of its packets are lost on the way, and pictures with them; check its "
                 "network, or let it send over TCP",
                 fmax(1, 100 * loss_of(sums)));
        return;
    case GW_FAULT_RECONNECTING:
        snprintf(reason, size,
                 "the connection broke %d times within ten minutes; check its network, its power, "
                 "and how many watch it at once",
                 GW_VITALS_SESSIONS);
        return;
    case GW_FAULT_NO_KEYFRAME:
        snprintf(reason, size,
                 "no keyframe for more than 10 s, and a clip can only begin at a keyframe; set its "
                 "keyframe interval to 2 s");
        return;
    case GW_FAULT_SLOW:
        snprintf(reason, size,
                 "only %.1f pictures a second, and it used to send %.1f; check its exposure time "
                 "and its network",
                 (double)sums->pictures / sums->seconds, usual_rate(vitals));
        return;
    case GW_FAULT_CLOCK: explain_clock(vitals); return;
    default: reason[0] = 0;
    }
}

bool gw_vitals_judge(struct gw_vitals *vitals, int64_t mono_us)
{
    if (vitals->online_us == GW_NO_TIME || mono_us - vitals->judged_us < GW_SECOND)
        return false;
    vitals->judged_us = mono_us;

    struct sums sums = add_up(vitals, mono_us);
    enum gw_fault worst = GW_FAULT_NONE;
    for (int i = GW_FAULT_COUNT - 1; i >= 0; i--) {
        if (speaks_for(vitals, (enum gw_fault)i, &sums, mono_us))
            vitals->spoken_us[i] = mono_us;
        else if (vitals->spoken_us[i] != GW_NO_TIME && mono_us - vitals->spoken_us[i] >= HOLD_US)
            vitals->spoken_us[i] = GW_NO_TIME;
        if (vitals->spoken_us[i] != GW_NO_TIME)
            worst = (enum gw_fault)i;
    }
    if (worst == vitals->fault)
        return false;
    vitals->fault = worst;
    explain(vitals, &sums);
    return true;
}

struct gw_camera_signs gw_vitals_read(const struct gw_vitals *vitals, int64_t mono_us)
{
    struct sums sums = add_up(vitals, mono_us);
    struct gw_camera_signs signs = {
        .key_age_us = vitals->key_us == GW_NO_TIME ? -1 : mono_us - vitals->key_us,
        .longest_gop_us = vitals->longest_gop_us,
        .loss = loss_of(&sums),
        .clock_offset_us = vitals->clock_offset_us,
        .lost_packets = vitals->lost,
        .skipped = vitals->skipped,
    };
    if (sums.seconds > 0) {
        signs.frame_rate = (double)sums.pictures / sums.seconds;
        signs.bit_rate = 8.0 * (double)sums.bytes / sums.seconds;
    }
    return signs;
}
