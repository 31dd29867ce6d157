// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/mp4_build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "storage/clip_muxer.h"
#include "storage/mp4_box.h"
#include "storage/mp4_bytes.h"

#define VERSION_1 (UINT32_C(1) << 24) // 64-bit times
#define TRACK     1

// --- bytes ---------------------------------------------------------------------------------------

static uint8_t *extend(struct gw_mp4_bytes *out, size_t size)
{
    if (out->size + size > out->room) {
        out->room = (out->size + size) * 2;
        out->bytes = realloc(out->bytes, out->room);
        if (!out->bytes)
            abort();
    }
    out->size += size;
    return out->bytes + out->size - size;
}

static void put(struct gw_mp4_bytes *out, int size, uint64_t value)
{
    gw_put_big_endian(extend(out, (size_t)size), value, size);
}

static void put_zeros(struct gw_mp4_bytes *out, size_t size)
{
    memset(extend(out, size), 0, size);
}

static void put_bytes(struct gw_mp4_bytes *out, const void *bytes, size_t size)
{
    memcpy(extend(out, size), bytes, size);
}

// Begins a box; end() fills in its size.
static size_t begin(struct gw_mp4_bytes *out, const char type[5])
{
    put(out, 4, 0);
    put_bytes(out, type, 4);
    return out->size - 8;
}

// The same with version and flags.
static size_t begin_full(struct gw_mp4_bytes *out, const char type[5], uint32_t version_and_flags)
{
    size_t box = begin(out, type);
    put(out, 4, version_and_flags);
    return box;
}

static void end(struct gw_mp4_bytes *out, size_t box)
{
    gw_put_big_endian(out->bytes + box, out->size - box, 4);
}

static void put_full(struct gw_mp4_bytes *out, const char type[5], uint32_t version_and_flags,
                     size_t zeros)
{
    size_t box = begin_full(out, type, version_and_flags);
    put_zeros(out, zeros);
    end(out, box);
}

// --- header --------------------------------------------------------------------------------------

static void put_matrix(struct gw_mp4_bytes *out)
{
    static const uint32_t matrix[] = {0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000};
    for (int i = 0; i < 9; i++)
        put(out, 4, matrix[i]);
}

static void put_movie_header(struct gw_mp4_bytes *out, const struct gw_mp4_movie *movie)
{
    size_t mvhd = begin_full(out, "mvhd", VERSION_1);
    put_zeros(out, 16);
    put(out, 4, GW_MP4_TIMESCALE);
    put(out, 8, (uint64_t)movie->duration_ticks);
    put(out, 4, 0x10000); // normal speed
    put(out, 2, 0x100);   // full volume
    put_zeros(out, 10);
    put_matrix(out);
    put_zeros(out, 24);
    put(out, 4, TRACK + 1); // the next one
    end(out, mvhd);
}

static void put_track_header(struct gw_mp4_bytes *out, const struct gw_mp4_movie *movie)
{
    size_t tkhd = begin_full(out, "tkhd", VERSION_1 | 3); // on, in the movie
    put_zeros(out, 16);
    put(out, 4, TRACK);
    put_zeros(out, 4);
    put(out, 8, (uint64_t)movie->duration_ticks);
    put_zeros(out, 16);
    put_matrix(out);
    put(out, 4, (uint64_t)movie->width << 16);
    put(out, 4, (uint64_t)movie->height << 16);
    end(out, tkhd);
}

static void put_edits(struct gw_mp4_bytes *out, const struct gw_mp4_movie *movie)
{
    if (!movie->shift_ticks)
        return;
    size_t edts = begin(out, "edts"), elst = begin_full(out, "elst", 0);
    put(out, 4, 1);
    put(out, 4, 0); // all there is
    put(out, 4, (uint64_t)movie->shift_ticks);
    put(out, 4, 0x10000);
    end(out, elst);
    end(out, edts);
}

static void put_media_header(struct gw_mp4_bytes *out, const struct gw_mp4_movie *movie)
{
    size_t mdhd = begin_full(out, "mdhd", VERSION_1);
    put_zeros(out, 16);
    put(out, 4, GW_MP4_TIMESCALE);
    put(out, 8, (uint64_t)movie->duration_ticks);
    put(out, 4, 0x55c40000); // no language
    end(out, mdhd);
    size_t hdlr = begin_full(out, "hdlr", 0);
    put_zeros(out, 4);
    put_bytes(out, "vide", 4);
    put_zeros(out, 12);
    put_bytes(out, "VideoHandler", sizeof("VideoHandler"));
    end(out, hdlr);
}

