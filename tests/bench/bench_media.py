# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Films for the bench: a clip played several times over in one file, with the same packets.

A gate learns a camera while it runs, so a clip of 20 s says nothing about it. Played four times,
the last play is judged. The plays are joined by ffmpeg's concat demuxer without touching a packet;
where the last play begins is read from the packets of the made file, not computed, and it is checked
that every play has the clip's packets, byte for byte, at the clip's own distances.
"""
import hashlib
import json
import os
import pathlib
from dataclasses import dataclass

from bench_run import BenchError, run

# Matroska keeps times in whole milliseconds, so a distance of two may be off by one.
ROUNDING_S = 0.0021


@dataclass
class Packet:
    time_s: float     # capture time, or decoding time where the container knows no other (AVI)
    duration_s: float
    key: bool
    digest: str       # of its bytes


def parse_packets(text):
    """Packets from ffprobe's JSON, in file order."""
    packets = []
    for entry in json.loads(text)["packets"]:
        time_s = entry.get("pts_time", entry.get("dts_time"))
        if time_s is None:
            raise BenchError("a packet without any time stamp")
        packets.append(Packet(float(time_s), float(entry.get("duration_time", 0)),
                              entry["flags"].startswith("K"), entry.get("data_hash", "")))
    return packets


def read_packets(film, hashed=True):
    """The packets of the film's video track; without hashed, their digests are empty."""
    entries = "packet=pts_time,dts_time,duration_time,flags"
    hashing = ["-show_data_hash", "md5"] if hashed else []
    shown = [*hashing, "-show_entries", entries + (",data_hash" if hashed else "")]
    return parse_packets(run(["ffprobe", "-v", "error", "-select_streams", "v:0", *shown, "-of", "json", film]).text)


def length_s(packets):
    """From the first picture to the end of the last."""
    first = min(packet.time_s for packet in packets)
    return max(packet.time_s + packet.duration_s for packet in packets) - first


def pass_offsets(clip, played, plays):
    """Where each play begins in the file, in seconds after its first picture.

    BenchError when the file is not exactly that many plays of the clip: other packets, another
    order, or other distances in time.
    """
    count = len(clip)
    if len(played) != plays * count:
        raise BenchError(f"{plays} plays of {count} packets make {len(played)} packets")
    offsets = []
    for play in range(plays):
        part = played[play * count:(play + 1) * count]
        for number, (ours, theirs) in enumerate(zip(clip, part)):
            if ours.digest != theirs.digest:
                raise BenchError(f"packet {number} of play {play} is not the clip's packet")
            moved = (theirs.time_s - part[0].time_s) - (ours.time_s - clip[0].time_s)
            if abs(moved) > ROUNDING_S:
                raise BenchError(f"packet {number} of play {play} is {moved:.4f} s off")
        offsets.append(part[0].time_s - played[0].time_s)
    return offsets


class Cache:
    """Made films, kept in a folder under a name that says what they were made from."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def film(self, name, recipe, make):
        """The film of that name; make(path) writes it when this recipe (text) was never made here."""
        stem, suffix = os.path.splitext(name)
        path = self.folder / f"{stem}-{hashlib.sha256(recipe.encode()).hexdigest()[:10]}{suffix}"
        if not path.exists():
            unfinished = path.with_name(f"unfinished-{path.name}")
            make(unfinished)
            unfinished.rename(path)
        return path


def join(parts, path, durations=None):
    """Writes the parts one after the other to path, packet for packet."""
    script = path.with_suffix(".ffconcat")
    lines = ["ffconcat version 1.0"]
    for number, part in enumerate(parts):
        quoted = str(pathlib.Path(part).resolve()).replace("'", r"'\''")
        lines.append(f"file '{quoted}'")
        if durations:
            lines.append(f"duration {durations[number]:.6f}")
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    # Without auto_convert 0 the demuxer would put parameter sets before every keyframe.
    run(["ffmpeg", "-v", "error", "-y", "-f", "concat", "-safe", "0", "-auto_convert", "0", "-i", script,
         "-map", "0:v:0", "-c", "copy", path])
    script.unlink()


def played(cache, clip, plays):
    """(file with that many plays of the clip, where the last begins, how long a play is).

    AVI stays AVI: its packets have no capture times, which other containers demand.
    """
    packets = read_packets(clip)
    length = length_s(packets)
    suffix = ".avi" if clip.suffix == ".avi" else ".mkv"
    made = cache.film(f"{clip.stem}-x{plays}{suffix}", f"{clip.resolve()} {clip.stat().st_mtime_ns} {plays}",
                      lambda path: join([clip] * plays, path, [length] * plays))
    return made, pass_offsets(packets, read_packets(made), plays)[-1], length
