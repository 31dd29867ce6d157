# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rounds: one camera fails again and again, and a site that records it must notice and come back.

A round begins with a camera that has been recorded for so long that its session counts as a good one;
then it fails in one of the ways of KINDS, returns, and is recorded again. The camera is
tests/camera/bad_camera.py, the site is tests/integration/gridwatch_site.py.
"""
import os
import pathlib
import time
from dataclasses import dataclass

from behaviour import after, freeze, refuse, reset

GOOD_S = 10.5      # a session that delivered for 10 s begins the waiting anew (docs/design/ingest.md)
OFFLINE_S = 10     # limits of a round
AGAIN_S = 5        # after the camera's return, and one step of waiting
FLAT = 0.02        # by which memory, threads and descriptors may differ


@dataclass
class Round:
    kind: str
    offline_s: float  # from the last picture to the word that it is offline
    again_s: float    # from its return to the first picture that is recorded
    step_s: float     # the longest wait that could be under way when it returned

    @property
    def is_good(self):
        return self.offline_s <= OFFLINE_S and self.again_s <= AGAIN_S + self.step_s


@dataclass
class Use:
    """What a process holds."""
    resident_kib: int
    threads: int
    descriptors: int

    def ratios(self, before):
        """{name: now in terms of before}."""
        names = ("resident_kib", "threads", "descriptors")
        return {name: getattr(self, name) / getattr(before, name) for name in names}


def look(pid, times=10, every_s=0.3):
    """The least that a process holds within some seconds: what it needs, without what comes and goes."""
    seen = []
    for _ in range(times):
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        seen.append(Use(int(fields["VmRSS"].split()[0]), int(fields["Threads"]), len(os.listdir(f"/proc/{pid}/fd"))))
        time.sleep(every_s)
    return Use(*(min(getattr(use, name) for use in seen) for name in ("resident_kib", "threads", "descriptors")))


def longest_wait_s(absent_s):
    """The longest wait between two sessions that can be under way when a camera has been away for so long:
    1 s, doubling to 60 s, each drawn from its upper half."""
    wait_s, begun_s = 1.0, 0.0
    while begun_s + wait_s / 2 <= absent_s and wait_s < 60:
        begun_s += wait_s / 2
        wait_s = min(2 * wait_s, 60)
    return wait_s


class Rounds:
    """The camera `name` of a site, whose facts come from a bus subscriber of `camera/` and `event/`."""

    def __init__(self, name, camera, bus, stall_s):
        self.name, self.camera, self.bus, self.stall_s = name, camera, bus, stall_s
        self.kinds = {"stall": (freeze(stall_s + 3), stall_s + 3), "refuse": (refuse(4), 4), "reset": (reset, 0)}

    def fail(self, kind):
        """Makes the camera fail after its next picture. Returns (last picture, return), both monotonic."""
        action, absent_s = self.kinds[kind]
        began = []

        def act(camera, connection):
            began.append(time.monotonic())
            action(camera, connection)
        with self.camera.lock:
            self.camera.behaviour.script.append(after(self.camera.pictures, act))
        deadline = time.monotonic() + 10
        while not began:
            assert time.monotonic() < deadline, "the camera is not played"
            time.sleep(0.005)
        return began[0], began[0] + absent_s

    def run(self, kind, good_s=GOOD_S):
        """One round, from a camera that has just begun to be recorded to the next time it is."""
        time.sleep(good_s)
        self.bus.drain()
        failed, returns = self.fail(kind)
        self.bus.wait_for("camera.offline", OFFLINE_S + 10, camera=self.name)
        offline_s = time.monotonic() - failed
        # Only what is away while nobody waits lets the waits grow; a stall is noticed late.
        noticed_s = self.stall_s if kind == "stall" else 0
        step_s = longest_wait_s(max(0, returns - failed - noticed_s))
        self.bus.wait_for("clip.opened", 60 + AGAIN_S + returns - failed, camera=self.name)
        return Round(kind, offline_s, time.monotonic() - max(returns, failed), step_s)


def kinds(count):
    """The kinds of so many rounds, in turn."""
    names = ("stall", "refuse", "reset")
    return [names[number % len(names)] for number in range(count)]
