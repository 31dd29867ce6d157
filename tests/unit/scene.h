// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A drawn scene for tests of analysis: a textured wall that never changes, in front of which things
// can be put. All of it is a function of position and number, so every run sees the same pictures.
#pragma once

#include <stdint.h>
#include <stdlib.h>

struct scene {
    int width, height;
    uint8_t *pixels;
    uint32_t random; // state of the noise
};

static void scene_init(struct scene *scene, int width, int height)
{
    *scene = (struct scene){width, height, malloc((size_t)(width * height)), 1};
}

static void scene_finish(struct scene *scene)
{
    free(scene->pixels);
}

static uint32_t scene_random(struct scene *scene)
{
    scene->random = scene->random * 1664525 + 1013904223;
    return scene->random >> 16;
}

// Bricks of different grey, 90 to 170, as seen by a camera that moved by (dx, dy).
static void scene_wall(struct scene *scene, int dx, int dy)
{
    for (int y = 0; y < scene->height; y++)
        for (int x = 0; x < scene->width; x++) {
            const uint32_t brick = (uint32_t)((x + dx + 64) / 12 * 7 + (y + dy + 64) / 9 * 13);
            scene->pixels[y * scene->width + x] = (uint8_t)(90 + brick * 2654435761U % 80);
        }
}

static inline void scene_noise(struct scene *scene, int levels)
{
    for (int i = 0; i < scene->width * scene->height; i++) {
        const int noise = (int)(scene_random(scene) % (uint32_t)(2 * levels + 1)) - levels;
        scene->pixels[i] = (uint8_t)(scene->pixels[i] + noise);
    }
}

static inline void scene_thing(struct scene *scene, int left, int top, int width, int height,
                               uint8_t level)
{
    for (int y = top; y < top + height; y++)
        for (int x = left; x < left + width; x++)
            if (x >= 0 && y >= 0 && x < scene->width && y < scene->height)
                scene->pixels[y * scene->width + x] = level;
}

// Brightness times percent / 100.
static inline void scene_expose(struct scene *scene, int percent)
{
    for (int i = 0; i < scene->width * scene->height; i++) {
        const int level = scene->pixels[i] * percent / 100;
        scene->pixels[i] = (uint8_t)(level > 255 ? 255 : level);
    }
}
