# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cameras that are refused, absent, hung or gone: each offline with its reason, and back when it is."""
import json
import pathlib
import re
import signal
import socket
import subprocess
import time

import footage as footage_maker
import pytest

from gridwatch_site import BINARY, run, wait_for
from rtsp_camera import ScriptedCamera, free_port, h264_pictures

SECRET = "hunter2-Zq9x"


def packets(site, camera):
    """How many packets the site has received from a camera, by its metrics."""
    _, _, body = site.request("/metrics")
    lines = [line for line in body.decode().splitlines()
             if line.startswith(f'gridwatch_camera_packets_total{{camera="{camera}"}}')]
    return int(float(lines[0].rsplit(" ", 1)[1])) if lines else 0


def command_lines():
    lines = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes())
        except OSError:
            pass
    return b"\n".join(lines)


@pytest.mark.parametrize("method", ["digest", "basic"])
def test_a_camera_with_a_password_is_recorded(site, make_camera, footage, method):
    camera = make_camera({"gate": footage["h264"]}, login=("viewer", SECRET), method=method)
    site.add_camera("gate", camera.url("gate", ("viewer", SECRET)))
    site.wait_for_status("gate", "online", 15)


def test_a_wrong_password_is_the_reason_and_appears_nowhere(site, make_camera, footage):
    bus = site.subscribe("camera/")
    camera = make_camera({"gate": footage["h264"]}, login=("viewer", "the-right-one"))
    site.add_camera("gate", camera.url("gate", ("viewer", SECRET)))
    offline = bus.wait_for("camera.offline", 20, camera="gate")
    row = site.wait_for_status("gate", "offline", 5)
    assert "password" in row["reason"]
    assert row["url"] == camera.url("gate")
    _, _, metrics = site.request("/metrics")
    seen = [site.log().encode(), offline.text, str(row).encode(), metrics, command_lines(),
            site.run("camera list").encode()]
    for text in seen:
        assert SECRET.encode() not in text


def test_a_password_given_on_the_command_line_leaves_the_process_list(make_site, make_camera, footage):
    camera = make_camera({"gate": footage["h264"]}, login=("viewer", SECRET))
    site = make_site().start("--camera", camera.url("gate", ("viewer", SECRET)))
    [row] = wait_for("the camera", lambda: site.get("/cameras")["items"], 5)
    site.wait_for_status(row["id"], "online", 15)
    assert SECRET.encode() not in command_lines()
    assert SECRET not in site.log()


def test_a_camera_that_is_not_there_is_offline_and_found_when_it_comes(site, make_camera, footage):
    port = free_port()
    site.add_camera("gate", f"rtsp://127.0.0.1:{port}/gate")
    row = site.wait_for_status("gate", "offline", 15)
    assert "refused" in row["reason"] or "listens" in row["reason"]
    make_camera({"gate": footage["h264"]}, port=port)
    site.wait_for_status("gate", "online", 30)


def test_a_stream_that_the_server_does_not_have_is_the_reason(site, make_camera, footage):
    camera = make_camera({"gate": footage["h264"]})
    site.add_camera("gate", camera.url("no-such-stream"))
    row = site.wait_for_status("gate", "offline", 15)
    assert "stream" in row["reason"]


def test_a_stalled_camera_is_offline_within_ten_seconds_and_records_again_afterwards(site, make_camera, footage):
    camera = make_camera({"gate": footage["h264"]})
    site.add_camera("gate", camera.url("gate"), record="continuous")
    site.wait_for_status("gate", "online", 15)
    wait_for("a clip", lambda: site.clips(camera="gate", state="recording"), 10)
    camera.freeze()
    row = site.wait_for_status("gate", "offline", 10)
    assert row["reason"]
    clips = wait_for("the clip closed", lambda: site.clips(camera="gate", state="closed"), 10)
    camera.thaw()
    site.wait_for_status("gate", "online", 30)
    again = wait_for("a new clip", lambda: site.clips(camera="gate", state="recording"), 10)
    assert again[0]["id"] != clips[0]["id"]


def test_a_camera_that_restarts_on_its_port_is_online_again(site, make_camera, footage):
    camera = make_camera({"gate": footage["h264"]})
    site.add_camera("gate", camera.url("gate"))
    site.wait_for_status("gate", "online", 15)
    camera.stop()
    site.wait_for_status("gate", "offline", 10)
    make_camera({"gate": footage["h264"]}, port=camera.port)
    site.wait_for_status("gate", "online", 30)


