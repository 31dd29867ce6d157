// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/survey.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "core/clock.h"

#define LONGEST_LOOK_US   (10 * GW_SECOND)
#define SHORTEST_LOOK_US  (5 * GW_SECOND) // sender reports are often 5 s apart
#define MOST_GOP_US       (4 * GW_SECOND)
#define LEAST_GOP_US      (4 * GW_SECOND / 5)
#define MOST_CLOCK_US     (2 * GW_SECOND)
#define MOST_BIT_RATE     8e6
#define LARGE_BIT_RATE    5e6 // from here on H.265 is worth its price
#define MOST_LOSS         0.001
#define RTP_PAYLOAD_BYTES 1400

// A constant bit rate makes GOPs of one size, and fills the pictures between keyframes with bits
// that a still scene does not need: there a keyframe is 10 to 200 times as large as they are. Heavy
// sensor noise looks the same at any bit rate, and does the same harm.
#define EVEN_GOPS 0.05
#define FLAT_GOP  8.0

enum { ENOUGH_KEYFRAMES = 5, ENOUGH_GOPS = 3 };

void gw_survey_init(struct gw_survey *survey)
{
    *survey = (struct gw_survey){.clock_offset_us = GW_NO_TIME, .last_dts_us = GW_NO_TIME};
}

void gw_survey_clock(struct gw_survey *survey, int64_t offset_us)
{
    survey->clock_offset_us = offset_us;
}

void gw_survey_lost(struct gw_survey *survey, unsigned packets)
{
    survey->lost += packets;
}

void gw_survey_skipped(struct gw_survey *survey)
{
    survey->skipped++;
}

void gw_survey_parameters(struct gw_survey *survey, const AVCodecParameters *parameters,
                          double declared_rate)
{
    survey->parameters++;
    survey->declared_rate = declared_rate;
    survey->codec_id = parameters->codec_id;
    survey->profile = parameters->profile;
}

static void note_keyframe(struct gw_survey *survey, int64_t pts_us, int64_t arrival_us)
{
    if (survey->keyframes++) {
        if (survey->gop_packets > survey->longest_gop)
            survey->longest_gop = survey->gop_packets;
        if (arrival_us - survey->key_arrival_us > survey->longest_gop_us)
            survey->longest_gop_us = arrival_us - survey->key_arrival_us;
        if (survey->gops < GW_SURVEY_GOPS)
            survey->gop_bytes[survey->gops++] = survey->bytes - survey->key_bytes;
    }
    survey->gop_packets = 0;
    survey->key_us = pts_us;
    survey->key_arrival_us = arrival_us;
    survey->key_packets = survey->packets;
    survey->key_bytes = survey->bytes;
}

static void note_step(struct gw_survey *survey, int64_t dts_us)
{
    if (survey->last_dts_us != GW_NO_TIME && survey->step_count < GW_SURVEY_STEPS)
        survey->steps_us[survey->step_count++] = dts_us - survey->last_dts_us;
    survey->last_dts_us = dts_us;
}

void gw_survey_feed(struct gw_survey *survey, const struct gw_packet *packet,
                    int64_t arrival_wall_us)
{
    int64_t pts_us = gw_packet_wall_us(packet), size = packet->av->size;
    bool key = gw_packet_is_key(packet);

    if (key)
        note_keyframe(survey, pts_us, arrival_wall_us);
    if (!survey->packets) {
        survey->first_us = survey->newest_us = pts_us;
        survey->first_arrival_us = arrival_wall_us;
    }
    if (pts_us < survey->newest_us)
        survey->reordered = true;
    else
        survey->newest_us = pts_us;
    survey->arrival_us = arrival_wall_us;
    note_step(survey, packet->av->dts);
    survey->packets++;
    survey->gop_packets++;
    survey->bytes += size;
    survey->key_total += key ? size : 0;
    survey->received += (uint64_t)size / RTP_PAYLOAD_BYTES + 1;
}

bool gw_survey_is_enough(const struct gw_survey *survey)
{
    int64_t seen_us = survey->arrival_us - survey->first_arrival_us;
    return seen_us >= LONGEST_LOOK_US ||
           (survey->keyframes >= ENOUGH_KEYFRAMES && seen_us >= SHORTEST_LOOK_US);
}

