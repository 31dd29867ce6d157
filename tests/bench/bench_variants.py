# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The labelled clips as other cameras, other weather or other clocks would have made them.

    clip + labels -> VARIANTS[name] -> WORK/name/clip.mkv + clip.json (labels, moved with the pictures)

A variant is a filter of ffmpeg's, an effect of bench_nuisances (which needs python3-numpy), another
order or speed of the pictures, or another way to encode. All are deterministic: what is random is
seeded by the names of variant and clip.
"""
import hashlib
import importlib.util
import json
import math
import os
import pathlib
import zlib
from dataclasses import dataclass

import bench_pictures
from bench_media import length_s, read_packets
from bench_run import run

WIDEST = 640  # what is wider is scaled down first: analysis looks at 320, and films are made quickly
STILLS, SPREAD = 9, 25
X264 = ("-crf", "23")


# --- order and speed -----------------------------------------------------------------------------

@dataclass(frozen=True)
class Part:
    """A piece of the clip, as it is played."""
    start_s: float
    end_s: float
    backwards: bool = False
    speed: float = 1.0

    @property
    def length_s(self):
        return (self.end_s - self.start_s) / self.speed

    def time(self, t):
        """When in this part's own time the clip's time t comes."""
        return (self.end_s - t if self.backwards else t - self.start_s) / self.speed


def at_speed(speed, backwards=False):
    return lambda labels, end_s: [Part(0.0, end_s, backwards, speed)]


def to_and_fro(labels, end_s):
    """Every quiet interval forwards, backwards and forwards again."""
    parts, at_s = [], 0.0
    for start, end in labels["quiet"]:
        parts.append(Part(at_s, start))
        parts += [Part(start, min(end, end_s)), Part(start, min(end, end_s), True)]
        at_s = start
    parts.append(Part(at_s, end_s))
    return [part for part in parts if part.length_s > 0]


def played(times_s, end_s, parts):
    """[(number of the picture, when it begins)] of a clip whose pictures begin at times_s."""
    ends, order, offset = [*times_s[1:], end_s], [], 0.0
    for part in parts:
        inside = [n for n, t in enumerate(times_s) if part.start_s <= t < part.end_s]
        for number in reversed(inside) if part.backwards else inside:
            begins = min(ends[number], part.end_s) if part.backwards else times_s[number]
            order.append((number, offset + part.time(begins)))
        offset += part.length_s
    return order


def moved(start_s, end_s, parts):
    """Where an interval of the clip lies when it is played like that: [[start_s, end_s]], touching ones joined."""
    found, offset = [], 0.0
    for part in parts:
        cut = sorted(part.time(min(max(t, part.start_s), part.end_s)) + offset for t in (start_s, end_s))
        if cut[1] > cut[0] + 1e-6:
            if found and cut[0] <= found[-1][1] + 1e-6:
                found[-1][1] = cut[1]
            else:
                found.append(cut)
        offset += part.length_s
    return [[round(t, 3) for t in interval] for interval in found]


def moved_labels(labels, parts):
    """The clip's labels, of the film that is played in these parts."""
    found = {}
    for key, marks in labels.items():
        if key in ("active", "quiet"):
            found[key] = sorted(new for start, end in marks for new in moved(start, end, parts))
        elif key in ("ambiguous", "nuisance"):
            new = [dict(mark, start_s=start, end_s=end) for mark in marks
                   for start, end in moved(mark["start_s"], mark["end_s"], parts)]
            found[key] = sorted(new, key=lambda mark: mark["start_s"])
        else:
            found[key] = marks
    return found


# --- the table -----------------------------------------------------------------------------------

def hard_cbr(width, height, fps):
    """Bits as from a starved camera: a keyframe gets a quarter of its second, and falls into blocks."""
    kbit = max(16, round(width * height * 0.5e-3 * math.sqrt(fps / 30)))
    return ["-tune", "zerolatency", "-b:v", f"{kbit}k", "-minrate", f"{kbit}k", "-maxrate", f"{kbit}k",
            "-bufsize", f"{kbit // 4}k", "-x264-params", "nal-hrd=cbr:filler=1"]


@dataclass(frozen=True)
class Variant:
    words: str               # what it is, in one line
    filters: str = "null"    # of ffmpeg
    effect: str = ""         # of bench_nuisances
    parts: object = None     # (labels, end_s) -> [Part]
    rate: object = X264      # options of the encoder, or (width, height, fps) -> options
    gop_s: float = 2