// The pictures are in the fragments, so all but the sample entries is empty.
static void put_sample_table(struct gw_mp4_bytes *out, const struct gw_mp4_movie *movie)
{
    size_t stbl = begin(out, "stbl"), stsd = begin_full(out, "stsd", 0);
    put(out, 4, (uint64_t)movie->entry_count);
    for (int i = 0; i < movie->entry_count; i++)
        put_bytes(out, movie->entries[i], (size_t)movie->entry_sizes[i]);
    end(out, stsd);
    put_full(out, "stts", 0, 4);
    put_full(out, "stsc", 0, 4);
    put_full(out, "stsz", 0, 8);
    put_full(out, "stco", 0, 4);
    end(out, stbl);
}

static void put_media_information(struct gw_mp4_bytes *out, const struct gw_mp4_movie *movie)
{
    size_t minf = begin(out, "minf");
    put_full(out, "vmhd", 1, 8);
    size_t dinf = begin(out, "dinf"), dref = begin_full(out, "dref", 0);
    put(out, 4, 1);
    put_full(out, "url ", 1, 0); // in this file
    end(out, dref);
    end(out, dinf);
    put_sample_table(out, movie);
    end(out, minf);
}

static void put_track(struct gw_mp4_bytes *out, const struct gw_mp4_movie *movie)
{
    size_t trak = begin(out, "trak");
    put_track_header(out, movie);
    put_edits(out, movie);
    size_t mdia = begin(out, "mdia");
    put_media_header(out, movie);
    put_media_information(out, movie);
    end(out, mdia);
    end(out, trak);
}

static void put_defaults(struct gw_mp4_bytes *out)
{
    size_t mvex = begin(out, "mvex"), trex = begin_full(out, "trex", 0);
    put(out, 4, TRACK);
    put(out, 4, 1); // sample entry
    put_zeros(out, 12);
    end(out, trex);
    end(out, mvex);
}

// --- identity ------------------------------------------------------------------------------------

struct tag {
    const char *name;
    char text[64];
};

static int list_tags(const struct gw_mp4_movie *movie, struct tag tags[4])
{
    int count = 0;
    char id[GW_ID_TEXT_SIZE];
    if (movie->id) {
        tags[count].name = GW_CLIP_TAG_ID;
        snprintf(tags[count++].text, sizeof(tags->text), "%s", gw_id_format(id, movie->id));
    }
    tags[count].name = GW_CLIP_TAG_CAMERA;
    snprintf(tags[count++].text, sizeof(tags->text), "%s", movie->camera);
    tags[count].name = GW_CLIP_TAG_START_US;
    snprintf(tags[count++].text, sizeof(tags->text), "%" PRId64, movie->start_us);
    if (movie->clock_offset_us != GW_NO_TIME) {
        tags[count].name = GW_CLIP_TAG_CLOCK_OFFSET_US;
        snprintf(tags[count++].text, sizeof(tags->text), "%" PRId64, movie->clock_offset_us);
    }
    return count;
}

static void put_keys(struct gw_mp4_bytes *out, const struct tag *tags, int count)
{
    size_t keys = begin_full(out, "keys", 0);
    put(out, 4, (uint64_t)count);
    for (int i = 0; i < count; i++) {
        size_t key = begin(out, "mdta");
        put_bytes(out, tags[i].name, strlen(tags[i].name));
        end(out, key);
    }
    end(out, keys);
}

static void put_values(struct gw_mp4_bytes *out, const struct tag *tags, int count)
{
    size_t ilst = begin(out, "ilst");
    for (int i = 0; i < count; i++) {
        size_t item = out->size;
        put(out, 4, 0);
        put(out, 4, (uint64_t)i + 1);
        size_t data = begin_full(out, "data", 1); // UTF-8
        put_zeros(out, 4);
        put_bytes(out, tags[i].text, strlen(tags[i].text));
        end(out, data);
        end(out, item);
    }
    end(out, ilst);
}

static void put_identity(struct gw_mp4_bytes *out, const struct gw_mp4_movie *movie)
{
    struct tag tags[4];
    int count = list_tags(movie, tags);
    size_t udta = begin(out, "udta"), meta = begin_full(out, "meta", 0);
    size_t hdlr = begin_full(out, "hdlr", 0);
    put_zeros(out, 4);
    put_bytes(out, "mdta", 4);
    put_zeros(out, 13);
    end(out, hdlr);
    put_keys(out, tags, count);
    put_values(out, tags, count);
    end(out, meta);
    end(out, udta);
}

