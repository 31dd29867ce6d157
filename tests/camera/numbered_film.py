# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Films whose pictures carry numbers, and how to read the numbers back out of a clip.

A film is a few seconds of H.264 or H.265 that ffmpeg encodes once, cut into pictures. Whoever sends a
picture puts an SEI message (user data, unregistered) with a 32-bit number in front of its first
slice. Every GOP of a film is closed, so one may begin with any, and follow any with any.
"""
import collections
import json
import pathlib
import re
import struct
import subprocess
import tempfile
import uuid
from dataclasses import dataclass

MARK = uuid.UUID("6a1f0c1e-6772-4977-a7c4-6e756d626572").bytes
START_CODE = re.compile(b"\0*\0\0\1")
SLICES = {"h264": range(1, 6), "h265": range(0, 32)}
KEYS = {"h264": (5,), "h265": range(16, 22)}
PARAMETER_SETS = {"h264": (7, 8), "h265": (32, 33, 34)}


def nal_type(codec, unit):
    return unit[0] & 0x1f if codec == "h264" else unit[0] >> 1 & 0x3f


def escape(payload):
    """Emulation prevention: no 00 00 0x (x <= 3) inside a NAL unit."""
    return re.sub(b"\0\0(?=[\0-\3])", b"\0\0\3", payload)


def unescape(unit):
    return unit.replace(b"\0\0\3", b"\0\0")


def number_unit(codec, number):
    """The NAL unit that says: this is picture `number`."""
    message = bytes([5, len(MARK) + 4]) + MARK + struct.pack(">I", number) + b"\x80"
    return (b"\x06" if codec == "h264" else b"\x4e\x01") + escape(message)


def find_number(units):
    """The number among a picture's NAL units, None when there is none."""
    for unit in units:
        at = unit.find(MARK)
        if at >= 0:
            return struct.unpack_from(">I", unescape(unit[at:]), len(MARK))[0]
    return None


# --- films ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Picture:
    slices: tuple  # NAL units
    key: bool
    shown: int     # its place in the order of showing


@dataclass(frozen=True)
class Film:
    codec: str
    parameter_sets: tuple
    pictures: tuple
    width: int
    height: int

    @property
    def delay(self):
        """By how many pictures one is at most sent later than it is shown."""
        return max(picture.shown - place for place, picture in enumerate(self.pictures))

    def next_key(self, place):
        """The place of the first keyframe at or behind this one; films are endless."""
        count = len(self.pictures)
        return next(at % count for at in range(place, place + count) if self.pictures[at % count].key)


FPS = 10
GOP = 10
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "30", "-sc_threshold", "0"]
X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-crf", "32", "-tag:v", "hvc1"]
# name: (codec, size, encoder)
FILMS = {
    "plain": ("h264", "192x108", [*X264, "-bf", "0"]),
    "b-frames": ("h264", "192x108", [*X264, "-bf", "2", "-x264-params", "b-adapt=0:b-pyramid=0"]),
    "big": ("h264", "256x144", [*X264, "-bf", "0"]),
    "other-parameters": ("h264", "192x108", [*X264, "-bf", "0", "-profile:v", "baseline", "-refs", "1"]),
    "slices": ("h264", "192x108", [*X264, "-bf", "0", "-slices", "3"]),
    "h265": ("h265", "192x108", [*X265, "-x265-params", "bframes=0"]),
    "h265-b-frames": ("h265", "192x108", [*X265, "-x265-params", "bframes=2:b-adapt=0:b-pyramid=0"]),
    "h265-slices": ("h265", "192x192", [*X265, "-x265-params", "bframes=0:slices=3"]),
}


class Films:
    """The films by name, each encoded when it is first asked for."""

    def __init__(self):
        self.made = {}

    def get(self, name):
        if name not in self.made:
            self.made[name] = huge(self.get("plain")) if name == "huge" else make(*FILMS[name])
        return self.made[name]


def make(codec, size, encoder):
    """Four seconds of a quiet scene in which something small moves."""
    width, height = map(int, size.split("x"))
    graph = (f"color=0x707068:s={size}:r={FPS}:d=4,noise=alls=30:all_seed=5,gblur=2,noise=alls=6:allf=t,"
             f"drawbox=x='{width // 8}+8*mod(t,4)':y={height // 3}:w=10:h=10:c=0xc8b090:t=fill")
    encoder = list(encoder)
    if codec == "h265":
        encoder[encoder.index("-x265-params") + 1] += (
            f":keyint={GOP}:min-keyint={GOP}:scenecut=0:open-gop=0:repeat-headers=0:log-level=error")
    with tempfile.TemporaryDirectory(prefix="gridwatch-film.") as folder:
        path = pathlib.Path(folder, "film.mp4")
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", graph, *encoder, "-g", str(GOP), "-keyint_min",
                        str(GOP), "-pix_fmt", "yuv420p", str(path)], check=True)
        return load(path, codec, width, height)


