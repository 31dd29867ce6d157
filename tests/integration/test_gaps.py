# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every interval in which a camera should have been recorded and was not is one gap, and no other is."""
import os
import shutil
import signal
import subprocess
import time

import pytest

import footage as footage_maker
from gridwatch_site import wait_for
from rtsp_camera import RtspServer, free_port

SECOND = 1_000_000
FRAME = SECOND / footage_maker.FPS


def gaps_of(site, camera="gate"):
    return sorted(site.get(f"/gaps?camera={camera}&limit=1000")["items"], key=lambda gap: gap["from_us"])


def clips_of(site, camera="gate"):
    return sorted(site.get(f"/clips?camera={camera}&limit=1000")["items"], key=lambda clip: clip["start_us"])


def no_clip_grows(site, camera="gate"):
    return not any(clip["state"] == "recording" for clip in clips_of(site, camera))


# These may part the pictures of a clip; all others end it.
WITHIN_CLIPS = {"stalled", "slow-network", "disk-failed"}


def assert_tiled(site, camera="gate", slack=1.5 * FRAME):
    """Clips and gaps lie side by side from the first picture or gap on: nothing twice, nothing missing."""
    clips = [clip for clip in clips_of(site, camera) if clip["state"] != "lost"]
    gaps = gaps_of(site, camera)
    for before, after in zip(gaps, gaps[1:]):
        assert before["state"] == "closed" and before["to_us"] <= after["from_us"], (before, after)
    pieces = [(clip["start_us"], clip["end_us"], clip["state"]) for clip in clips]
    pieces += [(gap["from_us"], gap.get("to_us"), gap["cause"]) for gap in gaps]
    pieces.sort(key=lambda piece: piece[0])
    until = pieces[0][0]
    for start, end, what in pieces:
        assert start - until <= slack, f"{(start - until) / SECOND} s before {what} are neither clip nor gap: {pieces}"
        inside = what in WITHIN_CLIPS and end is not None and end <= until + slack
        assert inside or until - start <= slack, f"{what} overlaps what is before it: {pieces}"
        if end is None or what == "recording":
            assert start == pieces[-1][0], f"{what} is not the last: {pieces}"
            return
        until = max(until, end)


def started(make_site, make_camera, footage, record, options="workers: 1\n"):
    site = make_site(options).start()
    camera = make_camera({"gate": footage["h264"]}, live=True)
    site.add_camera("gate", camera.url("gate"), record=record)
    site.wait_for_status("gate", "online", 15)
    if record == "continuous":
        recording(site)
    return site, camera


def recording(site, camera="gate", deadline_s=15):
    return wait_for("a clip that grows", lambda: [clip for clip in clips_of(site, camera)
                                                  if clip["state"] == "recording"], deadline_s)[0]


def open_gap(site, deadline_s, camera="gate"):
    return wait_for("an open gap", lambda: [gap for gap in gaps_of(site, camera) if gap["state"] == "open"],
                    deadline_s)[0]


def closed_gap(site, deadline_s, camera="gate", count=1):
    """The last one of so many, when all are closed."""
    def closed():
        gaps = gaps_of(site, camera)
        return len(gaps) == count and all(gap["state"] == "closed" for gap in gaps) and gaps[-1]
    return wait_for(f"{count} closed gap(s)", closed, deadline_s)


def now_us():
    return time.time_ns() // 1000


def test_a_camera_that_connects_at_once_has_no_gap(make_site, make_camera, footage):
    site, _ = started(make_site, make_camera, footage, "continuous")
    time.sleep(3)
    assert gaps_of(site) == []
    site.run("camera disable gate")
    wait_for("the clip closed", lambda: no_clip_grows(site), 10)
    assert_tiled(site)


@pytest.mark.parametrize("record", ["continuous", "events"])
def test_a_camera_that_hangs_is_one_gap_from_its_last_picture_to_its_next(make_site, make_camera, footage, record):
    site, camera = started(make_site, make_camera, footage, record)
    bus = site.subscribe("camera/")
    time.sleep(3)
    frozen = now_us()
    camera.freeze()
    gap = open_gap(site, 10)
    assert gap["cause"] == "stalled" and "to" not in gap
    assert abs(gap["from_us"] - frozen) < 0.6 * SECOND
    opened = bus.wait_for("gap.opened", 5, camera="gate")
    assert opened.data["id"] == gap["id"]
    time.sleep(1)
    thawed = now_us()
    camera.thaw()
    closed = closed_gap(site, 30)
    assert closed["id"] == gap["id"] and closed["from_us"] == gap["from_us"] and closed["cause"] == "stalled"
    assert closed["to_us"] > thawed
    assert bus.wait_for("gap.closed", 5, camera="gate").data["to_us"] == closed["to_us"]
    if record == "continuous":
        assert_tiled(site)


