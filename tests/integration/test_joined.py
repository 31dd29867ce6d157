# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any recorded range of a camera plays as one file: /api/v1/clips/media and /api/v1/clips/timeline."""
import json
import os
import random
import sqlite3
import subprocess

import pytest

from gridwatch_site import Site, probe_frames
from rtsp_camera import ROOT
from recorded_store import FRAME_US, SECOND, record


def start(site):
    """Starts the site on a store of recordings; returns both, with the time of the first picture."""
    start_us = record(site.store)
    site.start().login()
    return site, start_us


@pytest.fixture(scope="module")
def recorded(program):
    site = Site()
    try:
        yield start(site)
    finally:
        site.close()


def path_of(start_us, first, end, camera="gate-07", noun="media"):
    """The request for the time from one picture to another of the first ten seconds."""
    return (f"/api/v1/clips/{noun}?camera={camera}&from={start_us + first * FRAME_US}"
            f"&to={start_us + end * FRAME_US}")


def packets(path):
    done = subprocess.run(["ffprobe", "-v", "error", "-show_packets", "-show_format", "-of", "json", str(path)],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def fetch(site, path, **headers):
    status, answer, body = site.request(path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    return status, answer, body


def test_a_range_plays_across_clips_as_one_file(recorded, tmp_path):
    site, start_us = recorded
    status, headers, body = fetch(site, path_of(start_us, 0, 250))
    assert status == 200 and headers["Content-Type"] == "video/mp4"
    assert int(headers["X-Gridwatch-From-Us"]) == start_us
    assert int(headers["X-Gridwatch-To-Us"]) == start_us + 250 * FRAME_US
    joined = tmp_path / "joined.mp4"
    joined.write_bytes(body)
    # 0-99 of the first clip, 105-179 of the second, which overlaps it, 200-249 of the third.
    frames = probe_frames(joined)
    assert len(frames) == 100 + 75 + 50 and frames[0]["key_frame"] == 1
    found = packets(joined)
    dts = [int(packet["dts"]) for packet in found["packets"]]
    assert all(a < b for a, b in zip(dts, dts[1:]))
    pts = sorted(float(packet["pts_time"]) for packet in found["packets"])
    expected = [n * 0.04 for n in [*range(100), *range(105, 180), *range(200, 250)]]
    assert pts == pytest.approx(expected, abs=0.0001), "the time line follows the clock"
    assert float(found["format"]["duration"]) == pytest.approx(10, abs=0.001)


def test_a_range_is_trimmed_to_fragments(recorded, tmp_path):
    site, start_us = recorded
    _, headers, body = fetch(site, path_of(start_us, 30, 60))
    (tmp_path / "part.mp4").write_bytes(body)
    assert len(probe_frames(tmp_path / "part.mp4")) == 50
    assert int(headers["X-Gridwatch-From-Us"]) == start_us + 25 * FRAME_US
    assert int(headers["X-Gridwatch-To-Us"]) == start_us + 75 * FRAME_US


def test_the_time_line_says_what_time_is_where(recorded):
    site, start_us = recorded
    status, _, body = fetch(site, path_of(start_us, 0, 3650 * 25, noun="timeline").replace(
        f"to={start_us + 3650 * 25 * FRAME_US}", f"to={start_us + 3602 * SECOND}"))
    assert status == 200, body
    pieces = json.loads(body)["items"]
    assert [(piece["from_us"] - start_us) // FRAME_US for piece in pieces] == [0, 105, 200, 90000]
    assert [piece["frames"] for piece in pieces] == [100, 75, 50, 50]
    # Holes of up to two seconds stay; the hour is left out.
    assert [piece["at_us"] // FRAME_US for piece in pieces] == [0, 105, 200, 250]


def test_ranges_of_bytes_make_up_the_whole(recorded):
    site, start_us = recorded
    path = path_of(start_us, 0, 250)
    _, headers, whole = fetch(site, path)
    tag, size = headers["ETag"], len(whole)
    chance, at, parts = random.Random(7), 0, []
    while at < size:
        end = min(size, at + chance.randrange(1, size // 3))
        status, headers, part = fetch(site, path, Range=f"bytes={at}-{end - 1}")
        assert status == 206 and headers["ETag"] == tag
        assert headers["Content-Range"] == f"bytes {at}-{end - 1}/{size}"
        parts.append(part)
        at = end
    assert b"".join(parts) == whole
    status, headers, tail = fetch(site, path, Range="bytes=-1000")
    assert status == 206 and tail == whole[-1000:]
    status, headers, _ = fetch(site, path, Range=f"bytes={size}-")
    assert status == 416 and headers["Content-Range"] == f"bytes */{size}"
    assert fetch(site, path, Range="bytes=5-9", If_Range=tag)[2] == whole[5:10]
    assert fetch(site, path, Range="bytes=5-9", If_Range='"other"')[:3:2] == (200, whole)
    status, headers, body = site.request(path, method="HEAD")
    assert status == 200 and body == b"" and int(headers["Content-Length"]) == size


def test_a_change_of_codec_is_refused_with_its_time(recorded, tmp_path):
    site, start_us = recorded
    later_us, path = start_us + 3600 * SECOND, "/api/v1/clips/media?camera=gate-07"
    status, _, body = fetch(site, f"{path}&from={later_us}&to={later_us + 4 * SECOND}")
    assert status == 409 and "2026-05-04T04:02:03.120000Z" in json.loads(body)["detail"]
    status, _, body = fetch(site, f"{path}&from={later_us + 2 * SECOND}&to={later_us + 4 * SECOND}")
    (tmp_path / "h265.mp4").write_bytes(body)
    assert status == 200 and len(probe_frames(tmp_path / "h265.mp4")) == 50


def test_what_cannot_be_played_says_why(recorded):
    site, start_us = recorded
    for query, status in [("from=1&to=2", 400), ("camera=gate-07&from=1", 400), ("camera=gate-07&from=2&to=1", 400),
                          (f"camera=gate-07&from={start_us}&to={start_us + 86401 * SECOND}", 400),
                          ("camera=gate-07&from=1&to=2&state=closed", 400), ("camera=gate-07&from=1&to=2", 404),
                          (f"camera=none&from={start_us}&to={start_us + SECOND}", 404)]:
        for noun in ("media", "timeline"):
            got, headers, body = fetch(site, f"/api/v1/clips/{noun}?{query}")
            assert got == status, (query, body)
            assert headers["Content-Type"] == "application/problem+json"
    token, site.token = site.token, "nobody"
    assert fetch(site, path_of(start_us, 0, 50))[0] == 401
    site.token = token


def test_every_look_at_a_range_is_audited_once(recorded):
    site, start_us = recorded
    path = path_of(start_us, 0, 55)
    fetch(site, path_of(start_us, 0, 55, noun="timeline"))
    site.request(path, method="HEAD")
    for span in ("bytes=0-", "bytes=100-200", "bytes=0-", "bytes=300-"):
        assert fetch(site, path, Range=span)[0] == 206
    audit = sqlite3.connect(f"file:{site.store}/console.db?mode=ro", uri=True)
    rows = audit.execute("SELECT action, camera FROM audit WHERE object = ?",
                         (f"{start_us}-{start_us + 55 * FRAME_US}",)).fetchall()
    assert rows == [("range.media", "gate-07")]


def test_a_clip_that_is_missing_is_left_out(make_site):
    site, start_us = start(make_site())
    path = path_of(start_us, 0, 250, noun="timeline")
    assert json.loads(fetch(site, path)[2])["unreadable"] == 0
    [clip] = [clip for clip in site.clips(camera="gate-07") if clip["start_us"] == start_us + 80 * FRAME_US]
    site.clip_file(clip).unlink()
    site.addresses["login"] = site.run("user login").strip()
    site.login()  # another session, which has no plan yet
    after = json.loads(fetch(site, path)[2])
    assert after["unreadable"] == 1 and after["frames"] == 150


def test_chromium_plays_and_seeks_a_range(recorded):
    site, start_us = recorded
    code = site.run("user login").strip().rsplit("/", 1)[1]
    environment = dict(os.environ, GRIDWATCH_URL=f"{site.addresses['console']}/#/login/{code}",
                       GRIDWATCH_RANGE=path_of(start_us, 0, 250))
    done = subprocess.run(["node", "--test", str(ROOT / "tests/browser/live-range.mjs")], env=environment,
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "# pass 0" not in done.stdout and "ℹ pass 0" not in done.stdout, "it tested nothing"
