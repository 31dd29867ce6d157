# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A short run of what `tests/bench/rounds` measures; there also memory, which means nothing under sanitizers."""
import os

import pytest

from bad_camera import BadCamera
from bench_rounds import Rounds, kinds, longest_wait_s, look
from gridwatch_site import wait_for


def test_the_longest_wait_follows_from_how_long_a_camera_was_away():
    # The waits are at least 0.5, 1, 2, 4 … s and at most 1, 2, 4, 8 … s.
    assert [longest_wait_s(away) for away in (0, 0.4, 0.6, 1.6, 3.6, 1000)] == [1, 1, 2, 4, 8, 60]


def test_a_camera_that_fails_six_times_is_noticed_and_recorded_again_each_time_and_nothing_is_left(
        make_site, opened, films):
    camera = opened.enter_context(BadCamera(films))
    site = make_site("workers: 1\ncamera:\n  stall: 2s\n").start()
    bus = site.subscribe("camera/", "event/")
    site.add_camera("gate", camera.url, record="continuous")
    bus.wait_for("clip.opened", 20, camera="gate")
    rounds = Rounds("gate", camera, bus, stall_s=2)
    [worker] = site.workers()
    held = []
    for kind in kinds(6):
        done = rounds.run(kind)
        assert done.is_good, done
        held.append(look(worker, times=4))
    assert site.workers() == [worker]
    # What comes and goes with a session may be there or not; what piles up is more each time.
    assert held[-1].threads == held[0].threads
    assert held[-1].descriptors <= held[0].descriptors + 1
    wait_for("six gaps closed", lambda: len([gap for gap in site.get("/gaps?camera=gate")["items"]
                                             if gap["state"] == "closed"]) >= 6, 10)
    causes = [gap["cause"] for gap in sorted(site.get("/gaps?camera=gate")["items"], key=lambda gap: gap["from_us"])]
    assert causes[-6:] == ["stalled", "disconnected", "disconnected"] * 2


def test_descriptors_and_threads_of_a_process_are_counted():
    use = look(os.getpid(), times=1)
    with open(os.devnull, encoding="ascii"):
        assert look(os.getpid(), times=1).descriptors == use.descriptors + 1
    assert use.resident_kib > 1000 and use.threads >= 1
    assert use.ratios(use) == pytest.approx({"resident_kib": 1, "threads": 1, "descriptors": 1})
