// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/survey.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <libavcodec/avcodec.h>

#include "core/clock.h"

#define LONGEST_LOOK_US  (6 * GW_SECOND)
#define SHORTEST_LOOK_US (2 * GW_SECOND)
#define MOST_GOP_US      (4 * GW_SECOND)
#define MOST_CLOCK_US    (2 * GW_SECOND)
#define MOST_BIT_RATE    8e6

enum { ENOUGH_KEYFRAMES = 3 };

void gw_survey_init(struct gw_survey *survey)
{
    *survey = (struct gw_survey){.clock_offset_us = GW_NO_TIME};
}

// The camera tells its clock with the RTCP sender reports. libavformat puts that of a picture
// beside the one before, because its parser holds each back until the next begins: so it belongs to
// now.
static void note_clock(struct gw_survey *survey, const AVPacket *av, int64_t arrival_wall_us)
{
    size_t size;
    const uint8_t *bytes = av_packet_get_side_data(av, AV_PKT_DATA_PRFT, &size);
    if (bytes && size >= sizeof(AVProducerReferenceTime))
        survey->clock_offset_us =
            ((const AVProducerReferenceTime *)bytes)->wallclock - arrival_wall_us;
}

static void note_keyframe(struct gw_survey *survey, int64_t pts_us)
{
    if (survey->keyframes++) {
        if (survey->gop_packets > survey->longest_gop)
            survey->longest_gop = survey->gop_packets;
        if (pts_us - survey->key_us > survey->longest_gop_us)
            survey->longest_gop_us = pts_us - survey->key_us;
    }
    survey->gop_packets = 0;
    survey->key_us = pts_us;
    survey->key_packets = survey->packets;
    survey->key_bytes = survey->bytes;
}

void gw_survey_feed(struct gw_survey *survey, const struct gw_packet *packet,
                    int64_t arrival_wall_us)
{
    int64_t pts_us = gw_packet_wall_us(packet);

    if (gw_packet_is_key(packet))
        note_keyframe(survey, pts_us);
    if (!survey->packets)
        survey->first_us = survey->newest_us = pts_us;
    if (pts_us < survey->newest_us)
        survey->reordered = true;
    else
        survey->newest_us = pts_us;
    note_clock(survey, packet->av, arrival_wall_us);
    survey->packets++;
    survey->gop_packets++;
    survey->bytes += packet->av->size;
}

bool gw_survey_is_enough(const struct gw_survey *survey)
{
    int64_t seen_us = survey->newest_us - survey->first_us;
    return seen_us >= LONGEST_LOOK_US ||
           (survey->keyframes >= ENOUGH_KEYFRAMES && seen_us >= SHORTEST_LOOK_US);
}

struct gw_survey_result gw_survey_finish(const struct gw_survey *survey)
{
    struct gw_survey_result result = {
        .gop_frames = survey->longest_gop,
        .gop_us =
            survey->longest_gop ? survey->longest_gop_us : survey->newest_us - survey->first_us,
        .b_frames = survey->reordered,
        .clock_offset_us = survey->clock_offset_us,
    };
    // Whole GOPs where there are some, because a keyframe is many times larger than the others.
    bool whole = survey->keyframes > 1;
    int64_t span_us = (whole ? survey->key_us : survey->newest_us) - survey->first_us;
    if (span_us <= 0)
        return result;
    double seconds = (double)span_us / GW_SECOND;
    result.frame_rate = (whole ? survey->key_packets : survey->packets - 1) / seconds;
    result.bit_rate = 8.0 * (double)(whole ? survey->key_bytes : survey->bytes) / seconds;
    return result;
}

int gw_survey_advise(const struct gw_survey_result *result, char (*lines)[GW_ADVICE_SIZE], int max)
{
    int count = 0;
    double frame_rate = result->frame_rate > 0 ? result->frame_rate : 25;

    if (result->gop_us > MOST_GOP_US && count < max)
        snprintf(
            lines[count++], GW_ADVICE_SIZE,
            "set the keyframe interval to 2 s (%.0f pictures): a clip can only begin at a keyframe",
            2 * frame_rate);
    if (result->b_frames && count < max)
        snprintf(lines[count++], GW_ADVICE_SIZE,
                 "turn B-frames off: they delay every picture and make analysis wait");
    if (result->bit_rate > MOST_BIT_RATE && count < max)
        snprintf(
            lines[count++], GW_ADVICE_SIZE,
            "lower the bit rate to 4 Mbit/s or choose H.265: this camera alone fills %.0f GB a day",
            result->bit_rate / 8 * 86400 / 1e9);
    if (result->clock_offset_us != GW_NO_TIME && llabs(result->clock_offset_us) > MOST_CLOCK_US &&
        count < max)
        snprintf(lines[count++], GW_ADVICE_SIZE,
                 "let the camera set its clock by NTP: it is %.1f s %s ours",
                 (double)llabs(result->clock_offset_us) / GW_SECOND,
                 result->clock_offset_us > 0 ? "ahead of" : "behind");
    return count;
}
