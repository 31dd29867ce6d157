# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A camera with two streams: the large one is recorded, in the small one events are found."""
import pytest

import footage as footage_maker
from gridwatch_site import wait_for
from test_recording import SECOND, assert_playable, recorded_event


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The test scene again, half as large."""
    path = tmp_path_factory.mktemp("small") / "small.mp4"
    footage_maker.make(path, graph=footage_maker.scene(width=320, height=180))
    return path


def metric(site, name, camera):
    _, _, body = site.request("/metrics")
    for line in body.decode().splitlines():
        if line.startswith(f'{name}{{camera="{camera}"}} '):
            return float(line.split()[-1])
    return None


def detects(site, value):
    return lambda: metric(site, "gridwatch_camera_detect_online", "gate") == value


def test_an_event_of_the_small_stream_is_recorded_from_the_large_one(make_site, make_camera, footage, small):
    # Everything is decoded, so that what is told of the analysis does not depend on when it is asked for.
    site = make_site("analysis:\n  level: full\n").start()
    login = ("admin", "s3cret-w0rd")
    large = make_camera({"gate": footage["h264"]}, login=login)
    other = make_camera({"small": small}, login=login)
    site.add_camera("gate", large.url("gate", login), detect_url=other.url("small"))
    online = site.wait_for_status("gate", "online", 15)
    wait_for("the small stream", detects(site, 1), 10)
    event = recorded_event(site, "gate")
    # Both streams began within a second or so of one another.
    moved_us = online["since_us"] + footage_maker.MOVES_FROM_S * SECOND
    assert abs(event["start_us"] - moved_us) < 2.5 * SECOND
    clip = event["clips"][0]
    assert (clip["width"], clip["height"]) == (640, 360)
    assert clip["start_us"] <= event["start_us"] - 3 * SECOND
    assert_playable(site, clip)
    status, _, snapshot = site.request(f"/api/v1/events/{event['id']}/snapshot")
    assert status == 200 and snapshot[:2] == b"\xff\xd8"
    camera = site.camera("gate")
    assert camera["detect_url"] == other.url("small")
    assert camera["analysis"]["detect_online"] is True and camera["analysis"]["level"] == "full"
    assert 0.5 < camera["analysis"]["decoded_share"] <= 1
    assert login[1] not in site.log()
    sheet = site.run("camera export")
    assert other.url("small") in sheet and login[1] not in sheet


def test_without_the_small_stream_events_are_found_in_the_large_one(site, make_camera, footage):
    large = make_camera({"gate": footage["h264"]})
    site.add_camera("gate", large.url("gate"), detect_url="rtsp://127.0.0.1:9/nothing")
    site.wait_for_status("gate", "online", 15)
    wait_for("the missing stream in the metrics", detects(site, 0), 10)
    assert recorded_event(site, "gate")["clips"]
    assert "gate detect_url: offline" in site.log()
