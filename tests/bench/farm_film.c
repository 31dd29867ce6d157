// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "tests/bench/farm_film.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/base64.h>

enum { PAYLOAD_LIMIT = 1400, PARAMETER_SETS = 3, NUMBER_DIGITS = 16 };

struct nal {
    const uint8_t *bytes; // without start code
    size_t size;
};

struct loader {
    struct farm_film *film;
    struct nal sets[PARAMETER_SETS]; // VPS (H.265 only), SPS, PPS: the first of each
    struct farm_picture *picture;    // that slices go to; NULL before the first
    size_t picture_room, packet_room;
};

static void *grow(void *array, size_t size)
{
    void *grown = realloc(array, size);
    if (!grown)
        abort();
    return grown;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

// --- what kind of NAL unit it is -----------------------------------------------------------------

static int nal_type(bool h265, const struct nal *nal)
{
    return h265 ? nal->bytes[0] >> 1 & 0x3f : nal->bytes[0] & 0x1f;
}

static bool is_slice(bool h265, int type)
{
    return h265 ? type < 32 : type >= 1 && type <= 5;
}

static bool is_key(bool h265, int type)
{
    return h265 ? type >= 16 && type <= 21 : type == 5;
}

static bool is_first_slice(bool h265, const struct nal *nal)
{
    return nal->bytes[h265 ? 2 : 1] & 0x80;
}

// Its place among the parameter sets, -1 for another unit.
static int set_index(bool h265, int type)
{
    const int index = h265 ? type - 32 : type == 7 ? 1 : type == 8 ? 2 : -1;
    return index >= 0 && index < PARAMETER_SETS ? index : -1;
}

// --- packets -------------------------------------------------------------------------------------

static uint8_t *add_packet(struct loader *loader, size_t payload_size)
{
    struct farm_picture *picture = loader->picture;
    const size_t size = FARM_FRAME_SIZE + FARM_RTP_SIZE + payload_size;

    if (picture->size + size > loader->picture_room) {
        loader->picture_room = 2 * (picture->size + size);
        picture->bytes = grow(picture->bytes, loader->picture_room);
    }
    if ((size_t)picture->packet_count == loader->packet_room) {
        loader->packet_room = 2 * loader->packet_room + 16;
        picture->packets = grow(picture->packets, loader->packet_room * sizeof(*picture->packets));
    }
    uint8_t *at = picture->bytes + picture->size;
    picture->packets[picture->packet_count++] = picture->size;
    picture->size += size;
    at[0] = '$';
    put16(at + 2, (uint32_t)(FARM_RTP_SIZE + payload_size));
    at[4] = 0x80;
    at[5] = FARM_PAYLOAD_TYPE;
    return at + FARM_FRAME_SIZE + FARM_RTP_SIZE;
}

// The head of a fragment; returns its size.
static size_t write_fragment_head(bool h265, uint8_t *at, const struct nal *nal, bool first,
                                  bool last)
{
    const uint8_t ends = (uint8_t)(first << 7 | last << 6);

    if (h265) {
        at[0] = (uint8_t)((nal->bytes[0] & 0x81) | 49 << 1);
        at[1] = nal->bytes[1];
        at[2] = (uint8_t)(ends | (nal->bytes[0] >> 1 & 0x3f));
        return 3;
    }
    at[0] = (uint8_t)((nal->bytes[0] & 0xe0) | 28);
    at[1] = (uint8_t)(ends | (nal->bytes[0] & 0x1f));
    return 2;
}

static void add_nal(struct loader *loader, const struct nal *nal)
{
    const bool h265 = loader->film->h265;
    const size_t nal_head = h265 ? 2 : 1, part_head = h265 ? 3 : 2;

    if (nal->size <= PAYLOAD_LIMIT) {
        memcpy(add_packet(loader, nal->size), nal->bytes, nal->size);
        return;
    }
    for (size_t at = nal_head; at < nal->size;) {
        const size_t left = nal->size - at, most = PAYLOAD_LIMIT - part_head;
        const size_t size = left < most ? left : most;
        uint8_t *payload = add_packet(loader, part_head + size);
        write_fragment_head(h265, payload, nal, at == nal_head, size == left);
        memcpy(payload + part_head, nal->bytes + at, size);
        at += size;
    }
}

static void add_number(struct loader *loader)
{
    static const uint8_t head264[] = {0x06, 5, 16 + NUMBER_DIGITS},
                         head265[] = {39 << 1, 1, 5, 16 + NUMBER_DIGITS};
    const bool h265 = loader->film->h265;
    const size_t head_size = h265 ? sizeof(head265) : sizeof(head264);
    uint8_t *at = add_packet(loader, head_size + 16 + NUMBER_DIGITS + 1);

    memcpy(at, h265 ? head265 : head264, head_size);
    memcpy(at + head_size, FARM_NUMBER_UUID, 16);
    loader->picture->number_at = (size_t)(at - loader->picture->bytes) + head_size + 16;
    at[head_size + 16 + NUMBER_DIGITS] = 0x80;
}

// --- pictures ------------------------------------------------------------------------------------

static void finish_picture(struct loader *loader)
{
    struct farm_picture *picture = loader->picture;

    if (picture)
        picture->bytes[picture->packets[picture->packet_count - 1] + 5] |= 0x80; // marker
    loader->picture = NULL;
    loader->picture_room = loader->packet_room = 0;
}

static void begin_picture(struct loader *loader, bool key)
{
    struct farm_film *film = loader->film;

    finish_picture(loader);
    film->pictures = grow(film->pictures, (size_t)(film->count + 1) * sizeof(*film->pictures));
    loader->picture = &film->pictures[film->count];
    *loader->picture = (struct farm_picture){.key = key};
    if (key) {
        film->keys = grow(film->keys, (size_t)(film->key_count + 1) * sizeof(*film->keys));
        film->keys[film->key_count++] = film->count;
        for (int i = 0; i < PARAMETER_SETS; i++)
            if (loader->sets[i].size)
                add_nal(loader, &loader->sets[i]);
    }
    film->count++;
    add_number(loader);
}

static void handle_nal(struct loader *loader, const struct nal *nal)
{
    const bool h265 = loader->film->h265;
    const int type = nal_type(h265, nal), set = set_index(h265, type);

    if (set >= 0 && !loader->sets[set].size)
        loader->sets[set] = *nal;
    if (!is_slice(h265, type))
        return; // delimiters and the encoder's messages are left out
    if (is_first_slice(h265, nal) && (loader->film->count || is_key(h265, type)))
        begin_picture(loader, is_key(h265, type));
    if (loader->picture)
        add_nal(loader, nal);
}

// The first start code at or after at; the end when there is none.
static size_t find_start_code(const uint8_t *bytes, size_t size, size_t at)
{
    for (; at + 3 <= size; at++)
        if (!bytes[at] && !bytes[at + 1] && bytes[at + 2] == 1)
            return at;
    return size;
}

static void split(struct loader *loader, const uint8_t *bytes, size_t size)
{
    size_t at = find_start_code(bytes, size, 0);

    while (at < size) {
        const size_t begin = at + 3;
        at = find_start_code(bytes, size, begin);
        size_t end = at;
        while (end > begin && !bytes[end - 1])
            end--;
        const struct nal nal = {bytes + begin, end - begin};
        if (nal.size > 2)
            handle_nal(loader, &nal);
    }
    finish_picture(loader);
}

// --- the description -----------------------------------------------------------------------------

static const char *encode(const struct nal *nal, char text[1024])
{
    return av_base64_encode(text, 1024, nal->bytes, (int)nal->size) ? text : "";
}

static void describe(struct loader *loader)
{
    char vps[1024], sps[1024], pps[1024];
    const struct nal *sets = loader->sets;
    struct farm_film *film = loader->film;

    encode(&sets[1], sps);
    encode(&sets[2], pps);
    if (film->h265)
        snprintf(film->media, sizeof(film->media),
                 "a=rtpmap:%d H265/90000\r\na=fmtp:%d sprop-vps=%s;sprop-sps=%s;sprop-pps=%s\r\n",
                 FARM_PAYLOAD_TYPE, FARM_PAYLOAD_TYPE, encode(&sets[0], vps), sps, pps);
    else
        snprintf(film->media, sizeof(film->media),
                 "a=rtpmap:%d H264/90000\r\na=fmtp:%d packetization-mode=1;"
                 "profile-level-id=%02x%02x%02x;sprop-parameter-sets=%s,%s\r\n",
                 FARM_PAYLOAD_TYPE, FARM_PAYLOAD_TYPE, sets[1].bytes[1], sets[1].bytes[2],
                 sets[1].bytes[3], sps, pps);
}

static uint8_t *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long size = -1;

    if (file && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    if (size > 0) {
        rewind(file);
        bytes = grow(NULL, (size_t)size);
        *ret_size = fread(bytes, 1, (size_t)size, file);
    }
    if (!bytes)
        fprintf(stderr, "camera_farm: %s: %s\n", path, errno ? strerror(errno) : "is empty");
    if (file)
        fclose(file);
    return bytes;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && !strcmp(text + length - end_length, end);
}

bool farm_film_load(struct farm_film *film, const char *path)
{
    struct loader loader = {.film = film};
    size_t size = 0;
    uint8_t *bytes = read_file(path, &size);

    *film = (struct farm_film){.h265 = ends_with(path, ".h265") || ends_with(path, ".hevc")};
    if (!bytes)
        return false;
    split(&loader, bytes, size);
    const bool whole = film->key_count && loader.sets[1].size > 3 && loader.sets[2].size;
    if (whole)
        describe(&loader);
    else
        fprintf(stderr, "camera_farm: %s: no keyframe with parameter sets; give an Annex B file\n",
                path);
    free(bytes);
    return whole;
}

void farm_picture_stamp(struct farm_picture *picture, const struct farm_stamp *stamp)
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < picture->packet_count; i++) {
        uint8_t *packet = picture->bytes + picture->packets[i];
        packet[1] = stamp->channel;
        put16(packet + 6, (uint32_t)stamp->seq + (uint32_t)i);
        put32(packet + 8, stamp->time);
        put32(packet + 12, stamp->ssrc);
    }
    for (int i = 0; i < NUMBER_DIGITS; i++)
        picture->bytes[picture->number_at + (size_t)i] =
            (uint8_t)digits[stamp->number >> (4 * (NUMBER_DIGITS - 1 - i)) & 15];
}