def per_second(rate):
    return rf"select=isnan(prev_selected_t)+gt(floor(t*{rate}+0.01)\,floor(prev_selected_t*{rate}+0.01))"


VARIANTS = {
    "recoded": Variant("nothing but encoded again, as all below are"),
    "half_rate": Variant("half the frame rate", r"select=not(mod(n\,2))"),
    "five_per_s": Variant("5 pictures a second", per_second(5)),
    "two_per_s": Variant("2 pictures a second", per_second(2)),
    "half_size": Variant("half as wide and high", "scale=trunc(iw/4)*2:trunc(ih/4)*2:flags=area"),
    "mirrored": Variant("left is right", "hflip"),
    "turned": Variant("turned by 180 degrees", "hflip,vflip"),
    "reversed": Variant("reversed in time", parts=at_speed(1.0, backwards=True)),
    "slower": Variant("half as fast", parts=at_speed(0.5)),
    "faster": Variant("1.6 times as fast", parts=at_speed(1.6)),
    "to_and_fro": Variant("quiet parts forwards, backwards and forwards", parts=to_and_fro),
    "distant": Variant("half as large, the rest a still", effect="distant"),
    "night": Variant("40 % of the light, noise of 4.6 levels",
                     "lutyuv=y='16+(val-16)*0.4',noise=alls=8:allf=t:all_seed=1"),
    "noise": Variant("noise of 6 levels", "noise=alls=10:allf=t:all_seed=2"),
    "noise_dark": Variant("25 % of the light, noise that a camera smooths over time", effect="noise_dark"),
    "infrared": Variant("no colour, half the contrast, noise of 3.5 levels",
                        "lutyuv=y='110+(val-126)*0.5':u=128:v=128,noise=c0s=6:c0f=t:c0_seed=3"),
    "fog": Variant("35 % of the contrast, a bright veil, a little noise", effect="fog"),
    "steps": Variant("the brightness jumps every 4 s", effect="steps"),
    "exposure_hunts": Variant("the gain swings by 10 % with a period of 4 s", effect="exposure_hunts"),
    "dimming": Variant("every 20 s all light fades to 60 % within 2 s and comes back", effect="dimming"),
    "clouds": Variant("clouds' shadows drift by", effect="clouds"),
    "headlights": Variant("headlights sweep through every 7 s", effect="headlights"),
    "lamp": Variant("a lamp goes on and off", effect="lamp"),
    "insect": Variant("an insect near the lens, every 6 s", effect="insect"),
    "rain": Variant("rain", effect="rain"),
    "snow": Variant("small flakes of snow", effect="snow"),
    "snow_close": Variant("large flakes close to the lens", effect="snow_close"),
    "shakes": Variant("the camera shakes by 2 pixels", effect="shakes"),
    "sway": Variant("a third of the picture sways in gusts", effect="sway"),
    "water": Variant("water in the lower third", effect="water"),
    "banner": Variant("a banner that bobs in gusts", effect="banner"),
    "low_bitrate": Variant("H.264 at crf 34", rate=("-crf", "34")),
    "crf36": Variant("H.264 at crf 36", rate=("-crf", "36")),
    "hard_cbr": Variant("a low, hard constant bitrate, a keyframe a second", rate=hard_cbr, gop_s=1),
}


# --- films and labels ----------------------------------------------------------------------------

def missing(names):
    """Those that cannot be made on this machine, and one line that says why."""
    left_out = [name for name in names if VARIANTS[name].effect]
    if not left_out or importlib.util.find_spec("numpy"):
        return [], ""
    return left_out, f"skipped: {', '.join(left_out)}: they need numpy; apt-get install python3-numpy"


def recipe(clip, name):
    """Everything that decides what the film and its labels are, as one short word."""
    variant, here = VARIANTS[name], pathlib.Path(__file__)
    modules = ["bench_pictures", "bench_fields", "bench_nuisances"] if variant.effect else ["bench_pictures"]
    said = [name, clip.resolve(), clip.stat().st_mtime_ns, clip.with_suffix(".json").read_text(encoding="utf-8"),
            variant.filters, WIDEST, STILLS, SPREAD, options_of(variant, 640, 360, 25),
            variant.parts and variant.parts({"quiet": [[1, 2]]}, 4.0),
            *(here.with_name(f"{module}.py").read_text(encoding="utf-8") for module in modules)]
    return hashlib.sha256("\n".join(map(str, said)).encode()).hexdigest()[:16]


