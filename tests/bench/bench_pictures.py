# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Raw pictures out of a clip and into a film, each at its own time.

    ffmpeg -> file of raw 4:2:0 pictures + their times -> whoever changes them -> pipe -> ffmpeg, libx264

Times are kept in whole milliseconds, as Matroska keeps them, and variable intervals stay variable:
the encoder is told the time of every picture by an expression of its number. One thread each, so
that the same recipe makes the same film on any machine.
"""
import contextlib
import pathlib
import statistics
import subprocess
import tempfile
from dataclasses import dataclass

from bench_run import BenchError, run

FFMPEG = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-threads", "1", "-filter_threads", "1",
          "-filter_complex_threads", "1"]
# Of every picture its own time, and no rounding of it to a frame rate.
TIMES = ["-fps_mode", "passthrough", "-enc_time_base", "1:1000"]
FIT_S = 0.0006  # times nearer than this to a straight line are taken to lie on it


@dataclass
class Shot:
    """A clip's pictures in a file."""
    raw: pathlib.Path
    width: int
    height: int
    times_s: list   # when each begins, the first at 0
    end_s: float    # when the last ends

    @property
    def picture_bytes(self):
        return self.width * self.height * 3 // 2

    @property
    def fps(self):
        return len(self.times_s) / self.end_s


def coding(fps, rate=("-crf", "23"), gop_s=2):
    """Options of the encoder that fixed cameras resemble: P pictures only, a keyframe every so often."""
    return ["-an", "-c:v", "libx264", "-preset", "veryfast", "-threads", "1", "-pix_fmt", "yuv420p", *rate,
            "-bf", "0", "-sc_threshold", "0", "-g", str(max(1, round(gop_s * fps * 2))),
            "-force_key_frames", f"expr:gte(t,n_forced*{gop_s})"]


def scaling(widest):
    """A filter that scales down what is wider, and makes 8-bit 4:2:0 of it."""
    return f"scale=w=2*trunc(min({widest}\\,iw)/2):h=-2:flags=area,format=yuv420p"


@contextlib.contextmanager
def decoded(clip, folder, widest):
    """The clip as a Shot, scaled down to `widest` where it is wider; its file is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="raw-", dir=folder) as made:
        raw, stamps = pathlib.Path(made, "pictures.yuv"), pathlib.Path(made, "times.txt")
        run([*FFMPEG, "-i", clip, "-filter_complex", f"[0:v:0]{scaling(widest)},split[a][b]",
             "-map", "[a]", *TIMES, "-f", "rawvideo", raw,
             "-map", "[b]", *TIMES, "-c:v", "rawvideo", "-f", "mkvtimestamp_v2", stamps])
        times = [int(line) / 1000 for line in stamps.read_text(encoding="ascii").splitlines() if line[:1].isdigit()]
        yield shot_of(raw, times, size_of(clip, widest))


def size_of(clip, widest):
    """(width, height) as `decoded` scales it."""
    text = run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of",
                "csv=p=0", clip]).text
    width, height = (int(word) for word in text.strip().strip(",").split(",")[:2])
    scaled = 2 * (min(widest, width) // 2)
    return scaled, 2 * round(height * scaled / width / 2)


def shot_of(raw, times, size):
    shot = Shot(raw, *size, [time - times[0] for time in times], 0.0)
    if raw.stat().st_size != len(times) * shot.picture_bytes:
        raise BenchError(f"{len(times)} pictures of {size[0]}x{size[1]} should fill {raw.stat().st_size} bytes")
    steps = [after - before for before, after in zip(times, times[1:])]
    shot.end_s = shot.times_s[-1] + (statistics.median(steps) if steps else 0.04)
    return shot


def time_expression(times_ms, first=0, last=None):
    """An expression of ffmpeg's that is the time of picture N: straight lines, halved until they fit."""
    last = len(times_ms) - 1 if last is None else last
    slope = (times_ms[last] - times_ms[first]) / max(1, last - first)
    line = [times_ms[first] + slope * (number - first) for number in range(first, last + 1)]
    if all(abs(fit - time) <= FIT_S * 1000 for fit, time in zip(line, times_ms[first:last + 1])):
        return f"{times_ms[first]:.3f}+(N-{first})*{slope:.9f}"
    middle = (first + last + 1) // 2
    return (f"if(lt(N,{middle}),{time_expression(times_ms, first, middle - 1)},"
            f"{time_expression(times_ms, middle, last)})")


def encode(path, shot, pictures, times_s, options):
    """Writes `pictures` (bytes, one after the other) as a film whose pictures begin at these times."""
    expression = time_expression([time * 1000 for time in times_s])
    script = path.with_suffix(".setpts")
    script.write_text(f"settb=1/1000,setpts='round({expression})'", encoding="ascii")
    command = [*FFMPEG, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{shot.width}x{shot.height}",
               "-framerate", f"{len(times_s) / max(times_s[-1], 0.04):.3f}", "-i", "pipe:0",
               "-filter_script:v", script, *TIMES, *options, path]
    command.remove("-nostdin")
    with tempfile.TemporaryFile() as err:
        with subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stderr=err) as process:
            with contextlib.suppress(BrokenPipeError):
                for picture in pictures:
                    process.stdin.write(picture)
                process.stdin.close()
        err.seek(0)
        if process.returncode:
            said = err.read().decode(errors="replace").strip().splitlines() or ["said nothing"]
            raise BenchError(f"ffmpeg ended with {process.returncode}: {said[-1]}")
    script.unlink()


def in_order(shot, order):
    """The pictures of these numbers, one after the other."""
    with shot.raw.open("rb") as file:
        for number in order:
            file.seek(number * shot.picture_bytes)
            yield bytearray(file.read(shot.picture_bytes))
