# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Made 1080p25 streams: what a fixed camera sends for minutes on end, and when nothing moves.

    still picture + a person who walks through + sensor noise -> libx264 -> pieces -> one long film

Encoding minutes of 1080p takes long, so pieces of 10 and 20 s with noise of their own are encoded
once and joined packet for packet. Each piece is cut from a longer one, because an encoder's rate
control needs some seconds to settle: a join is then no more than a change of noise. The still
picture comes from a labelled clip where there is one, else it is texture.
"""
import pathlib
from dataclasses import dataclass

from bench_media import join, read_packets
from bench_run import BenchError, run, say

WIDTH, HEIGHT, FPS, GOP = 1920, 1080, 25, 50
LEAD_S = 4          # cut off from every piece; whole GOPs
QUIET_S, PASS_S = 20, 10  # length of a piece without and with a person; whole GOPs
PERSON = (110, 260)  # pixels: 1.7 m at about 15 m
SPEED = 214          # pixels per second: 1.4 m/s at that size
PASS_FROM_S = 3      # in a piece; the 2 s GOPs before it are quiet
MARGIN_S = 2.0       # around an event that counts neither as quiet nor as active

X264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", str(GOP), "-keyint_min", str(GOP),
        "-sc_threshold", "0", "-bf", "0"]
ENCODERS = {
    "vbr": [*X264, "-crf", "23"],
    "cbr": [*X264, "-b:v", "3M", "-minrate", "3M", "-maxrate", "3M", "-bufsize", "1.5M", "-x264-params",
            "nal-hrd=cbr:filler=1"],
}
# ffmpeg's strength; the standard deviation is strength / sqrt(3) levels.
NOISE = {"vbr": 4, "cbr": 20}


@dataclass(frozen=True)
class Piece:
    rate: str           # a key of ENCODERS
    seed: int           # of its noise
    event_s: float = 0  # how long a person is in view; 0: nobody comes

    @property
    def seconds(self):
        return PASS_S if self.event_s else QUIET_S


@dataclass(frozen=True)
class Stream:
    name: str
    pieces: tuple

    @property
    def seconds(self):
        return sum(piece.seconds for piece in self.pieces)

    def active(self):
        """[start_s, end_s] of everybody who comes by."""
        found, at_s = [], 0
        for piece in self.pieces:
            if piece.event_s:
                found.append([at_s + PASS_FROM_S, at_s + PASS_FROM_S + piece.event_s])
            at_s += piece.seconds
        return found

    def labels(self):
        """A label file as the footage has them."""
        quiet, at_s = [], 0.0
        for start, end in self.active():
            quiet.append([at_s, start - MARGIN_S])
            at_s = end + MARGIN_S
        return {"labels": {"active": self.active(), "quiet": [*quiet, [at_s, float(self.seconds)]]},
                "video": {"duration_s": float(self.seconds)}}


def quiet(rate, rounds):
    return tuple(Piece(rate, seed) for seed in (1, 2, 3)) * rounds


def busy(rate, events):
    """20 s of nothing, then 10 s in which a person passes, for each length in events."""
    pieces = []
    for number, event_s in enumerate(events):
        pieces += [Piece(rate, 1 + number % 3), Piece(rate, 10 + number % 2, event_s)]
    return tuple(pieces)


STREAMS = {stream.name: stream for stream in (
    Stream("quiet_vbr", quiet("vbr", 5)),
    Stream("quiet_vbr_60s", quiet("vbr", 1)),
    Stream("fifth_vbr", busy("vbr", (6, 6) * 5)),
    Stream("quiet_cbr", quiet("cbr", 5)),
    Stream("events_cbr", busy("cbr", (2, 3, 4) * 4)),
)}


def still(cache, footage):
    """The still scene as a picture file."""
    clip = (pathlib.Path(footage) / "parking_virat.mp4").resolve()
    size = f"{WIDTH}:{HEIGHT}"
    if clip.exists():
        source = ["-ss", "1", "-i", clip, "-vf", f"scale={size}:flags=lanczos"]
    else:
        source = ["-f", "lavfi", "-i", f"color=0x707068:s={WIDTH}x{HEIGHT},noise=alls=60:all_seed=5,gblur=4,"
                  "drawbox=240:180:480:220:0x4a4038:fill,drawbox=1200:520:420:300:0x8a8578:fill,"
                  "noise=alls=24:all_seed=7,gblur=1"]
    return cache.film("still.png", str(source),
                      lambda path: run(["ffmpeg", "-v", "error", "-y", *source, "-frames:v", "1", path]))


def graph(piece):
    """Still picture and person, moved and made noisy, as a filter graph. Seconds before LEAD_S are cut off later."""
    width, height = PERSON
    begin = LEAD_S + PASS_FROM_S
    noise = f"noise=alls={NOISE[piece.rate]}:allf=t:all_seed={piece.seed}"
    if not piece.event_s:
        return f"[0]format=yuv420p,{noise}"
    # In at one side's edge, out at the bottom; every second one from the right; a walk goes up and down.
    left = f"-{width}+(t-{begin})*{SPEED}"
    x = left if piece.seed % 2 else f"{WIDTH}-{width}-({left})"
    y = f"600+(t-{begin})*{(HEIGHT - 600) / piece.event_s:.1f}+5*sin(11*t)"
    return (f"color=0x343a4c:s={width}x{height}:r={FPS},drawbox=0:150:{width}:110:0x262422:fill,"
            f"drawbox=38:0:36:46:0x9a7860:fill,noise=alls=30:all_seed=3,gblur=1,format=yuva420p,"
            f"geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':"
            f"a='255*gt(1,min(hypot((X-55)/20,(Y-24)/24),hypot((X-55)/50,(Y-152)/112)))'[person];"
            f"[0]format=yuv420p[scene];[scene][person]overlay=x='{x}':y='{y}'"
            f":enable='between(t,{begin},{begin + piece.event_s})',{noise}")


def make_piece(cache, scene, piece):
    frames = piece.seconds * FPS

    def make(path):
        say(f"making {piece.seconds} s of 1080p, {piece.rate}, {piece.event_s:g} s with a person")
        whole = path.with_name(f"whole-{path.name}")
        run(["ffmpeg", "-v", "error", "-y", "-loop", "1", "-framerate", FPS, "-i", scene,
             "-filter_complex", graph(piece), "-t", piece.seconds + LEAD_S, "-an", *ENCODERS[piece.rate], whole])
        run(["ffmpeg", "-v", "error", "-y", "-ss", LEAD_S, "-i", whole, "-c", "copy", path])
        whole.unlink()
        packets = read_packets(path, hashed=False)
        keyframes = [number for number, packet in enumerate(packets) if packet.key]
        if len(packets) != frames or keyframes != list(range(0, frames, GOP)):
            raise BenchError(f"{path.name} should have {frames} pictures and a keyframe every {GOP}")
    recipe = f"{scene.name} {piece} {graph(piece)} {ENCODERS[piece.rate]}"
    return cache.film(f"{piece.rate}-{piece.seed}-{piece.event_s}.mkv", recipe, make)


def make_stream(cache, footage, stream):
    """The stream as a file, checked: all its pictures, 40 ms apart, also where pieces meet."""
    scene = still(cache, footage)
    pieces = {piece: make_piece(cache, scene, piece) for piece in dict.fromkeys(stream.pieces)}
    parts = [pieces[piece] for piece in stream.pieces]
    film = cache.film(f"{stream.name}.mkv", " ".join(part.name for part in parts),
                      lambda path: join(parts, path, [piece.seconds for piece in stream.pieces]))
    times = [packet.time_s for packet in read_packets(film, hashed=False)]
    even = all(abs(after - before - 1 / FPS) < 0.0011 for before, after in zip(times, times[1:]))
    if len(times) != stream.seconds * FPS or not even:
        raise BenchError(f"{film.name} should have {stream.seconds * FPS} pictures {1 / FPS:g} s apart")
    return film
