# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From motion in front of a camera to a subscriber, an index row and a playable clip."""
import contextlib
import sqlite3
import time

import pytest

import footage as footage_maker
from gridwatch_site import probe_frames, wait_for

SECOND = 1_000_000


def recorded_event(site, camera, deadline_s=60):
    """The first event of a camera that has ended, with its clips closed, as the API tells it."""
    def ended():
        # Events that lie close together share a clip, and end with it at the same moment.
        for event in sorted(site.events(camera=camera, state="closed"), key=lambda event: event["start_us"]):
            event = site.get("/events/" + event["id"])
            if event["clips"] and all(clip["state"] == "closed" for clip in event["clips"]):
                return event
        return None
    return wait_for(f"an ended event of {camera}", ended, deadline_s, every_s=0.3)


def assert_playable(site, clip):
    """Every frame decodes without a complaint, and the index tells the truth about the file."""
    path = site.clip_file(clip)
    frames = probe_frames(path)
    assert len(frames) == clip["frames"]
    assert frames[0]["key_frame"] == 1
    assert path.stat().st_size == clip["size_bytes"]
    seconds = (clip["end_us"] - clip["start_us"]) / SECOND
    assert seconds == pytest.approx(len(frames) / footage_maker.FPS, abs=0.5)


def assert_recorded_from_motion(site, camera, online_us):
    """The whole path for the test scene, in which a thing moves from second 8 to second 12."""
    event = recorded_event(site, camera)
    motion_from = online_us + footage_maker.MOVES_FROM_S * SECOND
    motion_to = online_us + footage_maker.MOVES_TO_S * SECOND
    assert abs(event["start_us"] - motion_from) < 1.5 * SECOND
    assert abs(event["end_us"] - motion_to) < 1.5 * SECOND
    clip = event["clips"][0]
    assert clip["start_us"] <= motion_from - 3 * SECOND, "less than 3 s before the motion"
    assert clip["end_us"] >= motion_to + 3 * SECOND, "less than 3 s after the motion"
    assert not clip["truncated"]
    assert_playable(site, clip)
    return event


def test_an_event_reaches_a_subscriber_within_a_second_of_its_confirmation(site, make_camera, footage):
    bus = site.subscribe("alert/", "event/")
    camera = make_camera({"gate": footage["h264"]})
    site.add_camera("gate", camera.url("gate"))
    opened = bus.wait_for("event.opened", 40, camera="gate")
    delay_us = opened.received_us - opened.data["confirmed_us"]
    assert -0.1 * SECOND < delay_us < SECOND
    assert opened.thumbnail and opened.thumbnail[:2] == b"\xff\xd8"
    assert opened.topic.startswith("event/640323") and opened.topic.endswith("/gate")
    alert = bus.wait_for("alert.raised", 3, camera="gate")
    assert alert.topic.startswith("alert/640323") and alert.data["id"] == opened.data["id"]
    closed = bus.wait_for("event.closed", 40, camera="gate")
    assert closed.data["id"] == opened.data["id"] and closed.seq > alert.seq > opened.seq


def test_a_clip_holds_what_came_before_and_after_the_motion(site, make_camera, footage):
    camera = make_camera({"gate": footage["h264"]})
    site.add_camera("gate", camera.url("gate"))
    online = site.wait_for_status("gate", "online", 15)
    event = assert_recorded_from_motion(site, "gate", online["since_us"])
    clip = event["clips"][0]
    assert clip["codec"] == "h264" and (clip["width"], clip["height"]) == (640, 360)
    status, headers, body = site.request(f"/api/v1/clips/{clip['id']}/media")
    assert status == 200 and headers["Content-Type"] == "video/mp4"
    assert body == site.clip_file(clip).read_bytes()
    status, _, body = site.request(f"/api/v1/events/{event['id']}/snapshot")
    assert status == 200 and body[:2] == b"\xff\xd8"
    status, _, body = site.request(f"/api/v1/events/{event['id']}/thumbnail")
    assert status == 200 and body[:2] == b"\xff\xd8"


