# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""`gridwatch analyze --overlay`: the video is the source's, picture by picture, and shows what was found."""
import json
import os
import pty
import signal
import subprocess

import pytest

from footage import MOVES_FROM_S
from gridwatch_site import BINARY, assert_clean, run

WIDTH, HEIGHT = 640, 360
# The thing's left edge at a time, its width and height; see tests/camera/footage.py.
THING_W, THING_H, THING_Y = WIDTH // 8, HEIGHT // 4, HEIGHT // 2
SPEED = (WIDTH + THING_W) / 4
MASK = (0.5, 0.7, 0.9, 0.95)  # left, top, right, bottom
ZONES = {"zones": [{"name": "gate", "polygon": [[0.02, 0.3], [0.98, 0.3], [0.98, 0.99], [0.02, 0.99]]},
                   {"name": "大门", "polygon": [[0.7, 0.02], [0.98, 0.02], [0.98, 0.2]]}],
         "masks": [{"polygon": [[MASK[0], MASK[1]], [MASK[2], MASK[1]], [MASK[2], MASK[3]], [MASK[0], MASK[3]]]}]}


def probe(path):
    """(capture times in seconds from the first picture, the track's facts)."""
    done = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries",
                           "frame=pts_time:stream=width,height,pix_fmt,codec_name,sample_aspect_ratio",
                           "-of", "json", str(path)], capture_output=True, check=True)
    facts = json.loads(done.stdout)
    times = [float(frame["pts_time"]) for frame in facts["frames"]]
    return [time - times[0] for time in times], facts["streams"][0]


def picture(path, number):
    """Picture number (from 0), as rows of (red, green, blue)."""
    _, track = probe(path)
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-vf", f"select=eq(n\\,{number})", "-frames:v", "1",
                           "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    row = 3 * track["width"]
    lines = [done.stdout[at:at + row] for at in range(0, len(done.stdout), row)]
    assert len(lines) == track["height"]
    return [[tuple(line[at:at + 3]) for at in range(0, row, 3)] for line in lines]


def places(pixels, wanted, below=HEIGHT):
    """Where pixels are as wanted, as (left, top, right, bottom); None for nowhere."""
    found = [(x, y) for y, row in enumerate(pixels[:below]) for x, pixel in enumerate(row) if wanted(*pixel)]
    if not found:
        return None
    return (min(x for x, _ in found), min(y for _, y in found), max(x for x, _ in found), max(y for _, y in found))


def is_green(red, green, blue):
    return green > 120 and red < 90 and blue < 90


def is_red(red, green, blue):
    return red > 150 and green < 80 and blue < 80


def told(output):
    """What was printed, without how long it took."""
    lines = [json.loads(line) for line in output.splitlines()]
    lines[-1]["summary"].pop("cpu_s")
    return lines