def make(folder, clip, name):
    """The film of a clip (labels beside it) in that variant, made unless it is there from before.

    The labels are written last and carry the recipe: a film with such labels is whole.
    """
    film = pathlib.Path(folder) / name / f"{clip.stem}.mkv"
    beside, word = film.with_suffix(".json"), recipe(clip, name)
    if film.exists() and beside.exists() and json.loads(beside.read_text(encoding="utf-8"))["made"]["recipe"] == word:
        return film
    film.parent.mkdir(parents=True, exist_ok=True)
    beside.unlink(missing_ok=True)
    unfinished = film.with_name(f"unfinished-{os.getpid()}-{film.name}")
    truth = json.loads(clip.with_suffix(".json").read_text(encoding="utf-8"))
    parts = write(unfinished, clip, name, truth["labels"])
    unfinished.rename(film)
    labels = moved_labels(truth["labels"], parts) if parts else truth["labels"]
    length = sum(part.length_s for part in parts) if parts else truth["video"]["duration_s"]
    beside.write_text(json.dumps({
        "name": clip.stem, "file": film.name, "labels": labels, "video": {"duration_s": round(length, 3)},
        "made": {"from": clip.name, "variant": name, "what": VARIANTS[name].words, "recipe": word}}, indent=1) + "\n",
        encoding="utf-8")
    return film


def write(path, clip, name, labels):
    """Makes the film; returns the parts in which it plays the clip, None when it just plays it."""
    variant = VARIANTS[name]
    if variant.effect:
        return write_changed(path, clip, name, labels)
    if variant.parts:
        return write_parts(path, clip, variant, labels)
    size = bench_pictures.size_of(clip, WIDEST)
    packets = read_packets(clip, hashed=False)
    filters = f"{bench_pictures.scaling(WIDEST)},{variant.filters}"
    run([*bench_pictures.FFMPEG, "-i", clip, "-map", "0:v:0", "-vf", filters, *bench_pictures.TIMES,
         *options_of(variant, *size, len(packets) / length_s(packets)), path])
    return None


def options_of(variant, width, height, fps):
    rate = variant.rate(width, height, fps) if callable(variant.rate) else variant.rate
    return bench_pictures.coding(fps, rate, variant.gop_s)


def write_parts(path, clip, variant, labels):
    with bench_pictures.decoded(clip, path.parent, WIDEST) as shot:
        parts = variant.parts(labels, shot.end_s)
        order = played(shot.times_s, shot.end_s, parts)
        numbers, times = [number for number, _ in order], [time - order[0][1] for _, time in order]
        bench_pictures.encode(path, shot, bench_pictures.in_order(shot, numbers), times,
                              options_of(variant, shot.width, shot.height, shot.fps))
    return parts


def write_changed(path, clip, name, labels):
    import bench_nuisances
    variant = VARIANTS[name]
    with bench_pictures.decoded(clip, path.parent, WIDEST) as shot:
        def some(numbers):
            return [bench_nuisances.Picture(data, shot.width, shot.height)
                    for data in bench_pictures.in_order(shot, numbers)]
        scene = bench_nuisances.Scene(shot.width, shot.height, shot.end_s, some(still_numbers(shot, labels)),
                                      some(spread(range(len(shot.times_s)), SPREAD)))
        pictures = bench_nuisances.changed(variant.effect, scene, zlib.crc32(f"{name} {clip.stem}".encode()),
                                           bench_pictures.in_order(shot, range(len(shot.times_s))), shot.times_s)
        bench_pictures.encode(path, shot, pictures, shot.times_s,
                              options_of(variant, shot.width, shot.height, shot.fps))


def still_numbers(shot, labels):
    """Some pictures, evenly spread over the quiet ones where there are enough, else over all."""
    quiet = [n for n, t in enumerate(shot.times_s) if any(start <= t < end for start, end in labels["quiet"])]
    return spread(quiet if len(quiet) >= STILLS else range(len(shot.times_s)), STILLS)


def spread(numbers, count):
    return [numbers[n * len(numbers) // count] for n in range(count)]


# --- a job for one core --------------------------------------------------------------------------

def find(job):
    """(clip's name, motion events) of one film: made if it must be, then analysed. For a pool of processes."""
    folder, clip, name, programs = job
    film = make(folder, clip, name) if name else clip
    return clip.stem, programs.analyze(film, "full").events
