# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fault of a camera's picture, from the camera to a subscriber, the index and a clip."""
import footage as footage_maker
from gridwatch_site import wait_for

SECOND = 1_000_000
BLACK_FROM_S, SECONDS = 14, 44


def test_a_black_camera_is_one_event_with_a_clip_of_its_beginning(site, make_camera, tmp_path):
    graph = (footage_maker.scene(seconds=SECONDS, moves=(SECONDS, SECONDS + 1)) +
             f",drawbox=c=black:t=fill:enable='gte(t,{BLACK_FROM_S})'")
    path = footage_maker.make(tmp_path / "black.mp4", graph=graph)
    bus = site.subscribe("event/")
    camera = make_camera({"gate": path})
    site.add_camera("gate", camera.url("gate"))
    online_us = site.wait_for_status("gate", "online", 15)["since_us"]

    opened = bus.wait_for("event.opened", 60, camera="gate").data
    assert opened["kind"] == "black" and opened["has_snapshot"]
    assert abs(opened["start_us"] - online_us - BLACK_FROM_S * SECOND) < 2 * SECOND

    # The clip ends though the fault goes on.
    clip = wait_for("a closed clip", lambda: next(iter(site.clips(camera="gate", state="closed")), None), 30)
    [event] = site.events(camera="gate", kind="black")
    assert event["state"] == "open"
    assert clip["start_us"] <= opened["confirmed_us"] <= clip["end_us"]
    assert (clip["end_us"] - clip["start_us"]) / SECOND < 25
    assert [one["id"] for one in site.get("/events/" + event["id"])["clips"]] == [clip["id"]]

    closed = bus.wait_for("event.closed", 60, camera="gate").data
    assert closed["id"] == opened["id"] and not closed["interrupted"]
    assert abs(closed["end_us"] - online_us - SECONDS * SECOND) < 3 * SECOND
    assert site.events(camera="gate", kind="frozen") == []
