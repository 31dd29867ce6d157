# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site whose processes are killed, and whose disk fills, fails or loses power: nothing acknowledged is
missing, nothing is there twice, index and files agree both ways (docs/design/faults.md).

GRIDWATCH_FAULTS=all takes the long runs: 200 rounds of kill -9 and 20 power cuts instead of a few.
"""
import errno
import os
import random
import signal
import struct
import subprocess
import time

import pytest

from bad_camera import BadCamera
from faults import BUILD, LONG, Acknowledged, FailingCalls, PowerDisk, fill, judge, memory_disk
from gridwatch_site import run, wait_for

SECOND = 1_000_000


@pytest.fixture
def acknowledged(opened):
    kept = Acknowledged()
    opened.callback(kept.close)
    return kept


@pytest.fixture
def camera(opened, films):
    return opened.enter_context(BadCamera(films))


def begin_clip(camera):
    """Other parameter sets from the next keyframe on: the clip ends, another begins, and nothing is missing."""
    camera.behaviour.film = "other-parameters" if camera.behaviour.film == "plain" else "plain"


def growing(site, but=()):
    """The clips that grow, without these."""
    return [clip for clip in site.clips(state="recording", limit=1000) if clip["id"] not in but]


def ids(clips):
    return {clip["id"] for clip in clips}


def recording_again(site, but=(), deadline_s=45):
    return wait_for("another clip that grows", lambda: growing(site, but), deadline_s)


def assert_nothing_lost(site, camera, acknowledged, stray=0):
    """As soon as what was left behind is repaired, and what was kept is committed."""
    wait_for("all repaired", lambda: len(growing(site)) == 1, 30)
    complaints, deadline = ["not looked at"], time.monotonic() + 8
    while complaints and time.monotonic() < deadline:
        time.sleep(0.5)
        complaints = judge(site, camera, acknowledged, stray)
    assert not complaints, "\n".join(complaints)


# --- kill -9 -------------------------------------------------------------------------------------


def test_nothing_acknowledged_is_lost_when_processes_are_killed_again_and_again(make_site, camera, acknowledged):
    rounds, chance = (200 if LONG else 6), random.Random(5)
    site = make_site("workers: 1\nrecord:\n  split: 10s\n").start()
    acknowledged.follow(site)
    site.add_camera("gate", camera.url, record="continuous")
    recording_again(site)
    before = set()
    for _ in range(rounds):
        time.sleep(chance.uniform(0, 1.5))
        before |= ids(growing(site))
        if chance.random() < 0.5:
            for worker in site.workers():
                os.kill(worker, signal.SIGKILL)
        else:
            site.kill()
            site.start()
            acknowledged.follow(site)
        recording_again(site, before)
    # A clip whose announcement was lost with its worker, at most one a round.
    assert_nothing_lost(site, camera, acknowledged, stray=rounds)
    site.stop()


# --- power ---------------------------------------------------------------------------------------


def acknowledged_by(ledger):
    """How many facts, of a struct scenario_ledger (tests/faults/scenario.h)."""
    head = ledger.read_bytes()[:36]
    return struct.unpack("=9i", head)[8] if len(head) == 36 else 0


def test_nothing_acknowledged_is_lost_when_the_power_is_cut(opened, tmp_path):
    cuts, chance = (20 if LONG else 3), random.Random(7)
    disk = PowerDisk(opened, tmp_path / "disk")
    for cut in range(cuts):
        store, ledger = disk.folder / f"store{cut}", tmp_path / f"ledger{cut}"
        with subprocess.Popen([BUILD / "fault_scenario", "run", store, ledger, "4000", "1000"]) as process:
            wait_for("some acknowledged", lambda: ledger.exists() and acknowledged_by(ledger) > 5, 30)
            time.sleep(chance.uniform(0, 2))
            before = acknowledged_by(ledger)  # what is said after the cut, no machine without power could say
            disk.cut()
            process.kill()
        disk.restore()
        done = subprocess.run([BUILD / "fault_scenario", "check", store, ledger, str(before)],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout


def test_a_site_loses_nothing_acknowledged_when_its_power_is_cut(opened, make_site, camera, acknowledged):
    cuts, chance = (20 if LONG else 1), random.Random(11)
    site = make_site("workers: 1\nrecord:\n  split: 10s\n")
    disk = PowerDisk(opened, site.store)
    site.start()
    acknowledged.follow(site)
    site.add_camera("gate", camera.url, record="continuous")
    recording_again(site)
    before = set()
    for _ in range(cuts):
        time.sleep(chance.uniform(1, 5))
        before |= ids(growing(site))
        with acknowledged.deaf():
            disk.cut()
            site.kill()
        disk.restore()
        site.start()
        acknowledged.follow(site)
        recording_again(site, before)
    assert_nothing_lost(site, camera, acknowledged, stray=cuts)
    site.stop()


# --- full disks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["bytes", "inodes"])
def test_a_site_on_a_full_disk_goes_on_by_itself_when_there_is_room(opened, make_site, camera, acknowledged, what):
    site = make_site("workers: 1\nrecord:\n  split: 10s\n")
    memory_disk(opened, site.store, "size=24m,nr_inodes=120")
    site.start()
    acknowledged.follow(site)
    site.add_camera("gate", camera.url, record="continuous")
    recording_again(site)
    time.sleep(1)
    before, filler = ids(growing(site)), site.store / "filler"
    filler.mkdir()
    if what == "bytes":
        fill(filler / "file")
    else:
        with pytest.raises(OSError):
            for number in range(200):
                (filler / str(number)).touch()
    begin_clip(camera)
    wait_for("a complaint", lambda: "No space left" in site.log(), 20)
    time.sleep(2)
    assert site.process.poll() is None and site.workers()
    for path in filler.iterdir():
        path.unlink()
    recording_again(site, before, deadline_s=10)
    wait_for("no open gap", lambda: all(gap["state"] == "closed" for gap in site.get("/gaps")["items"]), 10)
    assert {gap["cause"] for gap in site.get("/gaps")["items"]} == {"disk-full"}
    wait_for("told", lambda: acknowledged.of_kind("gap.closed"), 5)
    wait_for("an alarm", lambda: any("the disk is full" in message.data["reason"]
                                     for message in acknowledged.of_kind("camera.degraded")), 5)
    assert_nothing_lost(site, camera, acknowledged)
    site.stop()


# --- disks that fail -----------------------------------------------------------------------------


@pytest.fixture
def failing_site(make_site, camera, acknowledged, monkeypatch):
    """failing_site() -> (site, calls): records; its calls fail when told so."""
    def make(record="continuous"):
        site = make_site("workers: 1\nrecord:\n  split: 10s\n")
        calls = FailingCalls(site.folder, site.store)
        for name, value in calls.environment().items():
            monkeypatch.setenv(name, value)
        site.start()
        for name in calls.environment():
            monkeypatch.delenv(name)
        acknowledged.follow(site)
        site.add_camera("gate", camera.url, record=record)
        recording_again(site)
        return site, calls
    return make


def test_clips_are_synced_by_the_disk_thread_alone_and_at_most_every_two_seconds(failing_site, camera, acknowledged):
    site, calls = failing_site()
    calls.note_all()
    time.sleep(5)
    begin_clip(camera)
    wait_for("a closed clip", lambda: site.clips(state="closed"), 10)
    time.sleep(2)
    synced = [note for note in calls.notes() if note[0] == "sync" and ".mp4" in note[2]]
    site.stop()
    assert {thread for _, thread, _, _ in synced} == {"disk"}
    assert len(synced) >= 5
    for path in {path for _, _, path, _ in synced}:
        times = sorted(mono_us for _, _, at, mono_us in synced if at == path)
        apart = [later - before for before, later in zip(times, times[1:])]
        # One that was closed was synced twice then, before its index and behind it.
        assert sum(us < 1.7 * SECOND for us in apart) <= 2, (path, times)


def test_a_disk_that_turns_read_only_is_a_gap_until_it_is_writable(failing_site, camera, acknowledged):
    site, calls = failing_site()
    time.sleep(1)
    before = ids(growing(site))
    for kind in ("write", "sync", "create", "rename", "truncate", "unlink"):
        calls.fail(kind, errno.EROFS)
    begin_clip(camera)
    wait_for("refused writes", lambda: calls.hits("write") and calls.hits("create"), 20)
    time.sleep(3)
    before |= ids(growing(site))
    assert site.process.poll() is None and site.workers()
    status, _, body = site.request("/readyz")
    assert status == 503 and b"index" in body
    calls.heal()
    recording_again(site, before, deadline_s=10)
    wait_for("no open gap", lambda: all(gap["state"] == "closed" for gap in site.get("/gaps")["items"]), 10)
    assert {gap["cause"] for gap in site.get("/gaps")["items"]} == {"disk-failed"}
    wait_for("an alarm", lambda: any("the disk fails" in message.data["reason"]
                                     for message in acknowledged.of_kind("camera.degraded")), 10)
    assert_nothing_lost(site, camera, acknowledged, stray=2)
    site.stop()


def test_an_index_that_cannot_be_written_costs_no_picture(failing_site, camera, acknowledged):
    site, calls = failing_site()
    calls.fail("write", errno.EIO, part="/index.db")
    media, before = site.store / "media", set((site.store / "media").rglob("*.mp4"))
    begin_clip(camera)
    wait_for("a clip that the index does not know", lambda: set(media.rglob("*.mp4")) - before, 20)
    wait_for("refused commits", lambda: calls.hits("write"), 20)
    wait_for("a site that is not ready", lambda: site.request("/readyz")[0] == 503, 5)
    calls.heal()
    wait_for("commits", lambda: site.request("/readyz")[0] == 200, 10)
    assert_nothing_lost(site, camera, acknowledged)
    assert site.get("/gaps")["items"] == []
    site.stop()


def test_a_store_that_cannot_be_written_is_refused_in_one_line(opened, make_site):
    site = make_site()
    memory_disk(opened, site.store, "size=8m")
    site.start()
    site.stop()

    def assert_refused(why):
        done = run("serve", "-c", site.config, timeout=20)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1 and str(site.store) in done.stderr and why in done.stderr, done.stderr
    fill(site.store / "filler")
    assert_refused("No space left")
    (site.store / "filler").unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(site.store)], check=True)
    assert_refused("ead-only")


def test_a_disk_that_is_full_at_the_start_gets_the_reserve(opened, make_site):
    site = make_site("storage:\n  reserve: 4MiB\n  min_free: 1MiB\n")
    memory_disk(opened, site.store, "size=24m")
    site.start()
    reserve = site.store / "reserve"
    wait_for("the reserve", reserve.exists, 20)
    site.stop()
    fill(site.store / "filler")
    site.start()
    assert not reserve.exists()
