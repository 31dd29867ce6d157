# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line's contract: help, exit codes, one-line errors."""
import json
import os
import socket
import subprocess

import pytest

from gridwatch_site import BINARY, run

VERBS = ["serve", "worker", "analyze", "probe", "camera", "events", "clips", "gaps", "subscribe", "export", "verify", "user",
         "check-config"]
WRONG_USAGE = [
    [], ["no-such-verb"], ["probe"], ["probe", "http://host/"], ["analyze"], ["camera"],
    ["camera", "no-such-word"], ["camera", "add"], ["serve", "--no-such-option"], ["serve", "extra"],
    ["worker"], ["events", "--from", "yesterday"], ["clips", "--near", "1,2"], ["events", "--limit", "0"],
    ["gaps", "--kind", "motion"],
    ["export"], ["export", "--case", "1", "-o", "x"], ["export", "--case", "1", "--reason", "r"],
    ["export", "--case", "1", "--reason", "two\nlines", "-o", "x"], ["export", "--case", "", "--reason", "r", "-o", "x"],
    ["export", "--case", "1", "--reason", "r", "-o", "x", "--kind", "motion"],
    ["export", "--case", "1", "--reason", "r", "-o", "x", "--from", "yesterday"],
    ["export", "--case", "1", "--reason", "r", "-o", "x", "--from", "-9223372036854775807"],
    ["verify"], ["verify", "a", "b"], ["verify", "--key", "nonsense", "a"], ["plan-media"],
    ["subscribe", "--no-such-option"], ["user"], ["check-config", "extra", "extra"],
]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb):
    done = run(verb, "--help")
    assert done.returncode == 0 and not done.stderr
    assert done.stdout.startswith(f"usage: gridwatch {verb}")


def test_the_program_lists_its_verbs():
    done = run("--help")
    assert done.returncode == 0
    for verb in VERBS:
        assert verb in done.stdout


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=lambda arguments: " ".join(arguments) or "nothing")
def test_wrong_usage_is_exit_code_two_and_one_line(arguments, tmp_path):
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip() and (not arguments or done.stderr.count("\n") == 1)
    assert not done.stdout


@pytest.mark.parametrize("text, where", [("no_such_key: 1\n", ":1:"), ("console:\n  listen: nonsense\n", ":2:"),
                                         ("workers: many\n", ":1:"), ("store: [\n", ":")])
def test_a_bad_configuration_is_exit_code_78_with_its_line(tmp_path, text, where):
    config = tmp_path / "gridwatch.yaml"
    config.write_text(text, encoding="utf-8")
    for verb in (["check-config", "-c"], ["serve", "-c"]):
        done = run(*verb, config, timeout=20)
        assert done.returncode == 78
        assert done.stderr.count("\n") == 1 and str(config) + where in done.stderr


def test_analysis_that_is_off_is_warned_about_in_one_line(tmp_path):
    config = tmp_path / "gridwatch.yaml"
    config.write_text("analysis:\n  level: off\n", encoding="utf-8")
    done = run("check-config", "-c", config)
    assert done.returncode == 0 and done.stdout == f"{config}: ok\n"
    assert done.stderr.count("\n") == 1 and "record nothing" in done.stderr
    config.write_text("analysis:\n  level: gate\n", encoding="utf-8")
    assert not run("check-config", "-c", config).stderr


def test_a_missing_configuration_is_exit_code_78(tmp_path):
    done = run("check-config", "-c", tmp_path / "none.yaml")
    assert done.returncode == 78 and "none.yaml" in done.stderr and done.stderr.count("\n") == 1


def test_analyze_prints_events_and_a_summary_as_json_lines(footage):
    done = run("analyze", footage["h264"], timeout=120)
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["summary"]["frames"] == 240
    [event] = [line for line in lines if "kind" in line]
    assert event["kind"] == "motion"
    assert event["start_s"] == pytest.approx(8.0, abs=0.7) and event["end_s"] == pytest.approx(12.0, abs=0.7)


def test_analyze_of_a_file_that_is_no_video_fails_and_goes_on_with_the_next(tmp_path, footage):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"not a video")
    done = run("analyze", bad, tmp_path / "none.mp4", footage["h264"], timeout=120)
    assert done.returncode == 1
    assert "bad.mp4" in done.stderr and "none.mp4" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["summary"]["frames"] == 240


def test_analyze_of_a_file_with_a_colon_in_its_name_reads_that_file(tmp_path, footage):
    named = tmp_path / "2026-11-23T10:00:00.mp4"
    named.symlink_to(footage["h264"])
    done = subprocess.run([BINARY, "analyze", named.name], cwd=tmp_path, capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["summary"]["frames"] == 240


def test_analyze_of_a_file_whose_name_is_no_utf8_prints_json_all_the_same(tmp_path, footage):
    named = os.fsencode(tmp_path) + b"/door-\xc3\xc5.mp4"
    os.symlink(footage["h264"], named)
    done = subprocess.run([BINARY, "analyze", named], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.decode("utf-8").splitlines():
        assert json.loads(line)["file"].endswith("/door-??.mp4")


def test_analyze_opens_files_and_no_network(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        done = run("analyze", f"rtsp://127.0.0.1:{server.getsockname()[1]}/gate")
        with pytest.raises(TimeoutError):
            server.accept()
    assert done.returncode == 1 and done.stderr.count("\n") == 1


@pytest.mark.parametrize("name, options", [("palette.png", ["-pix_fmt", "pal8", "-frames:v", "1"]),
                                           ("bits.pbm", ["-frames:v", "1"]),
                                           ("rgb.mkv", ["-c:v", "libx264rgb"])])
def test_analyze_of_pictures_without_brightness_says_so(tmp_path, name, options):
    path = tmp_path / name
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=322x242:r=5:d=2", *options,
                    str(path)], check=True)
    done = run("analyze", path)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and name in done.stderr and "yuv420p" in done.stderr


@pytest.mark.parametrize("words", ["list", "export", "remove a", "enable a", "disable a"])
def test_only_what_adds_a_camera_makes_an_index(words, tmp_path):
    word, *rest = words.split()
    missing = tmp_path / "mistyped"
    done = run("camera", word, "--store", missing, *rest)
    assert done.returncode == 1 and not missing.exists()
    assert done.stderr.count("\n") == 1 and str(missing) in done.stderr


def test_the_camera_registry_goes_out_and_in_again(make_site):
    site, other = make_site(), make_site()
    site.add_camera("east-gate", "rtsp://viewer:p%40ss@10.0.0.7/ch1")
    assert "east-gate" in site.run("camera list") and "p@ss" not in site.run("camera list")
    sheet = site.run("camera export")
    path = site.folder / "cameras.csv"
    path.write_text(sheet, encoding="utf-8")
    other.run("camera import", path)
    assert other.run("camera export") == sheet
    site.run("camera remove", "east-gate")
    assert "east-gate" not in site.run("camera list")
    again = run("camera", "remove", "-c", site.config, "east-gate")
    assert again.returncode == 1 and again.stderr.count("\n") == 1


@pytest.mark.parametrize("verb", ["events", "clips", "gaps"])
def test_an_empty_index_has_no_rows(make_site, verb):
    site = make_site()
    site.add_camera("east-gate", "rtsp://10.0.0.7/ch1")
    assert site.run(verb, "--json") == ""