def load(path, codec, width, height):
    packets = read_packets(path)
    shown = {pts: place for place, pts in enumerate(sorted(packet.pts_us for packet in packets))}
    pictures = tuple(Picture(tuple(unit for unit in packet.units if nal_type(codec, unit) in SLICES[codec]),
                             packet.key, shown[packet.pts_us]) for packet in packets)
    return Film(codec, read_parameter_sets(path, codec), pictures, width, height)


def read_parameter_sets(path, codec):
    name = "h264" if codec == "h264" else "hevc"
    # Said outright: the muxer takes a first sample of 256 to 511 bytes for a byte stream already.
    stream = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-c", "copy", "-bsf:v",
                             f"{name}_mp4toannexb", "-f", name, "-"], capture_output=True, check=True).stdout
    sets = [unit for unit in split_units(stream) if nal_type(codec, unit) in PARAMETER_SETS[codec]]
    return tuple(dict.fromkeys(sets))


def split_units(stream):
    """The NAL units of a byte stream (Annex B)."""
    return [unit for unit in START_CODE.split(stream) if unit]


class BitWriter:
    def __init__(self):
        self.bits = ""

    def put(self, value, count):
        self.bits += format(value, f"0{count}b")
        return self

    def golomb(self, value):
        digits = format(value + 1, "b")
        self.bits += "0" * (len(digits) - 1) + digits
        return self

    def bytes(self):
        bits = self.bits + "1"
        bits += "0" * (-len(bits) % 8)
        return bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits), 8))


def huge(film):
    """The same film, but its SPS says that the pictures are 16384 x 16384."""
    bits = BitWriter().put(66, 8).put(0, 8).put(62, 8)  # baseline, level 6.2
    for value in (0, 0, 2, 1):  # id, log2 of frame numbers, order type, reference frames
        bits.golomb(value)
    bits.put(0, 1).golomb(1023).golomb(1023)  # gaps; width and height in macroblocks, less one
    bits.put(1, 1).put(1, 1).put(0, 1).put(0, 1)  # frames only, direct 8x8, no cropping, no VUI
    sps = b"\x67" + escape(bits.bytes())
    sets = tuple(sps if unit[0] & 0x1f == 7 else unit for unit in film.parameter_sets)
    return Film(film.codec, sets, film.pictures, 16384, 16384)


# --- reading -------------------------------------------------------------------------------------

Packet = collections.namedtuple("Packet", "pts_us dts_us duration_us key units")
# One picture of a clip; times are UTC.
Recorded = collections.namedtuple("Recorded", "number pts_us dts_us duration_us key")


PACKETS = "packet=pts_time,dts_time,duration_time,pos,size,flags"


def probe(path, *entries):
    done = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", ":".join(entries), "-of",
                           "json", str(path)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def cut_units(data):
    """The NAL units of an MP4 sample: each behind its length in four bytes."""
    at = 0
    while at < len(data):
        length, = struct.unpack_from(">I", data, at)
        yield data[at + 4:at + 4 + length]
        at += 4 + length


def read_packets(path):
    """The video packets of an MP4, in decoding order, times from its own zero."""
    return cut_packets(path, probe(path, PACKETS)["packets"])


def cut_packets(path, packets):
    data = pathlib.Path(path).read_bytes()

    def us(packet, name):
        return round(float(packet[name]) * 1e6)
    return [Packet(us(packet, "pts_time"), us(packet, "dts_time"), us(packet, "duration_time"), "K" in packet["flags"],
                   tuple(cut_units(data[int(packet["pos"]):][:int(packet["size"])]))) for packet in packets]


def read_clip(path):
    """The pictures of a clip that Gridwatch wrote, in decoding order (docs/design/storage.md)."""
    said = probe(path, PACKETS, "format_tags")
    start_us = int(said["format"]["tags"]["gridwatch_start_us"])
    return [Recorded(find_number(packet.units), start_us + packet.pts_us, start_us + packet.dts_us,
                     packet.duration_us, packet.key) for packet in cut_packets(path, said["packets"])]


def read_stream(data, codec):
    """The numbers in a byte stream (Annex B), in its order."""
    found = (find_number([unit]) for unit in split_units(data))
    return [number for number in found if number is not None]