@pytest.mark.parametrize("record", ["continuous", "events"])
def test_a_gap_keeps_the_cause_that_it_began_with(make_site, make_camera, footage, record):
    site, camera = started(make_site, make_camera, footage, record)
    time.sleep(2)
    camera.stop()
    gap = open_gap(site, 10)
    assert gap["cause"] == "disconnected"
    wait_for("refused meanwhile", lambda: "nobody listens" in site.camera("gate")["reason"], 15)
    make_camera({"gate": footage["h264"]}, port=camera.port, live=True)
    closed = closed_gap(site, 40)
    assert closed["id"] == gap["id"] and closed["cause"] == "disconnected"
    if record == "continuous":
        assert_tiled(site)


def test_a_camera_that_cannot_be_reached_has_a_gap_from_the_beginning(make_site, footage):
    site = make_site().start()
    port = free_port()
    added = now_us()
    site.add_camera("gate", f"rtsp://127.0.0.1:{port}/gate", record="continuous")
    gap = open_gap(site, 10)
    assert gap["cause"] == "refused"
    assert 0 <= gap["from_us"] - added < 3 * SECOND
    with RtspServer({"gate": footage["h264"]}, port=port) as camera:
        assert camera.port == port
        closed = closed_gap(site, 40)
        assert closed["id"] == gap["id"] and closed["cause"] == "refused"
        assert abs(closed["to_us"] - recording(site)["start_us"]) < FRAME
        assert_tiled(site)


@pytest.mark.parametrize("record", ["continuous", "events"])
def test_a_killed_worker_leaves_a_gap_up_to_its_successors_first_picture(make_site, make_camera, footage, record):
    site, _ = started(make_site, make_camera, footage, record)
    time.sleep(4)
    [worker] = site.workers()
    killed = now_us()
    os.kill(worker, signal.SIGKILL)
    gap = closed_gap(site, 15)
    assert gap["cause"] == "worker-restarted"
    assert gap["from_us"] < killed + FRAME and gap["to_us"] > killed
    if record == "events":
        assert killed - gap["from_us"] < 1.5 * SECOND
    else:
        assert_tiled(site)


def test_workers_that_are_killed_at_any_moment_leave_nothing_out(make_site, make_camera, footage):
    site, _ = started(make_site, make_camera, footage, "continuous")
    for delay_s in (0.1, 2.7, 0.9, 1.6):
        [worker] = wait_for("a worker", site.workers, 15)
        time.sleep(delay_s)
        os.kill(worker, signal.SIGKILL)
        wait_for("another worker", lambda: site.workers() not in ([], [worker]), 15)  # noqa: B023
    recording(site, deadline_s=30)
    wait_for("repaired", lambda: sum(clip["state"] == "recording" for clip in clips_of(site)) == 1, 20)
    assert {gap["cause"] for gap in gaps_of(site)} == {"worker-restarted"}
    assert_tiled(site)


def test_a_gap_goes_on_when_the_worker_dies_in_it(make_site, make_camera, footage):
    site, camera = started(make_site, make_camera, footage, "continuous")
    time.sleep(2)
    camera.freeze()
    gap = open_gap(site, 10)
    [worker] = site.workers()
    os.kill(worker, signal.SIGKILL)
    wait_for("another worker", lambda: site.workers() not in ([], [worker]), 10)
    time.sleep(2)
    assert [item["id"] for item in gaps_of(site)] == [gap["id"]]
    camera.thaw()
    closed = closed_gap(site, 40)
    assert closed["id"] == gap["id"] and closed["cause"] == "stalled"
    assert_tiled(site)


@pytest.mark.parametrize("record", ["continuous", "events"])
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_site_that_was_away_leaves_a_gap(make_site, make_camera, footage, record, end):
    site, _ = started(make_site, make_camera, footage, record)
    time.sleep(12)
    ended = now_us()
    getattr(site, end)()
    if end == "stop":
        [line] = site.run("gaps").splitlines()[1:]
        assert "worker-restarted" in line and "open" in line
    time.sleep(1)
    site.start()
    gap = closed_gap(site, 20)
    assert gap["cause"] == "worker-restarted"
    assert gap["from_us"] < ended + 2 * SECOND and gap["to_us"] > ended
    known_to_s = 11 if (record, end) == ("events", "kill") else 4.5
    assert ended - gap["from_us"] < known_to_s * SECOND
    if record == "continuous":
        wait_for("repaired", lambda: sum(clip["state"] == "recording" for clip in clips_of(site)) == 1, 10)
        assert_tiled(site)