// --- what it comes to ----------------------------------------------------------------------------

static int compare_steps(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// By the middle step between two pictures, so that a new beginning of the clock does not count.
static double ticks_rate(const struct gw_survey *survey)
{
    int64_t steps_us[GW_SURVEY_STEPS];
    int count = survey->step_count;
    if (!count)
        return 0;
    memcpy(steps_us, survey->steps_us, (size_t)count * sizeof(steps_us[0]));
    qsort(steps_us, (size_t)count, sizeof(steps_us[0]), compare_steps);
    return steps_us[count / 2] > 0 ? (double)GW_SECOND / (double)steps_us[count / 2] : 0;
}

static double key_ratio(const struct gw_survey *survey)
{
    int others = survey->packets - survey->keyframes;
    int64_t bytes = survey->bytes - survey->key_total;
    if (others <= 0 || !survey->keyframes || bytes <= 0)
        return 0;
    return (double)survey->key_total / survey->keyframes / ((double)bytes / others);
}

// How far the sizes of GOPs are from their mean, as a share of it.
static double unevenness(const struct gw_survey *survey)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < survey->gops; i++)
        sum += (double)survey->gop_bytes[i];
    double mean = sum / survey->gops;
    for (int i = 0; i < survey->gops; i++)
        squares += pow((double)survey->gop_bytes[i] - mean, 2);
    return sqrt(squares / survey->gops) / mean;
}

struct gw_survey_result gw_survey_finish(const struct gw_survey *survey)
{
    struct gw_survey_result result = {
        .ticks_rate = ticks_rate(survey),
        .declared_rate = survey->declared_rate,
        .gop_frames = survey->longest_gop,
        .gop_us = survey->longest_gop ? survey->longest_gop_us
                                      : survey->arrival_us - survey->first_arrival_us,
        .key_ratio = key_ratio(survey),
        .b_frames = survey->reordered,
        .lost = survey->lost,
        .skipped = survey->skipped,
        .parameter_changes = survey->parameters > 1 ? survey->parameters - 1 : 0,
        .clock_offset_us = survey->clock_offset_us,
        .codec_id = survey->codec_id,
        .profile = survey->profile,
    };
    if (survey->lost)
        result.loss = (double)survey->lost / (double)(survey->lost + survey->received);
    result.constant_bit_rate = survey->gops >= ENOUGH_GOPS && unevenness(survey) < EVEN_GOPS &&
                               result.key_ratio > 0 && result.key_ratio < FLAT_GOP;
    // Whole GOPs where there are some, because a keyframe is many times larger than the others.
    bool whole = survey->keyframes > 1;
    int64_t span_us =
        (whole ? survey->key_arrival_us : survey->arrival_us) - survey->first_arrival_us;
    if (span_us <= 0)
        return result;
    double seconds = (double)span_us / GW_SECOND;
    result.frame_rate = (whole ? survey->key_packets : survey->packets - 1) / seconds;
    result.bit_rate = 8.0 * (double)(whole ? survey->key_bytes : survey->bytes) / seconds;
    return result;
}

// --- advice --------------------------------------------------------------------------------------

struct advice {
    char (*lines)[GW_ADVICE_SIZE];
    int count, max;
};

__attribute__((format(printf, 2, 3))) static void say(struct advice *advice, const char *format,
                                                      ...)
{
    va_list arguments;
    if (advice->count == advice->max)
        return;
    va_start(arguments, format);
    vsnprintf(advice->lines[advice->count++], GW_ADVICE_SIZE, format, arguments);
    va_end(arguments);
}

static double gigabytes_a_day(const struct gw_survey_result *result)
{
    return result->bit_rate / 8 * 86400 / 1e9;
}

static void advise_transport(struct advice *advice, const struct gw_survey_result *result)
{
    if (result->skipped)
        say(advice,
            "switch the camera's smart codec (H.264+, H.265+) off, or choose another encoding: %d "
            "pictures came that cannot be decoded",
            result->skipped);
    if (result->loss > MOST_LOSS)
        say(advice,
            "check the network, or let the camera send over TCP: %llu of its packets never came "
            "(%.1f %%)",
            (unsigned long long)result->lost, 100 * result->loss);
}