def test_an_h265_camera_is_recorded_like_any_other(site, make_camera, footage):
    camera = make_camera({"gate": footage["h265"]})
    site.add_camera("gate", camera.url("gate"))
    online = site.wait_for_status("gate", "online", 15)
    event = assert_recorded_from_motion(site, "gate", online["since_us"])
    assert event["clips"][0]["codec"] == "h265"


@pytest.mark.parametrize("audio", ["pcma", "aac"])
def test_a_camera_with_audio_is_recorded_without_it(site, make_camera, footage, audio):
    camera = make_camera({"gate": footage["h264"]}, audio=audio)
    site.add_camera("gate", camera.url("gate"))
    online = site.wait_for_status("gate", "online", 15)
    event = assert_recorded_from_motion(site, "gate", online["since_us"])
    assert b"soun" not in site.clip_file(event["clips"][0]).read_bytes()[:4096]


def assert_range_stays_while_its_last_clip_grows(site, from_us):
    """Who plays a range into the present gets the bytes that there were when it began."""
    path = f"/api/v1/clips/media?camera=gate&from={from_us}&to={from_us + 3600 * SECOND}"

    def count_bytes():
        return sum(file.stat().st_size for file in (site.store / "media/gate").rglob("*.mp4"))
    written = count_bytes()
    status, headers, _ = site.request(path, headers={"Range": "bytes=0-9"})
    tag, size = headers["ETag"], int(headers["Content-Range"].rpartition("/")[2])
    assert status == 206
    wait_for("the recording to grow by more than a header", lambda: count_bytes() > written + 20_000, 10)
    status, headers, body = site.request(path, headers={"Range": f"bytes={size - 10}-"})
    assert status == 206 and headers["ETag"] == tag and len(body) == 10
    _, headers, _ = site.request(path, method="HEAD")  # a look of its own
    assert headers["ETag"] != tag and int(headers["Content-Length"]) > size


def test_continuous_recording_has_no_gap_where_clips_are_split(make_site, make_camera, footage):
    site = make_site("record:\n  split: 10s\n").start()
    camera = make_camera({"gate": footage["h264"]})
    site.add_camera("gate", camera.url("gate"), record="continuous")
    closed = wait_for("three closed clips", lambda: (
        lambda clips: len(clips) >= 3 and clips)(site.clips(camera="gate", state="closed")), 60)
    closed = sorted(closed, key=lambda clip: clip["start_us"])
    for before, after in zip(closed, closed[1:]):
        assert abs(after["start_us"] - before["end_us"]) < SECOND / footage_maker.FPS
    for clip in closed:
        assert_playable(site, clip)
    # And as one file from the first to the last, picture by picture.
    status, _, body = site.request(f"/api/v1/clips/media?camera=gate&from={closed[0]['start_us']}"
                                   f"&to={closed[-1]['end_us']}")
    joined = site.folder / "joined.mp4"
    joined.write_bytes(body)
    assert status == 200 and len(probe_frames(joined)) == sum(clip["frames"] for clip in closed)
    assert_range_stays_while_its_last_clip_grows(site, closed[-1]["start_us"])


def test_a_disk_that_fails_is_said_once_and_recorded_on_again(site, make_camera, footage):
    camera = make_camera({"gate": footage["h264"]})
    in_the_way = site.store / "media/gate"
    in_the_way.parent.mkdir(exist_ok=True)
    in_the_way.write_text("")
    site.add_camera("gate", camera.url("gate"), record="continuous")
    site.wait_for_status("gate", "online", 15)
    wait_for("a complaint", lambda: "cannot begin a clip" in site.log(), 15)
    time.sleep(4)  # some tries more
    assert site.log().count("cannot begin a clip") == 1
    in_the_way.unlink()
    wait_for("a clip", lambda: site.clips(camera="gate", state="recording"), 15)
    site.stop()
    assert site.log().count("clips are written again") == 1


def packets(site, camera):
    _, _, body = site.request("/metrics")
    [line] = [line for line in body.decode().splitlines() if line.startswith(f'gridwatch_camera_packets_total{{camera="{camera}"}}')]
    return float(line.rsplit(" ", 1)[1])