@pytest.mark.parametrize("record", ["continuous", "events"])
def test_a_camera_that_is_switched_off_has_a_gap_until_it_is_recorded_again(make_site, make_camera, footage, record):
    site, _ = started(make_site, make_camera, footage, record)
    time.sleep(2)
    off = now_us()
    site.run("camera disable gate")
    gap = open_gap(site, 10)
    assert gap["cause"] == "disabled" and abs(gap["from_us"] - off) < 2.5 * SECOND
    site.run("camera enable gate")
    closed = closed_gap(site, 20)
    assert closed["id"] == gap["id"] and closed["to_us"] > closed["from_us"]
    if record == "continuous":
        assert_tiled(site)


def test_a_camera_that_is_removed_has_no_gap_any_more(make_site, make_camera, footage):
    site, _ = started(make_site, make_camera, footage, "continuous")
    site.run("camera disable gate")
    open_gap(site, 10)
    site.run("camera remove gate")
    gap = closed_gap(site, 10)
    assert gap["cause"] == "disabled" and abs(gap["to_us"] - now_us()) < 5 * SECOND


def test_a_refused_password_is_a_gap_until_it_is_corrected(make_site, make_camera, footage):
    site = make_site().start()
    camera = make_camera({"gate": footage["h264"]}, login=("viewer", "secret"))
    site.add_camera("gate", camera.url("gate", ("viewer", "wrong")), record="continuous")
    gap = open_gap(site, 15)
    assert gap["cause"] == "unauthorised"
    site.run("camera remove gate")
    closed_gap(site, 10)
    site.add_camera("gate", camera.url("gate", ("viewer", "secret")), record="continuous")
    recording(site)
    assert len(gaps_of(site)) == 1


def test_clips_that_are_split_leave_no_gap(make_site, make_camera, footage):
    site, _ = started(make_site, make_camera, footage, "continuous", "record:\n  split: 10s\n")
    wait_for("three closed clips", lambda: sum(clip["state"] == "closed" for clip in clips_of(site)) >= 3, 60)
    assert gaps_of(site) == []
    assert_tiled(site)


def test_a_camera_that_records_nothing_has_no_gaps(make_site, make_camera, footage):
    site, camera = started(make_site, make_camera, footage, "off")
    camera.freeze()
    site.wait_for_status("gate", "offline", 15)
    camera.thaw()
    site.wait_for_status("gate", "online", 30)
    assert gaps_of(site) == []


def test_a_disk_that_takes_no_clips_is_a_gap(make_site, make_camera, footage):
    site, _ = started(make_site, make_camera, footage, "continuous", "record:\n  split: 10s\n")
    media = site.store / "media/gate"
    aside = site.store / "aside"
    shutil.move(media, aside)
    media.write_text("")
    gap = open_gap(site, 20)
    assert gap["cause"] == "disk-failed"
    media.unlink()
    shutil.move(aside, media)
    closed_gap(site, 20)
    assert_tiled(site)


@pytest.fixture
def small_disk(opened, tmp_path):
    """mount(folder): 12 MB of memory as a file system there; skips where that is not allowed."""
    def mount(folder):
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"this machine lets us mount no tmpfs: {done.stderr.strip()}")
        opened.callback(subprocess.run, ["umount", "-l", str(folder)], check=True)
        return folder
    return mount


@pytest.mark.parametrize("record", ["continuous", "events"])
def test_a_full_disk_is_a_gap_until_there_is_room(make_site, make_camera, footage, small_disk, record):
    site = make_site("workers: 1\n")
    media = small_disk(site.store / "media")
    site.start()
    filler = media / "filler"
    camera = make_camera({"gate": footage["h264"]}, live=True)
    site.add_camera("gate", camera.url("gate"), record=record)
    site.wait_for_status("gate", "online", 15)
    time.sleep(3)
    with open(filler, "wb") as file, pytest.raises(OSError):
        while True:
            file.write(bytes(65536))
            file.flush()
    gap = open_gap(site, 40)
    assert gap["cause"] == "disk-full"
    # Room for the head of a clip and no more: not worth a try, which would be a gap of its own.
    os.truncate(filler, filler.stat().st_size - 100_000)
    time.sleep(5)
    assert open_gap(site, 1)["id"] == gap["id"]
    filler.unlink()
    wait_for("no open gap", lambda: all(item["state"] == "closed" for item in gaps_of(site)), 30)
    assert {item["cause"] for item in gaps_of(site)} == {"disk-full"}
    if record == "continuous":
        assert_tiled(site)