static void advise_keyframes(struct advice *advice, const struct gw_survey_result *result)
{
    double frame_rate = result->frame_rate > 0 ? result->frame_rate : 25;
    if (result->gop_us > MOST_GOP_US)
        say(advice,
            "set the keyframe interval to 2 s (%.0f pictures): a clip can only begin at a keyframe",
            2 * frame_rate);
    else if (result->gop_frames && result->gop_us < LEAST_GOP_US)
        say(advice,
            "set the keyframe interval to 2 s (%.0f pictures): keyframes are the most expensive "
            "pictures, and one comes every %.1f s",
            2 * frame_rate, (double)result->gop_us / GW_SECOND);
    if (result->b_frames)
        say(advice, "turn B-frames off: they delay every picture and make analysis wait");
}

static bool has_simple_profile(const struct gw_survey_result *result)
{
    return result->codec_id == AV_CODEC_ID_H264 &&
           (result->profile == FF_PROFILE_H264_BASELINE ||
            result->profile == FF_PROFILE_H264_CONSTRAINED_BASELINE);
}

// Profiles that the browsers people have can play.
static bool has_rare_profile(const struct gw_survey_result *result)
{
    if (result->codec_id == AV_CODEC_ID_HEVC)
        return result->profile > FF_PROFILE_HEVC_MAIN;
    return result->codec_id == AV_CODEC_ID_H264 && result->profile > FF_PROFILE_H264_HIGH;
}

static void advise_bit_rate(struct advice *advice, const struct gw_survey_result *result)
{
    if (result->constant_bit_rate)
        say(advice,
            "choose a variable bit rate (VBR), and noise reduction if it is one: now a still scene "
            "fills %.0f GB a day too, and the sizes of pictures do not tell whether anything moves",
            gigabytes_a_day(result));
    if (result->bit_rate > MOST_BIT_RATE)
        say(advice, "lower the bit rate to 4 Mbit/s%s: this camera alone fills %.0f GB a day",
            result->codec_id == AV_CODEC_ID_HEVC ? "" : " or choose H.265",
            gigabytes_a_day(result));
    else if (result->bit_rate > LARGE_BIT_RATE && result->codec_id == AV_CODEC_ID_H264)
        say(advice, "choose H.265: it fills about half of the %.0f GB a day that this camera fills",
            gigabytes_a_day(result));
    if (has_simple_profile(result))
        say(advice, "choose Main or High profile: Baseline needs more bits for the same picture");
    else if (has_rare_profile(result))
        say(advice, "choose Main or High profile with 8 bits: browsers cannot play this one");
}

static bool differ(double a, double b)
{
    return a > 0 && b > 0 && fabs(a / b - 1) > 0.1;
}

static void advise_times(struct advice *advice, const struct gw_survey_result *result)
{
    if (differ(result->ticks_rate, result->frame_rate))
        say(advice,
            "its time stamps say %.1f pictures a second, and %.1f come: set a frame rate that it "
            "keeps, or update it; until then their times are corrected by arrival",
            result->ticks_rate, result->frame_rate);
    else if (differ(result->declared_rate, result->frame_rate))
        say(advice,
            "it declares %.1f pictures a second, and %.1f come: set a frame rate that it keeps, or "
            "a shorter exposure time",
            result->declared_rate, result->frame_rate);
    if (result->clock_offset_us != GW_NO_TIME && llabs(result->clock_offset_us) > MOST_CLOCK_US)
        say(advice, "let the camera set its clock by NTP: it is %.1f s %s ours",
            (double)llabs(result->clock_offset_us) / GW_SECOND,
            result->clock_offset_us > 0 ? "ahead of" : "behind");
}

int gw_survey_advise(const struct gw_survey_result *result, char (*lines)[GW_ADVICE_SIZE], int max)
{
    struct advice advice = {.lines = lines, .max = max};
    advise_transport(&advice, result);
    advise_keyframes(&advice, result);
    advise_bit_rate(&advice, result);
    advise_times(&advice, result);
    return advice.count;
}
