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


def test_without_its_key_a_store_lists_its_cameras_and_gives_no_password(make_site):
    site = make_site()
    site.add_camera("east-gate", "rtsp://viewer:hunter2@10.0.0.7/ch1")
    key = site.store / "registry.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert not any(b"hunter2" in path.read_bytes() for path in site.store.iterdir() if path.is_file())
    assert "viewer:hunter2@" in site.run("camera export", "--with-credentials")
    key.rename(site.folder / "registry.key")
    listed = run("camera", "list", "-c", site.config)
    assert listed.returncode == 0 and "east-gate" in listed.stdout
    assert listed.stderr.count("\n") == 1 and f"{key} is not there" in listed.stderr
    refused = run("camera", "export", "--with-credentials", "-c", site.config)
    assert refused.returncode == 1 and refused.stdout == "" and f"{key} is not there" in refused.stderr
    site.run("camera disable", "east-gate")
    (site.folder / "registry.key").rename(key)
    assert "viewer:hunter2@" in site.run("camera export", "--with-credentials"), "disabling it lost nothing"


SHEET = ("设备编码,设备名称,行政区划,经度,纬度,坐标系,朝向,主码流地址\r\n"
         "64032300001310000007,东门,640323101,106.1,37.8,GCJ-02,东南,rtsp://viewer:hunter2@10.0.0.7/ch1\r\n"
         "64032300001310000008,西门,640323101,37.8,106.1,GCJ-02,朝西,rtsp://10.0.0.8/ch1\r\n")


def test_a_countys_sheet_is_tried_and_then_taken(make_site):
    site = make_site()
    sheet = site.folder / "一机一档.csv"
    sheet.write_bytes(SHEET.encode("gb18030"))
    tried = run("camera", "import", "--dry-run", "-c", site.config, sheet)
    assert tried.returncode == 1
    assert tried.stdout == "64032300001310000007: added\n1 added, 0 changed, 0 unchanged, 1 wrong; dry run, nothing was changed\n"
    wrong = [line.removeprefix(f"{sheet}:") for line in tried.stderr.splitlines()]
    assert wrong[0].startswith("3:42: a latitude is between -90 and 90; lon and lat look swapped")
    assert wrong[1].startswith("3:55: this is no number of degrees") and len(wrong) == 2
    assert run("camera", "import", "--all-or-nothing", "-c", site.config, sheet).returncode == 1
    assert site.run("camera list") == ""
    run("camera", "import", "-c", site.config, sheet)
    [camera] = [json.loads(line) for line in site.run("camera list", "--json").splitlines()]
    assert camera["device_id"] == camera["id"] == "64032300001310000007" and camera["heading_deg"] == 135
    assert 0.002 < 106.1 - camera["lon"] < 0.01, "GCJ-02 is some hundred metres off"

    sheet.write_text(SHEET.replace("东南", "南").replace("hunter2", "swordfish").splitlines()[1].join(
        ["设备编码,设备名称,行政区划,经度,纬度,坐标系,朝向,主码流地址\n", "\n"]))
    said = site.run("camera import", "--dry-run", sheet)
    assert said.splitlines()[:2] == ["64032300001310000007: heading: 135 -> 180", "64032300001310000007: credentials: changed"]
    assert "hunter2" not in said and "swordfish" not in said


@pytest.mark.parametrize("cell, what", [
    ("{}", None), ('{""masks"": []}', None), ('{""mask"": []}', 'unknown key "mask"'),
    ('{""masks"": [{""polygon"": [[0, 0], [1, 2], [1, 1]]}]}', "masks[0].polygon")])
def test_zones_of_a_sheet_are_read_before_they_are_registered(make_site, cell, what):
    site = make_site()
    sheet = site.folder / "cameras.csv"
    sheet.write_text(f'id,record_url,zones\na,rtsp://10.0.0.7/ch1,"{cell}"\n')
    done = run("camera", "import", "-c", site.config, sheet)
    assert done.returncode == (1 if what else 0)
    assert not what or (what in done.stderr and f"{sheet}:2:23: zones: " in done.stderr)


def test_a_site_without_its_key_runs_and_says_which_file_it_needs(make_site):
    site = make_site()
    site.add_camera("east-gate", "rtsp://viewer:hunter2@127.0.0.1:1/ch1")
    site.add_camera("west-gate", "rtsp://viewer:hunter2@127.0.0.1:1/ch2")
    (site.store / "registry.key").unlink()
    site.start()
    assert len(site.get("/cameras")["items"]) == 2
    said = [line for line in site.log().splitlines() if "registry.key is not there" in line]
    assert len(said) == 1 and "cameras get no user name and password" in said[0]
    site.add_camera("east-gate", "rtsp://viewer:hunter2@127.0.0.1:1/ch1")  # seals it under a new key
    assert (site.store / "registry.key").exists()


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
