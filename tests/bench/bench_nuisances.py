# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weather, lamps, insects and poor sensors, laid over the pictures of a clip.

Each effect is a function of (scene, rng) that prepares what does not change and returns
change(picture, t), which is called with every picture in order. Sizes are in shares of the picture's
width, since clips differ: `unit` is what a pixel is in a picture 640 wide. What is random comes from
rng alone, so that the same clip and effect make the same film.
"""
import functools
from dataclasses import dataclass

import numpy as np

from bench_fields import (Picture, bell, cover, disc, displace, enlarged, exposure, gusts, light, ramp, sampled,
                          scrolled, shifted, smooth, stamp, store)


@dataclass
class Scene:
    """What an effect may know of the clip."""
    width: int
    height: int
    end_s: float
    stills: list    # some of its Pictures, where nothing moves if there is such a time
    spread: list    # some of its Pictures from start to end

    @property
    def shape(self):
        return self.height, self.width

    @property
    def unit(self):
        return self.width / 640

    def still(self):
        """The scene without what moves: the median, plane by plane."""
        return [np.median(planes, axis=0).astype(np.uint8) for planes in zip(*(one.planes() for one in self.stills))]

    def calmest(self, wide, tall, above):
        """Where a box hides the least of what happens: its left edge, of those at the height `above`."""
        unrest = np.std([one.y[above:above + tall].astype(np.float32) for one in self.spread], axis=0).sum(axis=0)
        lefts = range(0, self.width - wide, max(1, self.width // 20))
        return min(lefts, key=lambda left: unrest[left:left + wide].sum()) // 2 * 2


# --- light ---------------------------------------------------------------------------------------

def clouds(scene, rng):
    """Shadows with soft edges: 0.62 of the signal (a third of the light), a picture's width in 8 s."""
    coarse = scene.width // 80 or 1
    size = (scene.width // coarse, 8 * scene.width // coarse)  # taller than the picture: clouds are larger than it
    hills = smooth(rng, size, 0.9 * size[0]) + 0.25 * smooth(rng, size, 0.25 * size[0])
    gain = enlarged(1 - np.float32(0.38) * ramp(hills, -0.1, 0.7), coarse)[:scene.height]
    speed = scene.width / 8 * rng.choice((-1, 1))
    return lambda picture, t: light(picture, scrolled(gain, speed * t, scene.width))


def headlights(scene, rng):
    """A pair of beams sweeps over what is there for 2.2 s, every 7 s, to and fro; up to 5 times the light."""
    relief = np.clip(0.8 + 0.2 * smooth(rng, scene.shape, 0.05 * scene.width), 0.3, 1.2)
    base = rng.uniform(0.45, 0.65) * scene.height

    def change(picture, t):
        number, part = int((t + 4) // 7), ((t + 4) % 7) / 2.2
        if part >= 1:
            return
        x = (-0.3 + 1.6 * part ** 1.6) * scene.width
        x = x if number % 2 else scene.width - x
        wide = (0.07 + 0.08 * part) * scene.width
        y = base - 0.08 * scene.height * part
        beams = sum(bell(scene.shape, x + side * wide, y, wide, wide * 0.6) for side in (-0.8, 0.8))
        light(picture, 1 + np.float32(1.1 * np.sin(np.pi * part) ** 0.5) * np.minimum(beams, 1) * relief)
    return change


def lamp(scene, rng):
    """A lamp lights a third of the picture up to 3.5 times and the rest a little; on for 5 s of 10, within 0.1 s."""
    x, y = rng.uniform(0.25, 0.75) * scene.width, rng.uniform(0.2, 0.5) * scene.height
    pool = 0.06 + 0.75 * bell(scene.shape, x, y, 0.3 * scene.width, 0.3 * scene.width)

    def change(picture, t):
        phase = t % 10
        share = ramp(phase, 3.0, 3.1) - ramp(phase, 8.0, 8.1)
        if share > 0:
            light(picture, 1 + np.float32(share) * pool)
    return change


def steps(scene, rng):
    """The gain jumps every 4 s, from one picture to the next."""
    levels = (1.0, 0.82, 1.12, 0.9)
    return lambda picture, t: exposure(picture, np.float32(levels[int(t // 4) % len(levels)]))


def exposure_hunts(scene, rng):
    """The gain swings by 10 % up and down with a period of 4 s."""
    return lambda picture, t: exposure(picture, np.float32(1 + 0.1 * np.sin(2 * np.pi * t / 4)))


def dimming(scene, rng):
    """Every 20 s all light fades to 60 % of the signal within 2 s, stays 4 s and comes back within 2 s."""
    def change(picture, t):
        phase = t % 20
        exposure(picture, np.float32(1 - 0.4 * (ramp(phase, 4, 6) - ramp(phase, 10, 12))))
    return change


def fog(scene, rng):
    """35 % of the contrast before a bright veil, and noise of 1.5 levels."""
    def change(picture, t):
        noise = rng.standard_normal(scene.shape, np.float32) * np.float32(1.5)
        store(picture.y, picture.y * np.float32(0.35) + np.float32(0.65 * 160) + noise)
        for plane in (picture.u, picture.v):
            store(plane, plane * np.float32(0.35) + np.float32(0.65 * 128))
    return change


def noise_dark(scene, rng):
    """A quarter of the signal, blotchy noise, and a camera that smooths it over time where little changes."""
    before = None

    def soft(plane):
        padded = np.pad(plane, 1, mode="edge")
        across = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
        return (across[:-2] + across[1:-1] + across[2:]) / 9

    def change(picture, t):
        nonlocal before
        exposure(picture, np.float32(0.25))
        noisy = soft(picture.y + rng.standard_normal(scene.shape, np.float32) * np.float32(24))
        if before is None:
            before = noisy
        unlike = np.abs(soft(noisy - before))
        before = before + (0.2 + 0.6 * ramp(unlike, 8, 16)) * (noisy - before)
        store(picture.y, before)
    return change


# --- what flies and falls ------------------------------------------------------------------------

def insect(scene, rng):
    """Every 6 s something out of focus flies past close to the lens, for 0.5 to 1.1 s; it is pale in dark scenes."""
    level = 35 if np.median(scene.stills[0].y) > 70 else 190

    def flight():
        side = rng.choice((-0.15, 1.15))
        points = np.array([(side, rng.uniform(0.1, 0.9)), (rng.uniform(0.2, 0.8), rng.uniform(-0.2, 1.2)),
                           (rng.uniform(-0.15, 1.15), rng.choice((-0.3, 1.3)))])
        return points * (scene.width, scene.height), rng.uniform(0.5, 1.1), rng.uniform(0.03, 0.055) * scene.width

    flights = [flight() for _ in range(int(scene.end_s / 6) + 2)]

    def change(picture, t):
        (one, two, three), lasts_s, radius = flights[int((t + 4) // 6)]
        part = ((t + 4) % 6) / lasts_s
        if part > 1:
            return
        alpha = np.zeros(scene.shape, np.float32)
        for blur in np.linspace(0, 0.012, 5):  # it moves while the shutter is open
            s = part + blur / lasts_s
            x, y = one * (1 - s) ** 2 + two * 2 * s * (1 - s) + three * s ** 2
            beat = 0.6 + 0.4 * np.sin(2 * np.pi * 170 * (t + blur))
            here = np.zeros(scene.shape, np.float32)
            stamp(here, disc(radius, 0.35) * np.float32(0.8), x, y)
            for wing in (-1, 1):
                stamp(here, disc(radius * 0.8, 0.5) * np.float32(0.4 * beat), x + wing * radius * 1.1, y - radius * 0.5)
            alpha += here / 5
        cover(picture, alpha, np.float32(level))
    return change


def rain(scene, rng):
    """New streaks in every picture: many thin and faint far away, a few long and wide close by, all on a slant."""
    slant = rng.uniform(-0.2, 0.2)

    def layer(alpha, count, length, wide, strength):
        x0, y0 = rng.uniform(-20, scene.width + 20, count), rng.uniform(-length, scene.height, count)
        along = np.arange(max(3, int(length)))
        lengths = rng.uniform(0.6, 1.0, count)[:, None] * length
        x, y = x0[:, None] + slant * along, y0[:, None] + along
        fade = np.sin(np.pi * np.clip(along / lengths, 0, 1)) * rng.uniform(0.4, 1, count)[:, None] * strength
        for column in range(wide + 1):
            part = x % 1 if column == wide else (1 - x % 1 if column == 0 else 1)
            at_x, at_y = np.floor(x).astype(int) + column, y.astype(int)
            inside = (at_x >= 0) & (at_x < scene.width) & (at_y >= 0) & (at_y < scene.height)
            value = (fade * part)[inside]
            alpha[at_y[inside], at_x[inside]] = np.maximum(alpha[at_y[inside], at_x[inside]], value)

    def change(picture, t):
        alpha = np.zeros(scene.shape, np.float32)
        layer(alpha, 260, 14 * scene.unit, 1, 0.22)
        layer(alpha, 60, 34 * scene.unit, 1, 0.32)
        layer(alpha, 6, 90 * scene.unit, max(1, round(3 * scene.unit)), 0.28)
        cover(picture, alpha, np.float32(205))
    return change


def falling(scene, rng, count, radius, speed, alpha, softness):
    """Flakes that sink and drift to and fro, each with its size and speed; below the picture they begin anew above."""
    room = np.array([scene.width, scene.height]) + 4 * radius[1]
    start, near = rng.uniform(0, 1, (count, 2)) * room, rng.uniform(0, 1, count)
    radii, speeds = radius[0] + near * (radius[1] - radius[0]), speed[0] + near * (speed[1] - speed[0])
    sway, rhythm, phase = rng.uniform(0.05, 0.3, count), rng.uniform(0.15, 0.5, count), rng.uniform(0, 6.28, count)
    wind, solid = rng.uniform(-0.3, 0.3), rng.uniform(*alpha, count)

    @functools.lru_cache(maxsize=None)
    def flake(n, right, down):
        return disc(radii[n], softness, (right / 4, down / 4)) * np.float32(solid[n])

    def change(picture, t):
        mask = np.zeros(scene.shape, np.float32)
        for n in range(count):
            fallen = start[n, 1] + speeds[n] * t
            jump = fallen // room[1] * 0.618 * room[0]  # the next one falls elsewhere
            x = (start[n, 0] + jump + wind * speeds[n] * t) % room[0] - 2 * radius[1]
            x += sway[n] * speeds[n] * np.sin(2 * np.pi * rhythm[n] * t + phase[n])
            y = fallen % room[1] - 2 * radius[1]
            stamp(mask, flake(n, round(4 * (x - round(x))), round(4 * (y - round(y)))), x, y)
        cover(picture, mask, np.float32(225))
    return change


def snow(scene, rng):
    """150 small flakes that take 3 to 6 s from top to bottom."""
    pixel = scene.unit
    return falling(scene, rng, 150, (0.6 * pixel, 1.7 * pixel), (scene.height / 6, scene.height / 3), (0.4, 0.8), 0.4)


def snow_close(scene, rng):
    """Seven large flakes close to the lens, out of focus, 1.5 to 2.5 s from top to bottom."""
    pixel = scene.unit
    return falling(scene, rng, 7, (7 * pixel, 20 * pixel), (scene.height / 2.5, scene.height / 1.5), (0.35, 0.65), 0.25)


# --- what the wind moves -------------------------------------------------------------------------

def shakes(scene, rng):
    """The camera shakes in the wind, by up to 2 pixels, at 2 to 7 Hz."""
    wind, hertz = gusts(rng, scene.end_s, 0.4), np.array((2.3, 4.1, 6.7))
    phases = rng.uniform(0, 2 * np.pi, (2, 3))

    def change(picture, t):
        dx, dy = 2 * wind(t) * (np.sin(2 * np.pi * hertz * t + phases) * (0.5, 0.3, 0.2)).sum(axis=1)
        store(picture.y, shifted(picture.y, dx, dy))
        for plane in (picture.u, picture.v):
            store(plane, shifted(plane, dx / 2, dy / 2))
    return change


def sway(scene, rng):
    """The left or right third sways like a bush: to 7 pixels of 640, every spot in its own rhythm, in gusts."""
    third = scene.width // 6 * 2
    left = rng.choice((0, scene.width - third)) // 2 * 2
    across = np.arange(third, dtype=np.float32)[None, :]
    inner = third - across if left == 0 else across
    depth = ramp(inner, 0, 0.25 * third) * np.clip(1 + 0.4 * smooth(rng, (scene.height, third), 0.08 * third), 0, 2)
    phase = 2 * smooth(rng, (scene.height, third), 0.35 * third)
    ripple = 2.5 * smooth(rng, (scene.height, third), 0.13 * third)
    wind = gusts(rng, scene.end_s)

    def change(picture, t):
        slow, quick = 2 * np.pi * 0.7 * t, 2 * np.pi * 1.9 * t
        push = np.float32(5 * scene.unit * wind(t)) * depth
        dx = push * (0.4 + 0.7 * np.sin(slow + phase) + 0.25 * np.sin(quick + ripple))
        dy = push * (0.25 * np.sin(slow + phase + 1) + 0.2 * np.cos(quick + ripple))
        displace(picture, dx.astype(np.float32), dy.astype(np.float32), 0, left)
    return change


def water(scene, rng):
    """The lower third is seen through ripples that run on, smaller far away, with glints on their slopes."""
    top = scene.height * 2 // 3 // 2 * 2
    rows = scene.height - top
    near = (np.arange(rows, dtype=np.float32)[:, None] + 1) / rows
    far = 1 / (near + 0.25)
    x = (np.arange(scene.width, dtype=np.float32)[None, :] / scene.width - 0.5) * far * 9
    waves = [(a, np.sin(heading), np.cos(heading), length, rng.uniform(0, 2 * np.pi)) for a, heading, length in
             zip((1, 0.8, 0.6, 0.5), rng.uniform(-0.9, 0.9, 4), (1.0, 0.65, 0.42, 0.28))]
    grain = smooth(rng, (rows, scene.width), 2.0)
    edge = ramp(near, 0, 0.15)

    def change(picture, t):
        along = across = 0
        for a, side, ahead, length, phase in waves:
            k = 2 * np.pi / length
            slope = a * np.sin(k * (side * x + ahead * far * 6) - np.sqrt(9.8 * k) * 0.35 * t + phase)
            along, across = along + ahead * slope, across + side * slope
        reach = np.float32(2.2 * scene.unit) * edge * (0.3 + near)
        displace(picture, (reach * across).astype(np.float32), (reach * along).astype(np.float32), top, 0)
        part = picture.y[top:]
        glint = ramp(along + 0.5 * grain, 1.7, 2.4) * edge
        store(part, (part - np.float32(16)) * (1 + 0.05 * along * edge) + 16 + 110 * glint)
    return change


def banner(scene, rng):
    """A printed cloth hangs from its upper edge and bobs in gusts, its lower edge most."""
    wide, tall = int(0.2 * scene.width), int(0.15 * scene.height)
    above = int(0.1 * scene.height) // 2 * 2
    left = scene.calmest(wide, tall, above)
    margin = int(22 * scene.unit) // 2 * 2
    cloth = printed(rng, wide, tall)
    box = (slice(above - min(above, margin), above + tall + 2 * margin),
           slice(max(0, left - margin), left + wide + margin))
    rows = np.arange(box[0].start, box[0].stop, dtype=np.float32)[:, None] - above
    columns = np.arange(box[1].start, box[1].stop, dtype=np.float32)[None, :] - left
    wind = gusts(rng, scene.end_s)

    def change(picture, t):
        force, loose = wind(t), 0.15 + 0.85 * np.clip(rows / tall, 0, 1.3)
        swing = np.sin(2 * np.pi * 0.8 * t) + 0.4 * np.sin(2 * np.pi * 1.3 * t + 1)
        wave = np.sin(2 * np.pi * (1.5 * columns / wide - 1.6 * t))
        x = columns - np.float32(8 * scene.unit * force) * loose * swing
        y = rows - np.float32(10 * scene.unit * force) * loose * (0.6 * swing + 0.5 * wave - 0.6)
        alpha = np.clip(np.minimum(np.minimum(x, wide - x), np.minimum(y, tall - y)) + 0.5, 0, 1)
        shade = 1 + 0.12 * force * np.cos(2 * np.pi * (1.5 * columns / wide - 1.6 * t))
        part = picture.y[box]
        store(part, part + alpha * (sampled(cloth, y, x) * shade - part.astype(np.float32)))
        half = tuple(slice(side.start // 2, side.stop // 2) for side in box)
        for plane, colour in ((picture.u, 118), (picture.v, 140)):
            piece = plane[half]
            over = alpha[::2, ::2][:piece.shape[0], :piece.shape[1]]
            store(piece, piece + over * (colour - piece.astype(np.float32)))
    return change


def printed(rng, wide, tall):
    """Luma of a cloth: a pale ground, a dark band, and two lines of what could be letters."""
    cloth = np.full((tall, wide), 185, np.float32)
    cloth[:max(2, tall // 8)] = cloth[-max(2, tall // 8):] = 70
    size = max(2, tall // 5)
    for line in (0.25, 0.58):
        top = int(line * tall)
        for left in range(size, wide - size, size):
            if rng.uniform() < 0.75:
                cloth[top:top + size, left:left + max(1, int(size * rng.uniform(0.3, 0.7)))] = 50
    return cloth


# --- another place for the camera ----------------------------------------------------------------

def distant(scene, rng):
    """The scene at half its size in the middle; around it a still of it, mirrored and blurred."""
    height, width = scene.height // 4 * 2, scene.width // 4 * 2
    top, left = (scene.height - height) // 4 * 2, (scene.width - width) // 4 * 2

    def halved(plane, rows, columns):
        cut = plane[:2 * rows, :2 * columns].astype(np.float32)
        return (cut[::2, ::2] + cut[1::2, ::2] + cut[::2, 1::2] + cut[1::2, 1::2]) / 4

    around = []
    for plane, part in zip(scene.still(), (1, 2, 2)):
        inner = halved(plane, height // part, width // part)
        up, aside = top // part, left // part
        canvas = np.pad(inner, ((up, plane.shape[0] - inner.shape[0] - up),
                                (aside, plane.shape[1] - inner.shape[1] - aside)), mode="symmetric")
        for _ in range(3):
            canvas = sum(shifted(canvas, x, y) for x in (-2, 0, 2) for y in (-2, 0, 2)) / 9
        around.append(canvas)

    def change(picture, t):
        for plane, canvas, part in zip(picture.planes(), around, (1, 2, 2)):
            rows, columns = height // part, width // part
            up, aside = top // part, left // part
            inner = halved(plane, rows, columns)
            store(plane, canvas)
            store(plane[up:up + rows, aside:aside + columns], inner)
    return change


EFFECTS = {effect.__name__: effect for effect in (
    clouds, headlights, lamp, steps, exposure_hunts, dimming, fog, noise_dark, insect, rain, snow, snow_close, shakes,
    sway, water, banner, distant)}


def changed(effect, scene, seed, pictures, times_s):
    """The pictures (bytearrays), each changed in its place."""
    change = EFFECTS[effect](scene, np.random.default_rng(seed))
    for data, time in zip(pictures, times_s):
        change(Picture(data, scene.width, scene.height), time)
        yield data
