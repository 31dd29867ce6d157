// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/sdp.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libavutil/base64.h>

enum { MOST_LINE = 4096, USUAL_RATE = 90000, LEAST_RATE = 1000, MOST_RATE = 10000000 };

// One media section while it is read.
struct section {
    bool session; // what stands before the first "m="
    char media[16];
    bool encrypted;    // SRTP, whose keys we are not told
    char encoding[32]; // of its first rtpmap, for people
    int types[GW_SDP_MOST_FORMATS];
    int type_count;
    char early[MOST_LINE]; // an fmtp before the rtpmap that it belongs to
    struct gw_sdp track;
};

// --- parameter sets ------------------------------------------------------------------------------

static void add_set(struct gw_sdp_format *format, const uint8_t *bytes, size_t size)
{
    static const uint8_t start_code[] = {0, 0, 0, 1};
    if (format->sets_size + sizeof(start_code) + size > sizeof(format->sets))
        return;
    memcpy(format->sets + format->sets_size, start_code, sizeof(start_code));
    memcpy(format->sets + format->sets_size + sizeof(start_code), bytes, size);
    format->sets_size += sizeof(start_code) + size;
}

// Whether a NAL unit is a parameter set. Cameras put all kinds of things there.
static bool is_parameter_set(enum AVCodecID codec, const uint8_t *bytes, int size)
{
    if (size < 4)
        return false;
    int type = codec == AV_CODEC_ID_HEVC ? bytes[0] >> 1 & 0x3f : bytes[0] & 0x1f;
    return codec == AV_CODEC_ID_HEVC ? type >= 32 && type <= 34 : type == 7 || type == 8;
}

// "Z0IA…,aM4…": base64, with commas between.
static void add_sets(struct gw_sdp_format *format, const char *list)
{
    char text[1024];
    uint8_t bytes[sizeof(text)];

    while (*list) {
        size_t length = strcspn(list, ",");
        if (length < sizeof(text)) {
            memcpy(text, list, length);
            text[length] = 0;
            int size = av_base64_decode(bytes, text, sizeof(bytes));
            if (is_parameter_set(format->codec, bytes, size))
                add_set(format, bytes, (size_t)size);
        }
        list += length + (list[length] == ',');
    }
}

// --- attributes ----------------------------------------------------------------------------------

static struct gw_sdp_format *find_format(struct section *section, int type)
{
    for (int i = 0; i < section->track.format_count; i++)
        if (section->track.formats[i].payload_type == type)
            return &section->track.formats[i];
    return NULL;
}

// Names reach people's terminals.
static void make_plain(char *text)
{
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr("-._+", *text))
            *text = '?';
}

static enum AVCodecID codec_of(const char *encoding)
{
    if (!strcasecmp(encoding, "H264"))
        return AV_CODEC_ID_H264;
    if (!strcasecmp(encoding, "H265") || !strcasecmp(encoding, "HEVC"))
        return AV_CODEC_ID_HEVC;
    return AV_CODEC_ID_NONE;
}

// "96 packetization-mode=1;sprop-parameter-sets=…;…"
static void take_fmtp(struct section *section, const char *value)
{
    static const char *const names[] = {"sprop-vps", "sprop-sps", "sprop-pps",
                                        "sprop-parameter-sets"};
    char list[MOST_LINE];
    struct gw_sdp_format *format = find_format(section, atoi(value));

    if (!format) {
        snprintf(section->early, sizeof(section->early), "%s", value);
        return;
    }
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        const size_t length = strlen(names[n]);
        for (const char *at = value + strcspn(value, " \t"); *at; at += strcspn(at, ";")) {
            at += strspn(at, "; \t");
            if (strncasecmp(at, names[n], length) || at[length] != '=')
                continue;
            at += length + 1;
            snprintf(list, sizeof(list), "%.*s", (int)strcspn(at, "; \t"), at);
            add_sets(format, list);
        }
    }
}

// "96 H264/90000"
static void take_rtpmap(struct section *section, const char *value)
{
    char encoding[32];
    int type, rate = USUAL_RATE;

    if (sscanf(value, "%3d %31[^/ ]/%9d", &type, encoding, &rate) < 2)
        return;
    make_plain(encoding);
    if (!*section->encoding)
        strcpy(section->encoding, encoding);
    enum AVCodecID codec = codec_of(encoding);
    if (codec == AV_CODEC_ID_NONE || type < 0 || type > 127 || find_format(section, type) ||
        section->track.format_count == GW_SDP_MOST_FORMATS)
        return;
    section->track.formats[section->track.format_count++] = (struct gw_sdp_format){
        .payload_type = type,
        .codec = codec,
        .clock_rate = rate >= LEAST_RATE && rate <= MOST_RATE ? rate : USUAL_RATE};
    if (*section->early && atoi(section->early) == type)
        take_fmtp(section, section->early);
}

static void take_control(struct section *section, const char *value)
{
    size_t length;
    value += strspn(value, " \t");
    for (length = strlen(value); length && strchr(" \t", value[length - 1]);)
        length--;
    snprintf(section->track.control, sizeof(section->track.control), "%.*s", (int)length, value);
}

static void take_attribute(struct section *section, const char *line)
{
    if (!strncasecmp(line, "control:", 8))
        take_control(section, line + 8);
    else if (!strncasecmp(line, "rtpmap:", 7))
        take_rtpmap(section, line + 7);
    else if (!strncasecmp(line, "fmtp:", 5))
        take_fmtp(section, line + 5);
    else if (!strncasecmp(line, "framerate:", 10))
        section->track.frame_rate = strtod(line + 10, NULL);
}

// --- sections ------------------------------------------------------------------------------------

// Adds what a section is, when it is not the track that is taken, for people.
static void note_other(struct gw_sdp *sdp, const struct section *section)
{
    const size_t used = strlen(sdp->others);
    snprintf(sdp->others + used, sizeof(sdp->others) - used, "%s%s%s%s", used ? ", " : "",
             section->media, *section->encoding ? " " : "", section->encoding);
}

static void end_section(struct gw_sdp *sdp, const struct section *section)
{
    if (section->session) {
        strcpy(sdp->session_control, section->track.control);
    } else if (!sdp->format_count && section->track.format_count &&
               !strcasecmp(section->media, "video") && !section->encrypted) {
        struct gw_sdp track = section->track;
        strcpy(track.session_control, sdp->session_control);
        strcpy(track.others, sdp->others);
        *sdp = track;
    } else {
        note_other(sdp, section);
    }
}

// "video 0 RTP/AVP 96"
static void begin_section(struct section *section, const char *line)
{
    *section = (struct section){0};
    snprintf(section->media, sizeof(section->media), "%.*s", (int)strcspn(line, " \t"), line);
    section->encrypted = strstr(line, "/SAVP") != NULL;
    make_plain(section->media);
}

void gw_sdp_parse(const char *text, size_t size, struct gw_sdp *ret)
{
    struct section section = {.session = true};
    char line[MOST_LINE];

    *ret = (struct gw_sdp){0};
    for (const char *at = text, *end = text + size; at < end;) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((feed ? feed : end) - at);
        size_t kept = length < sizeof(line) ? length : 0; // half of a line says something else
        memcpy(line, at, kept);
        line[kept] = 0;
        line[strcspn(line, "\r")] = 0;
        if (!strncmp(line, "m=", 2)) {
            end_section(ret, &section);
            begin_section(&section, line + 2);
        } else if (!strncmp(line, "a=", 2)) {
            take_attribute(&section, line + 2);
        }
        at += length + (feed != NULL);
    }
    end_section(ret, &section);
}
