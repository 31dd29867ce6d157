# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that are killed, stopped and started twice."""
import os
import signal
import time

from gridwatch_site import BINARY, probe_frames, run, wait_for

SECOND = 1_000_000


def recording(site, camera, deadline_s=15):
    return wait_for("a clip that grows", lambda: site.clips(camera=camera, state="recording"), deadline_s)[0]


def test_a_killed_worker_is_replaced_and_records_again_within_five_seconds(make_site, make_camera, footage):
    site = make_site("workers: 1\n").start()
    camera = make_camera({"gate": footage["h264"]}, live=True)
    site.add_camera("gate", camera.url("gate"), record="continuous")
    site.wait_for_status("gate", "online", 15)
    clip = recording(site, "gate")
    event = wait_for("an open event", lambda: site.events(camera="gate", state="open"), 40)[0]
    [worker] = site.workers()
    killed = time.monotonic()
    os.kill(worker, signal.SIGKILL)

    def another():
        return [c for c in site.clips(camera="gate", state="recording") if c["id"] != clip["id"]]
    wait_for("another clip that grows", another, 5)
    assert time.monotonic() - killed < 5
    assert site.workers() != [worker]

    wait_for("the interrupted clip repaired", lambda: site.get("/clips/" + clip["id"])["state"] == "repaired", 10)
    repaired = site.get("/clips/" + clip["id"])
    frames = probe_frames(site.clip_file(repaired))
    assert len(frames) == repaired["frames"] > 0
    wait_for("the interrupted event closed",
             lambda: site.get("/events/" + event["id"])["state"] == "closed", 10)
    assert site.get("/events/" + event["id"])["interrupted"]


def test_a_camera_is_offline_when_nobody_is_connected_to_it(make_site, make_camera, footage):
    site = make_site("workers: 1\n").start()
    camera = make_camera({"gate": footage["h264"]})
    site.add_camera("gate", camera.url("gate"))

    def is_offline(*words):
        row = site.camera("gate")
        return row["status"] == "offline" and any(word in row["reason"] for word in words) and row

    site.wait_for_status("gate", "online", 15)
    camera.freeze()
    [worker] = site.workers()
    os.kill(worker, signal.SIGKILL)
    wait_for("offline with its worker", lambda: is_offline("worker ended"), 4)
    camera.thaw()
    site.wait_for_status("gate", "online", 30)

    site.run("camera disable gate")
    wait_for("offline when disabled", lambda: is_offline("switched off"), 5)
    site.run("camera enable gate")
    site.wait_for_status("gate", "online", 15)

    camera.freeze()
    site.kill()
    site.start()
    wait_for("offline after power came back", lambda: is_offline("worker ended"), 4)
    camera.thaw()

    site.wait_for_status("gate", "online", 30)
    site.stop()
    assert "the site was stopped" in site.run("camera list")


def test_a_clip_that_the_old_worker_still_holds_is_repaired_when_it_lets_go(make_site, make_camera, footage):
    site = make_site("workers: 1\n").start()
    camera = make_camera({"gate": footage["h264"]}, live=True)
    site.add_camera("gate", camera.url("gate"), record="continuous")
    clip = recording(site, "gate")
    time.sleep(2.5)
    [old] = site.workers()
    os.kill(old, signal.SIGSTOP)
    try:
        site.process.kill()
        site.process.wait()
        site.process.stdout.close()
        site.start()
        wait_for("another clip that grows",
                 lambda: [c for c in site.clips(state="recording") if c["id"] != clip["id"]], 10)
        wait_for("a repair that cannot be", lambda: clip["id"] in site.log(), 5)
        assert site.get("/clips/" + clip["id"])["state"] == "recording"
    finally:
        os.kill(old, signal.SIGKILL)
    wait_for("the clip repaired", lambda: site.get("/clips/" + clip["id"])["state"] == "repaired", 5)
    repaired = site.get("/clips/" + clip["id"])
    assert len(probe_frames(site.clip_file(repaired))) == repaired["frames"] > 0


def test_sigterm_closes_and_indexes_open_clips_within_three_seconds(make_site, make_camera, footage):
    site = make_site().start()
    camera = make_camera({f"cam{n}": footage["h264"] for n in range(4)})
    for number in range(4):
        site.add_camera(f"cam{number}", camera.url(f"cam{number}"), record="continuous")
    for number in range(4):
        recording(site, f"cam{number}")
    time.sleep(2)
    assert site.stop() < 3
    site.start()
    clips = site.clips()
    first = {clip["camera"]: clip for clip in sorted(clips, key=lambda clip: -clip["start_us"])}
    assert len(first) == 4
    for clip in first.values():
        assert clip["state"] == "closed"
        assert len(probe_frames(site.clip_file(clip))) == clip["frames"]


def test_a_second_site_on_the_same_store_is_refused_in_one_line(site):
    second = run("serve", "-c", site.config, timeout=20)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1 and str(site.store) in second.stderr
    assert site.get("/cameras")["items"] == []


def test_a_port_in_use_is_one_line_that_names_it(site, make_site):
    address = site.addresses["console"].removeprefix("http://")
    other = make_site()
    other.config.write_text(f"store: {other.store}\nconsole:\n  listen: {address}\n"
                            "bus:\n  listen: 127.0.0.1:0\n", encoding="utf-8")
    second = run("serve", "-c", other.config, timeout=20)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1 and address in second.stderr


def test_a_restart_keeps_events_clips_and_cameras(make_site, make_camera, footage):
    site = make_site().start()
    camera = make_camera({"gate": footage["h264"]})
    site.add_camera("gate", camera.url("gate"))
    wait_for("an ended event", lambda: site.events(camera="gate", state="closed"), 60)
    wait_for("a closed clip", lambda: site.clips(camera="gate", state="closed"), 30)
    events, clips = site.events(camera="gate", state="closed"), site.clips(camera="gate", state="closed")
    site.stop()
    site.start()
    ids = lambda rows: {row["id"] for row in rows}  # noqa: E731
    assert ids(events) <= ids(site.events(camera="gate"))
    assert ids(clips) <= ids(site.clips(camera="gate"))
    site.wait_for_status("gate", "online", 20)


def test_a_site_that_lost_power_repairs_its_clips_and_closes_its_events(make_site, make_camera, footage):
    site = make_site().start()
    camera = make_camera({"gate": footage["h264"]}, live=True)
    site.add_camera("gate", camera.url("gate"), record="continuous")
    clip = recording(site, "gate")
    event = wait_for("an open event", lambda: site.events(camera="gate", state="open"), 40)[0]
    site.kill()
    site.start()
    wait_for("the clip repaired", lambda: site.get("/clips/" + clip["id"])["state"] == "repaired", 15)
    repaired = site.get("/clips/" + clip["id"])
    assert len(probe_frames(site.clip_file(repaired))) == repaired["frames"] > 0
    wait_for("the interrupted event closed",
             lambda: site.get("/events/" + event["id"])["state"] == "closed", 10)
    assert site.get("/events/" + event["id"])["interrupted"]


def test_workers_end_with_a_hub_that_was_killed(make_site):
    site = make_site().start()
    workers = wait_for("workers", site.workers, 5)
    site.process.kill()
    site.process.wait()
    site.process.stdout.close()
    site.process = None

    def gone():
        return not any(is_running(pid) for pid in workers)
    wait_for("no workers", gone, 10)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return os.path.basename(BINARY).encode() in file.read()
    except OSError:
        return False
