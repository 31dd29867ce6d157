# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running programs and measuring them: CPU time and memory of a process from start to end.

Compared is user + system time of whole processes, as the kernel counts it. Programs that are to be
compared take turns in the same run, and of N runs the smallest figure counts: other work on the
machine only ever adds to it.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field


SHORT_S = 2.0    # CPU seconds of a turn of all programs, below which a film is short
SHORT_TURNS = 4


class BenchError(Exception):
    """What a person must put right; one line."""


@dataclass
class Run:
    """One process that has ended well."""
    cpu_s: float
    peak_kib: int
    text: str


@dataclass
class Analysis:
    """What `gridwatch analyze` said about a file."""
    level: str
    cpu_s: float
    peak_kib: int
    packets: int
    decoded: int
    events: list = field(default_factory=list)  # (start_s, end_s) of kind motion, as printed


def run(command):
    """Runs it to its end; BenchError with its last line of complaint when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            said = err.read().decode(errors="replace").strip().splitlines() or ["said nothing"]
            raise BenchError(f"{pathlib.Path(command[0]).name} ended with {process.returncode}: {said[-1]}")
        return Run(usage.ru_utime + usage.ru_stime, usage.ru_maxrss, out.read().decode())


def read_analysis(text):
    """(motion events, summary) of the lines that `gridwatch analyze` prints for one file."""
    events, summary = [], None
    for line in filter(str.strip, text.splitlines()):
        fact = json.loads(line)
        if fact.get("kind") == "motion":
            events.append((float(fact["start_s"]), float(fact["end_s"])))
        summary = fact.get("summary", summary)
    if summary is None:
        raise BenchError("gridwatch analyze printed no summary line")
    return events, summary


class Programs:
    """The two programs that are compared."""

    def __init__(self, gridwatch, bare_decode):
        self.gridwatch, self.bare = pathlib.Path(gridwatch), pathlib.Path(bare_decode)

    def require(self):
        for path, target in ((self.gridwatch, "app/gridwatch"), (self.bare, "tests/bench/bare_decode")):
            if not os.access(path, os.X_OK):
                raise BenchError(f"there is no {path}; build it: meson setup build -Dbuildtype=release; "
                                 f"ninja -C build {target}")

    def decode(self, film, keyframes=False):
        """A run of bare_decode as (Run, pictures)."""
        done = run([self.bare, *(["--keyframes"] if keyframes else []), film])
        return done, int(done.text.split()[0])

    def analyze(self, film, level):
        done = run([self.gridwatch, "analyze", "--level", level, film])
        events, summary = read_analysis(done.text)
        return Analysis(level, done.cpu_s, done.peak_kib, summary["frames"], summary["decoded"], events)

    def has_level(self, film, level):
        """None, or why this program does not analyse at that level."""
        try:
            self.analyze(film, level)
        except BenchError as error:
            return str(error)
        return None

    def compare(self, film, levels, runs):
        """(CPU seconds of bare decoding, {level: Analysis}), each the smallest of `runs` turns.

        Short films get up to SHORT_TURNS times as many: their figures are small and their
        differences smaller, and a turn takes no time.
        """
        bare_s, best, spent_s = float("inf"), {}, 0.0
        for turn in range(runs * SHORT_TURNS):
            if turn >= runs and spent_s > runs * SHORT_S:
                break
            cpu_s = self.decode(film)[0].cpu_s
            bare_s = min(bare_s, cpu_s)
            spent_s += cpu_s
            for level in levels:
                found = self.analyze(film, level)
                spent_s += found.cpu_s
                if level in best and best[level].events != found.events:
                    raise BenchError(f"{film.name}, level {level}: two runs found different events")
                if level not in best or found.cpu_s < best[level].cpu_s:
                    best[level] = found
        return bare_s, best


def watch_memory(command, every_s=0.01):
    """(most KiB resident, most KiB of it anonymous) of a process, looked at while it runs.

    Anonymous memory is what the process made itself; the rest is files that it maps, above all its
    libraries, which all processes share.
    """
    most = {"VmHWM": 0, "RssAnon": 0}
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            try:
                for line in pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines():
                    name, _, value = line.partition(":")
                    if name in most:
                        most[name] = max(most[name], int(value.split()[0]))
            except (FileNotFoundError, ProcessLookupError):
                break
            time.sleep(every_s)
    if process.returncode:
        raise BenchError(f"{pathlib.Path(command[0]).name} ended with {process.returncode}")
    return most["VmHWM"], most["RssAnon"]


def build_type(build):
    """How a build folder was set up ("release"); None when it is no build folder."""
    try:
        options = json.loads((pathlib.Path(build) / "meson-info/intro-buildoptions.json").read_text(encoding="utf-8"))
    except OSError:
        return None
    return next((option["value"] for option in options if option["name"] == "buildtype"), None)


def say(*words):
    """A line of progress, for the person who waits."""
    print(*words, file=sys.stderr, flush=True)