def test_nothing_is_found_behind_a_mask_of_the_registry(site, make_camera, footage):
    camera = make_camera({"gate": footage["h264"], "masked": footage["h264"]})
    bus = site.subscribe("event/")
    sheet = site.folder / "cameras.csv"
    whole = '"{""masks"": [{""polygon"": [[0, 0], [1, 0], [1, 1], [0, 1]]}]}"'
    sheet.write_text(f"id,record_url,zones\nmasked,{camera.url('masked')},{whole}\ngate,{camera.url('gate')},\n")
    site.run("camera import", sheet)
    assert site.camera("masked")["zones"]["masks"][0]["polygon"][2] == [1, 1]
    # Both show the same film at the same time, and where nothing hides it the motion is seen.
    assert bus.wait_for("event.opened", 40, camera="gate").data["kind"] == "motion"
    seen = packets(site, "masked")
    wait_for("two seconds more", lambda: packets(site, "masked") > seen + 2 * footage_maker.FPS, 10)
    assert site.events(camera="masked") == []


def test_a_camera_whose_mask_cannot_be_read_is_not_looked_at(make_site, make_camera, footage):
    site = make_site()
    camera = make_camera({"gate": footage["h264"]})
    site.add_camera("gate", camera.url("gate"), record="continuous")
    with contextlib.closing(sqlite3.connect(site.store / "index.db")) as db, db:
        db.execute("UPDATE camera SET zones = '{\"masks\": [7]}'")
    site.start()
    wait_for("a clip", lambda: site.clips(camera="gate", state="recording"), 20)
    assert "gate: zones: masks[0]" in site.log() and "nothing is looked at" in site.log()
    assert "analysis" not in site.camera("gate")


def test_a_camera_that_records_nothing_still_has_events_with_snapshots(site, make_camera, footage):
    camera = make_camera({"gate": footage["h264"]})
    site.add_camera("gate", camera.url("gate"), record="off")
    event = wait_for("an event", lambda: site.events(camera="gate"), 30)[0]
    status, _, body = site.request(f"/api/v1/events/{event['id']}/snapshot")
    assert status == 200 and body[:2] == b"\xff\xd8"
    assert site.clips(camera="gate") == []


def test_without_analysis_only_what_is_recorded_at_all_times_is_recorded(make_site, make_camera, footage):
    site = make_site("analysis:\n  level: off\n").start()
    camera = make_camera({"gate": footage["h264"], "yard": footage["h264"]})
    site.add_camera("gate", camera.url("gate"), detect_url=camera.url("yard"))
    site.add_camera("yard", camera.url("yard"), record="continuous")
    site.wait_for_status("gate", "online", 15)
    online = site.wait_for_status("yard", "online", 15)
    # The thing that moves has come and gone.
    wait_for("a whole film", lambda: time.time() * SECOND > online["since_us"] + footage_maker.SECONDS * SECOND, 60)
    assert site.events() == [] and "analysis" not in site.camera("gate")
    _, _, metrics = site.request("/metrics")
    assert 'gridwatch_camera_analysis_level{camera="gate"} 0\n' in metrics.decode()
    site.stop()
    assert not site.run("clips", "--camera", "gate", "--json")
    assert site.run("clips", "--camera", "yard", "--json")


# (clip, what moves first from here on in its film, seconds)
@pytest.mark.parametrize("film, moves_from_s", [("office_one_by_one", 6.0), ("road_topdown", None)])
def test_real_footage_from_a_foreign_server_takes_the_whole_path(site, foreign_camera, film, moves_from_s):
    bus = site.subscribe("event/")
    camera = foreign_camera(film, login=("viewer", "se:cret"))
    site.add_camera("street", camera.url(film, ("viewer", "se%3Acret")))
    online = site.wait_for_status("street", "online", 20)
    opened = bus.wait_for("event.opened", 60, camera="street")
    assert opened.received_us - opened.data["confirmed_us"] < SECOND
    event = recorded_event(site, "street", 120)
    assert event["id"] == opened.data["id"]
    clip = event["clips"][0]
    if moves_from_s:
        assert clip["start_us"] <= online["since_us"] + (moves_from_s - 3) * SECOND
    if event["start_us"] - online["since_us"] > 4 * SECOND:
        assert clip["start_us"] <= event["start_us"] - 3 * SECOND
    frames = probe_frames(site.clip_file(clip))
    assert len(frames) == clip["frames"]