def test_cameras_come_and_go_while_the_site_runs(site, make_camera, footage):
    camera = make_camera({"gate": footage["h264"], "yard": footage["h264"]})
    site.add_camera("gate", camera.url("gate"))
    site.wait_for_status("gate", "online", 15)
    site.add_camera("yard", camera.url("yard"), record="continuous")
    site.wait_for_status("yard", "online", 15)
    wait_for("a clip of yard", lambda: site.clips(camera="yard", state="recording"), 10)
    site.run("camera remove", "yard")
    wait_for("no yard", lambda: [row["id"] for row in site.get("/cameras")["items"]] == ["gate"], 5)
    wait_for("the clip of yard closed", lambda: site.clips(camera="yard", state="closed"), 10)
    assert not site.clips(camera="yard", state="recording")
    before = packets(site, "gate")
    wait_for("gate goes on", lambda: packets(site, "gate") > before, 10)


def test_probe_says_what_is_there_or_what_is_wrong(make_camera, footage):
    camera = make_camera({"gate": footage["h264"]}, login=("viewer", SECRET))
    good = run("probe", "-", stdin=camera.url("gate", ("viewer", SECRET)) + "\n")
    assert good.returncode == 0 and "640x360" in good.stdout and "264" in good.stdout
    for url, reason in [(camera.url("gate", ("viewer", "wrong-Zq")), "password"),
                        (f"rtsp://127.0.0.1:{free_port()}/gate", ""),
                        (camera.url("nothing", ("viewer", SECRET)), "stream")]:
        bad = run("probe", "-", stdin=url + "\n")
        assert bad.returncode == 1 and bad.stderr.count("\n") == 1 and reason in bad.stderr
        assert SECRET not in bad.stderr + bad.stdout and "wrong-Zq" not in bad.stderr + bad.stdout


def test_probe_measures_a_good_camera_and_has_nothing_to_change(make_camera, footage):
    camera = make_camera({"gate": footage["h264"]})
    seen = json.loads(run("probe", "--json", camera.url("gate")).stdout)
    assert seen["advice"] == [] and seen["lost_packets"] == 0 and seen["skipped_pictures"] == 0
    assert abs(seen["frame_rate"] - 10) < 1 and abs(seen["ticks_frame_rate"] - 10) < 1
    assert seen["declared_frame_rate"] == 10 and seen["bit_rate_mode"] == "variable" and seen["transport"] == "tcp"
    assert abs(seen["clock_offset_us"]) < 1e6, "its server tells the clock of this machine"


def test_probe_says_that_ticks_and_clock_are_wrong(footage):
    pictures = h264_pictures(footage["h264"])
    with ScriptedCamera({"DESCRIBE": DESCRIBED, **PLAYS}, pictures, clock_s=3600, ticks=4500) as camera:
        done = run("probe", camera.url)
    assert done.returncode == 0
    assert re.search(r"its time stamps say (19|20)\.\d pictures a second, and (9|10)\.\d come", done.stdout), done.stdout
    assert re.search(r"NTP: it is (3599|3600)\.\d s ahead of ours", done.stdout), done.stdout
    assert "10.0 declared" in done.stdout


def test_probe_that_is_interrupted_ends_at_once_and_says_so():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = subprocess.Popen([BINARY, "probe", f"rtsp://127.0.0.1:{silent.getsockname()[1]}/gate"],
                                   stderr=subprocess.PIPE, text=True)
        connection, _ = silent.accept()
        with connection:
            connection.recv(1)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=2)
    assert process.returncode == 1 and "stopped before there was enough to see" in said


VIDEO = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
         "a=rtpmap:96 H264/90000\r\na=control:track1\r\n")