void gw_mp4_build_header(struct gw_mp4_bytes *out, const struct gw_mp4_movie *movie)
{
    size_t ftyp = begin(out, "ftyp");
    put_bytes(out, "iso5\0\0\2\0iso5iso6mp41", 20);
    end(out, ftyp);
    size_t moov = begin(out, "moov");
    put_movie_header(out, movie);
    put_track(out, movie);
    put_defaults(out);
    put_identity(out, movie);
    end(out, moov);
}

// --- index ---------------------------------------------------------------------------------------

void gw_mp4_build_index(struct gw_mp4_bytes *out, const struct gw_mp4_fragment *fragments,
                        int count, int64_t end_ticks)
{
    const int group = gw_mp4_index_group(fragments, count, GW_MP4_BUILT_ENTRIES);
    const int entries = gw_mp4_index_entries(fragments, count, group);
    const size_t size = GW_MP4_INDEX_HEAD_SIZE + GW_MP4_INDEX_ENTRY_SIZE * (size_t)entries;
    if (entries <= GW_MP4_INDEX_ENTRIES) {
        size_t room = begin(out, "free");
        put_zeros(out, GW_MP4_ROOM_SIZE - 8 - size);
        end(out, room);
    }
    gw_mp4_put_index(extend(out, size), fragments, count, group, end_ticks);
}

// --- fragments -----------------------------------------------------------------------------------

// Which fields of the pictures differ from one to the next; the flags of the first may always.
static uint32_t find_differences(const struct gw_mp4_pictures *pictures)
{
    const struct gw_mp4_sample *samples = pictures->samples;
    uint32_t flags = GW_MP4_TRUN_DATA | GW_MP4_TRUN_FIRST_FLAGS | GW_MP4_TRUN_SIZE;
    for (int i = 0; i < pictures->count; i++) {
        if (samples[i].duration != samples[0].duration)
            flags |= GW_MP4_TRUN_DURATION;
        if (samples[i].offset)
            flags |= GW_MP4_TRUN_OFFSET;
        if (i > 1 && samples[i].flags != samples[1].flags)
            flags |= GW_MP4_TRUN_FLAGS;
    }
    return flags & GW_MP4_TRUN_FLAGS ? flags & ~GW_MP4_TRUN_FIRST_FLAGS : flags;
}

static void put_run(struct gw_mp4_bytes *out, uint32_t flags,
                    const struct gw_mp4_pictures *pictures, int before_size, size_t *ret_data)
{
    size_t trun = begin_full(out, "trun", flags);
    put(out, 4, (uint64_t)pictures->count);
    *ret_data = out->size;
    put(out, 4, 0);
    if (flags & GW_MP4_TRUN_FIRST_FLAGS)
        put(out, 4, pictures->samples[0].flags);
    for (int i = 0; i < pictures->count; i++) {
        const struct gw_mp4_sample *sample = &pictures->samples[i];
        if (flags & GW_MP4_TRUN_DURATION)
            put(out, 4, sample->duration);
        put(out, 4, sample->size + (i == 0 ? (uint32_t)before_size : 0));
        if (flags & GW_MP4_TRUN_FLAGS)
            put(out, 4, sample->flags);
        if (flags & GW_MP4_TRUN_OFFSET)
            put(out, 4, (uint32_t)sample->offset);
    }
    end(out, trun);
}

void gw_mp4_build_moof(struct gw_mp4_bytes *out, uint32_t sequence, uint32_t description,
                       int64_t dts, const struct gw_mp4_pictures *pictures, const uint8_t *before,
                       int before_size)
{
    size_t data, moof = begin(out, "moof"), mfhd = begin_full(out, "mfhd", 0);
    put(out, 4, sequence);
    end(out, mfhd);
    size_t traf = begin(out, "traf");
    size_t tfhd = begin_full(out, "tfhd",
                             GW_MP4_TFHD_BASE_IS_MOOF | GW_MP4_TFHD_DESCRIPTION |
                                 GW_MP4_TFHD_DURATION | GW_MP4_TFHD_FLAGS);
    put(out, 4, TRACK);
    put(out, 4, description);
    put(out, 4, pictures->samples[0].duration);
    put(out, 4, pictures->samples[pictures->count > 1].flags);
    end(out, tfhd);
    size_t tfdt = begin_full(out, "tfdt", VERSION_1);
    put(out, 8, (uint64_t)dts);
    end(out, tfdt);
    put_run(out, find_differences(pictures), pictures, before_size, &data);
    end(out, traf);
    end(out, moof);
    gw_put_big_endian(out->bytes + data, out->size - moof + 8, 4);
    put(out, 4, (uint64_t)(pictures->data_size + before_size) + 8);
    put_bytes(out, "mdat", 4);
    put_bytes(out, before, (size_t)before_size);
}