@pytest.fixture(scope="module")
def zones(tmp_path_factory):
    path = tmp_path_factory.mktemp("zones") / "zones.json"
    path.write_text(json.dumps(ZONES), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def overlay(tmp_path_factory, footage):
    """(path, what was printed) of the made footage, every picture looked at."""
    path = tmp_path_factory.mktemp("overlay") / "seen.mp4"
    done = run("analyze", "--overlay", path, footage["h264"], timeout=180)
    assert done.returncode == 0 and not done.stderr
    return path, done.stdout


def test_an_overlay_has_the_pictures_and_the_times_of_its_source(overlay, footage):
    times, track = probe(overlay[0])
    assert times == pytest.approx(probe(footage["h264"])[0], abs=2e-6)
    assert len(times) == 240
    assert (track["codec_name"], track["pix_fmt"], track["width"]) == ("h264", "yuv420p", WIDTH)


def test_only_its_owner_may_read_an_overlay_and_nothing_lies_beside_it(overlay):
    assert os.listdir(overlay[0].parent) == [overlay[0].name]
    assert overlay[0].stat().st_mode & 0o777 == 0o600


def test_a_box_is_drawn_around_what_moves_and_only_then(overlay):
    assert places(picture(overlay[0], 40), is_green) is None
    for second in (9.0, 10.5):
        left = (second - MOVES_FROM_S) * SPEED - THING_W
        box = places(picture(overlay[0], round(second * 10)), is_green)
        assert box == pytest.approx((left, THING_Y, left + THING_W, THING_Y + THING_H), abs=40)


def test_a_border_marks_the_event(overlay):
    [event] = [line for line in told(overlay[1]) if "kind" in line]
    inside = picture(overlay[0], round(event["start_s"] * 10) + 10)
    assert places(inside, is_red) == pytest.approx((0, 0, WIDTH - 1, HEIGHT - 1), abs=2)
    for second in (event["start_s"] - 1, event["end_s"] + 4):
        assert places(picture(overlay[0], round(second * 10)), is_red) is None


@pytest.mark.parametrize("level", ["gate", "keyframes", "full"])
def test_events_and_summary_are_the_same_with_an_overlay(tmp_path, footage, level):
    path = tmp_path / "seen.mp4"
    drawn = run("analyze", "--level", level, "--overlay", path, footage["h265"], timeout=180)
    plain = run("analyze", "--level", level, footage["h265"], timeout=180)
    assert drawn.returncode == 0 and told(drawn.stdout) == told(plain.stdout)
    assert probe(path)[0] == pytest.approx(probe(footage["h265"])[0], abs=2e-6)


def test_masks_are_black_and_zones_are_named(tmp_path, footage, zones):
    path = tmp_path / "seen.mp4"
    done = run("analyze", "--zones", zones, "--overlay", path, footage["h264"], timeout=180)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1 and "#2" in done.stderr and "大门" in done.stderr
    for number in (0, 40, 100, 105):
        pixels = picture(path, number)
        hidden = [pixels[y][x] for y in range(int(MASK[1] * HEIGHT) + 4, int(MASK[3] * HEIGHT) - 3)
                  for x in range(int(MASK[0] * WIDTH) + 4, int(MASK[2] * WIDTH) - 3)]
        drawn = [pixel for pixel in hidden if max(pixel) > 30 and not is_green(*pixel)]
        # The encoder smears a line of the box a little; of the footage nothing is left.
        assert len(drawn) < len(hidden) / 100
        frame = places(pixels, lambda red, green, blue: green > 150 and blue > 150 and red < 100)
        assert frame == pytest.approx((0.02 * WIDTH, 0.02 * HEIGHT, 0.98 * WIDTH, 0.99 * HEIGHT), abs=4)


@pytest.mark.parametrize("name, options", [
    ("odd.mkv", ["-s", "321x181", "-pix_fmt", "yuv444p", "-c:v", "libx264"]),
    ("varying.mp4", ["-vf", "select='lt(mod(n,7),3)'", "-vsync", "vfr", "-c:v", "libx264", "-pix_fmt", "yuv420p"]),
    ("reordered.mp4", ["-c:v", "libx264", "-bf", "3", "-pix_fmt", "yuv420p"]),
    ("deep.mp4", ["-c:v", "libx265", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p10le"]),
    ("grey.mkv", ["-pix_fmt", "gray", "-c:v", "ffv1"]),
    ("full.avi", ["-c:v", "mjpeg", "-pix_fmt", "yuvj422p"]),
    ("late.ts", ["-c:v", "libx264", "-pix_fmt", "yuv420p"]),
    ("tall.mp4", ["-s", "120x400", "-vf", "setsar=16/11", "-c:v", "libx264", "-pix_fmt", "yuv420p"]),
])
def test_any_kind_of_picture_and_of_time_has_an_overlay(tmp_path, name, options):
    source, path = tmp_path / name, tmp_path / "seen.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=15:d=3", *options,
                    str(source)], check=True)
    done = run("analyze", "--overlay", path, source, timeout=180)
    assert done.returncode == 0, done.stderr
    times, track = probe(path)
    expected, of_source = probe(source)
    assert times == pytest.approx(expected, abs=2e-6)
    assert track["pix_fmt"] == "yuv420p" and track["width"] % 2 == 0 and track["height"] % 2 == 0
    known = of_source.get("sample_aspect_ratio", "0:1") not in ("0:1", "N/A")
    assert not known or track["sample_aspect_ratio"] == of_source["sample_aspect_ratio"]


@pytest.mark.parametrize("name, code, what", [("seen.mkv", 2, ".mp4"), (".mp4", 2, ".mp4"), ("none/seen.mp4", 1, "none"),
                                              ("there.mp4", 1, "exists"), ("gone.mp4", 1, "exists"),
                                              ("input.mp4", 1, "FILE"), ("alias.mp4", 1, "FILE")])
def test_what_cannot_be_an_overlay_is_refused_in_one_line_before_the_analysis(tmp_path, footage, name, code, what):
    source = tmp_path / "input.mp4"
    source.write_bytes(footage["h264"].read_bytes())
    (tmp_path / "there.mp4").write_text("mine")
    (tmp_path / "gone.mp4").symlink_to("nowhere")
    (tmp_path / "alias.mp4").symlink_to("input.mp4")
    before = sorted(os.listdir(tmp_path))
    done = subprocess.run([BINARY, "analyze", "--overlay", name, "input.mp4"], cwd=tmp_path, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == code and not done.stdout
    assert done.stderr.count("\n") == 1 and what in done.stderr
    assert sorted(os.listdir(tmp_path)) == before
    assert (tmp_path / "there.mp4").read_text() == "mine"
    assert source.read_bytes() == footage["h264"].read_bytes()


def test_an_overlay_is_of_one_file(tmp_path, footage):
    done = run("analyze", "--overlay", tmp_path / "seen.mp4", footage["h264"], footage["h265"])
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and not os.listdir(tmp_path)


def test_a_file_that_cannot_be_analyzed_leaves_no_overlay(tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"not a video")
    done = run("analyze", "--overlay", tmp_path / "seen.mp4", bad)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == ["bad.mp4"]


@pytest.fixture(scope="module")
def long_film(tmp_path_factory, footage):
    """Its second pass takes far longer than a signal takes to arrive on a busy machine."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-stream_loop", "9", "-i", footage["h264"], "-map", "0:v", "-c", "copy",
                    str(path)], check=True)
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_second_pass_leaves_no_file(tmp_path, long_film, number):
    # Who runs the tests in the background may have them ignore SIGINT, and so would the program.
    with subprocess.Popen([BINARY, "analyze", "--overlay", tmp_path / "seen.mp4", long_film],
                          preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while "summary" not in process.stdout.readline():  # the first pass is over
            assert process.poll() is None
        process.send_signal(number)
        assert process.wait(timeout=60) == -number
        assert_clean(process.stderr.read())
    assert os.listdir(tmp_path) == []


def read_terminal(terminal):
    """All that was written to it; a terminal whose other end is closed is an error, not an end."""
    text = b""
    try:
        while block := os.read(terminal, 4096):
            text += block
    except OSError:
        pass
    return text.decode()


def test_both_passes_show_their_progress_on_a_terminal(tmp_path, footage):
    ours, theirs = pty.openpty()
    with subprocess.Popen([BINARY, "analyze", "--overlay", tmp_path / "seen.mp4", footage["h264"]],
                          stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = read_terminal(ours)
        output = process.stdout.read()
        assert process.wait(timeout=180) == 0
    os.close(ours)
    name = os.fspath(footage["h264"])
    assert f" % {name}" in shown and f" % overlay of {name}" in shown
    assert shown.endswith("\r\x1b[K")
    assert len(told(output)) == 2