PLAYS = {"SETUP": ("200 OK", ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"], ""),
         "PLAY": ("200 OK", ["Session: 1"], "")}
DESCRIBED = ("200 OK", ["Content-Type: application/sdp"], VIDEO)


@pytest.mark.parametrize("answers, reason", [
    ({"DESCRIBE": DESCRIBED, "SETUP": ("461 Unsupported Transport", [], "")}, "UDP"),
    ({"DESCRIBE": ("401 Unauthorized", ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-256'], "")},
     "digest"),
    ({"DESCRIBE": ("200 OK", ["Content-Type: application/sdp"], VIDEO.replace("H264", "JPEG"))}, "H.264"),
    ({"DESCRIBE": ("503 Service Unavailable", [], "")}, "at once"),
    ({"DESCRIBE": ("453 Not Enough Bandwidth", [], "")}, "at once"),
    ({"DESCRIBE": ("400 Bad Request", [], "")}, "refused the request"),
])
def test_what_a_camera_refuses_is_said_in_one_line(answers, reason):
    with ScriptedCamera(answers) as camera:
        done = run("probe", "-", stdin=camera.url.replace("//", f"//viewer:{SECRET}@") + "\n")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert reason in done.stderr and SECRET not in done.stderr
    assert "check" in done.stderr or "change" in done.stderr


def state_metric(site, camera):
    _, _, body = site.request("/metrics")
    [line] = [line for line in body.decode().splitlines() if line.startswith(f'gridwatch_camera_state{{camera="{camera}"}}')]
    return line.rsplit(" ", 1)[1]


def test_a_camera_with_a_wrong_clock_is_degraded_and_its_clips_and_state_tell_the_offset(site, footage):
    pictures = h264_pictures(footage["h264"])[:200]
    bus = site.subscribe("camera/", "event/")
    with ScriptedCamera({"DESCRIBE": DESCRIBED, **PLAYS}, pictures, clock_s=-8 * 3600) as camera:
        site.add_camera("gate", camera.url, record="continuous")
        bus.wait_for("camera.online", 15, camera="gate")
        degraded = bus.wait_for("camera.degraded", 10, camera="gate")
        assert "behind ours by 8.0 hours" in degraded.data["reason"] and degraded.data["status"] == "degraded"
        wait_for("its rates", lambda: site.camera("gate").get("frame_rate", 0) > 5, 10)
        row = site.camera("gate")
        assert row["status"] == "degraded" and row["reason"] == degraded.data["reason"]
        assert abs(row["clock_offset_us"] / 1e6 + 8 * 3600) < 1 and row["key_age_us"] < 5e6 and row["bit_rate"] > 1000
        wait_for("the metric", lambda: state_metric(site, "gate") == "2", 5)
        assert "degraded" in site.run("camera list")
    bus.wait_for("camera.offline", 30, camera="gate")
    closed = bus.wait_for("clip.closed", 20, camera="gate").data
    assert abs(closed["clock_offset_us"] / 1e6 + 8 * 3600) < 1
    [clip] = site.clips(camera="gate", state="closed")
    assert clip["clock_offset_us"] == closed["clock_offset_us"]
    assert abs(clip["start_us"] / 1e6 - time.time()) < 120, "its pictures have the site's time all the same"


def test_a_camera_without_keyframes_is_degraded_until_it_has_them(site, tmp_path, footage):
    rare = h264_pictures(footage_maker.make(tmp_path / "rare.mp4", gop=240))[:120]
    often = h264_pictures(footage["h264"])
    bus = site.subscribe("camera/")
    with ScriptedCamera({"DESCRIBE": DESCRIBED, **PLAYS}, rare + 2 * often) as camera:
        site.add_camera("gate", camera.url)
        degraded = bus.wait_for("camera.degraded", 30, camera="gate").data
        assert "keyframe interval" in degraded["reason"] and degraded["key_age_us"] > 10e6
        online = bus.wait_for("camera.online", 60, camera="gate").data
        assert online["reason"] == "" and online["reconnects"] == 0 and online["frame_rate"] > 5


def test_a_camera_whose_pictures_can_no_longer_be_decoded_is_offline_and_says_so(site, footage):
    good = h264_pictures(footage["h264"])[:40]
    # The same with a profile that does not exist, and nothing behind it.
    bad = [[unit[:1] + b"\xff\xff\xff" if unit[0] & 0x1f == 7 else unit for unit in units] for units in good]
    bus = site.subscribe("camera/")
    with ScriptedCamera({"DESCRIBE": DESCRIBED, **PLAYS}, good + bad * 5) as camera:
        site.add_camera("gate", camera.url)
        bus.wait_for("camera.online", 15, camera="gate")
        offline = bus.wait_for("camera.offline", 15, camera="gate")
        assert "encoding" in offline.data["reason"]
