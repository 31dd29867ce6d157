# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What made weather is made of: pictures as arrays, smooth random fields, gusts, light, displacement.

Light is a factor on the signal above black (16), of colour about grey (128). A surface that gets k
times the light has k ** (1 / 2.2) times the signal, which is what callers pass.
"""
import numpy as np

BLACK, GREY = 16, 128


class Picture:
    """Views of one raw 4:2:0 picture; writing to them changes its bytes."""

    def __init__(self, data, width, height):
        flat, half = np.frombuffer(data, np.uint8), (height // 2, width // 2)
        luma, chroma = width * height, half[0] * half[1]
        self.y = flat[:luma].reshape(height, width)
        self.u = flat[luma:luma + chroma].reshape(half)
        self.v = flat[luma + chroma:].reshape(half)

    def planes(self):
        return self.y, self.u, self.v


def store(plane, values):
    """Rounded and limited to what a byte holds."""
    plane[...] = np.clip(values + 0.5, 0, 255)


def light(picture, gain):
    """Multiplies the light by a factor for every point of the luma plane."""
    store(picture.y, (picture.y - np.float32(BLACK)) * gain + BLACK)
    half = gain[::2, ::2]
    for plane in (picture.u, picture.v):
        store(plane, (plane - np.float32(GREY)) * half + GREY)


def exposure(picture, gain):
    """Multiplies all light by one number."""
    levels = np.arange(256, dtype=np.float32)
    for plane, middle in ((picture.y, BLACK), (picture.u, GREY), (picture.v, GREY)):
        table = np.empty(256, np.uint8)
        store(table, (levels - middle) * gain + middle)
        plane[...] = table[plane]


def cover(picture, alpha, level):
    """Something grey before the scene: alpha (0-1) of it, that bright. Only where there is some it costs time."""
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not len(rows):
        return
    top, left = rows[0] // 2 * 2, columns[0] // 2 * 2
    box = (slice(top, rows[-1] + 1), slice(left, columns[-1] + 1))
    part, over = picture.y[box], alpha[box]
    store(part, part + over * (level - part.astype(np.float32)))
    half = over[::2, ::2]
    for plane in (picture.u, picture.v):
        part = plane[top // 2:top // 2 + half.shape[0], left // 2:left // 2 + half.shape[1]]
        store(part, part + half * (GREY - part.astype(np.float32)))


def enlarged(field, factor):
    """A field whose edges meet, drawn out smoothly to `factor` times its size."""
    for axis in (0, 1):
        at = np.arange(field.shape[axis] * factor, dtype=np.float32) / factor
        low = at.astype(int)
        part = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
        after = np.take(field, (low + 1) % field.shape[axis], axis)
        field = np.take(field, low, axis) * (1 - part) + after * part
    return field.astype(np.float32)


def smooth(rng, shape, scale):
    """Random field of mean 0 and deviation 1 whose hills are about `scale` wide; its edges meet."""
    rows, columns = (np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    keep = np.exp(-2 * (np.pi * scale / 2) ** 2 * (rows ** 2 + columns ** 2))
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * keep, shape)
    return ((field - field.mean()) / field.std()).astype(np.float32)


def ramp(values, low, high):
    """0 below low, 1 above high, smooth between."""
    part = np.clip((values - low) / (high - low), 0, 1)
    return part * part * (3 - 2 * part)


def bell(shape, x, y, wide, tall):
    """A soft blob, 1 in its middle."""
    row = np.exp(-((np.arange(shape[1], dtype=np.float32) - x) / wide) ** 2)
    column = np.exp(-((np.arange(shape[0], dtype=np.float32) - y) / tall) ** 2)
    return column[:, None] * row[None, :]


def scrolled(field, offset, width):
    """A window of that width out of a field whose left and right edges meet, between its columns too."""
    whole = int(np.floor(offset))
    part = np.float32(offset - whole)
    columns = (np.arange(width + 1) + whole) % field.shape[1]
    cut = field[:, columns]
    return cut[:, :-1] * (1 - part) + cut[:, 1:] * part


def gusts(rng, end_s, calm=0.12, every_s=5.0):
    """f(time) between calm and 1: wind that rises within about a second, every few seconds."""
    step_s = 0.05
    count = int(end_s / step_s) + 200
    wind = smooth(rng, (1, count), every_s / step_s / 2)[0]
    strength = calm + (1 - calm) * ramp(wind, -0.2, 1.4)
    return lambda t: float(np.interp(t / step_s, np.arange(count), strength))


def sampled(plane, rows, columns):
    """The plane at these places, also between its points; beyond its edges it goes on as at the edge."""
    rows = np.clip(rows, 0, plane.shape[0] - 1.001)
    columns = np.clip(columns, 0, plane.shape[1] - 1.001)
    row, column = rows.astype(np.int32), columns.astype(np.int32)
    below, right = rows - row, columns - column
    at = row * plane.shape[1] + column
    flat = plane.ravel().astype(np.float32)
    upper = flat[at] * (1 - right) + flat[at + 1] * right
    at += plane.shape[1]
    lower = flat[at] * (1 - right) + flat[at + 1] * right
    return upper * (1 - below) + lower * below


def displaced(plane, dx, dy, top, left):
    """The part of the plane from (top, left), as large as dx and dy, every point taken from that far away."""
    rows = np.arange(dx.shape[0], dtype=np.float32)[:, None] + top + dy
    columns = np.arange(dx.shape[1], dtype=np.float32)[None, :] + left + dx
    return sampled(plane, rows, columns)


def displace(picture, dx, dy, top, left):
    """Moves what lies in a part of the picture (even top and left); colour goes along."""
    height, width = dx.shape
    store(picture.y[top:top + height, left:left + width], displaced(picture.y, dx, dy, top, left))
    half_x, half_y = dx[::2, ::2] / 2, dy[::2, ::2] / 2
    rows, columns = slice(top // 2, top // 2 + half_x.shape[0]), slice(left // 2, left // 2 + half_x.shape[1])
    for plane in (picture.u, picture.v):
        store(plane[rows, columns], displaced(plane, half_x, half_y, top // 2, left // 2))


def shifted(plane, dx, dy):
    """The whole plane moved by parts of a pixel; its edges are drawn out."""
    reach = int(max(abs(dx), abs(dy))) + 2
    padded = np.pad(plane, reach, mode="edge").astype(np.float32)
    x, y = int(np.floor(dx)), int(np.floor(dy))
    right, below = np.float32(dx - x), np.float32(dy - y)
    rows, columns = slice(reach + y, reach + y + plane.shape[0]), slice(reach + x, reach + x + plane.shape[1])
    one_down = slice(rows.start + 1, rows.stop + 1)
    one_right = slice(columns.start + 1, columns.stop + 1)
    upper = padded[rows, columns] * (1 - right) + padded[rows, one_right] * right
    lower = padded[one_down, columns] * (1 - right) + padded[one_down, one_right] * right
    return upper * (1 - below) + lower * below


def stamp(canvas, patch, x, y):
    """Lays a small patch on the canvas with its middle there, the larger of both; beyond the edges it is cut."""
    top, left = int(round(y)) - patch.shape[0] // 2, int(round(x)) - patch.shape[1] // 2
    rows = slice(max(0, top), min(canvas.shape[0], top + patch.shape[0]))
    columns = slice(max(0, left), min(canvas.shape[1], left + patch.shape[1]))
    if rows.stop > rows.start and columns.stop > columns.start:
        part = patch[rows.start - top:rows.stop - top, columns.start - left:columns.stop - left]
        np.maximum(canvas[rows, columns], part, out=canvas[rows, columns])


def disc(radius, softness, part=(0.0, 0.0)):
    """A patch with a disc, 1 inside, its edge as soft as that share of the radius; moved by part of a pixel."""
    reach = int(np.ceil(radius * (1 + softness))) + 1
    axis = np.arange(-reach, reach + 1, dtype=np.float32)
    distance = np.hypot(axis[None, :] - part[0], axis[:, None] - part[1])
    return 1 - ramp(distance, radius * (1 - softness) - 0.5, radius * (1 + softness) + 0.5)
