# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence: `gridwatch export` writes it, `gridwatch verify` finds whatever was changed in it."""
import hashlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess

import pytest

from gridwatch_site import BINARY, assert_clean, probe_frames, run
from recorded_store import FRAME_US, SECOND, record

GOP_US = SECOND


@pytest.fixture(scope="module")
def recorded(program, tmp_path_factory):
    """A store of recordings, and the time of their first picture."""
    store = tmp_path_factory.mktemp("recorded") / "store"
    return store, record(store)


@pytest.fixture
def own_store(recorded, tmp_path):
    """A copy of that store for a test that changes it."""
    shutil.copytree(recorded[0], tmp_path / "store")
    return tmp_path / "store"


def export(store, folder, *arguments):
    return run("export", "--store", store, "--case", "2026-117", "--reason", "theft 盗窃", "-o", folder, *arguments)


def part_of(start_us, first, end):
    """Arguments for the time from one picture to another."""
    return ["--from", start_us + first * FRAME_US, "--to", start_us + end * FRAME_US]


def read_manifest(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture
def bundle(recorded, tmp_path):
    """A bundle of gate-07 from picture 30 to 240, with snapshots."""
    store, start_us = recorded
    folder = tmp_path / "bundle"
    done = export(store, folder, "--camera", "gate-07", "--snapshots", *part_of(start_us, 30, 240))
    assert done.returncode == 0, done.stderr
    return folder


def audit_rows(store):
    with sqlite3.connect(f"file:{store}/console.db?mode=ro", uri=True) as audit:
        return audit.execute("SELECT session, action, object, camera FROM audit ORDER BY seq").fetchall()


def assert_nothing_at(folder):
    assert not folder.exists() and not folder.with_name(folder.name + ".part").exists()


def test_a_bundle_holds_what_was_asked_for_and_at_most_a_gop_more(recorded, bundle):
    _, start_us = recorded
    manifest = read_manifest(bundle)
    begin, end = start_us + 30 * FRAME_US, start_us + 240 * FRAME_US
    assert [(clip["from_us"] - start_us) // FRAME_US for clip in manifest["clips"]] == [25, 80, 200]
    assert [(clip["to_us"] - start_us) // FRAME_US for clip in manifest["clips"]] == [100, 180, 250]
    assert begin - GOP_US < manifest["clips"][0]["from_us"] <= begin
    assert end <= manifest["clips"][-1]["to_us"] < end + GOP_US
    for clip in manifest["clips"]:
        frames = probe_frames(bundle / clip["file"])
        assert len(frames) == clip["frames"] and frames[0]["key_frame"] == 1
        tags = json.loads(subprocess.run(["ffprobe", "-v", "error", "-show_format", "-of", "json", bundle / clip["file"]],
                                         capture_output=True, check=True).stdout)["format"]["tags"]
        assert tags["gridwatch_clip"] == clip["clip"] and tags["gridwatch_camera"] == "gate-07"
        assert int(tags["gridwatch_start_us"]) == clip["from_us"]


def test_the_manifest_says_who_what_where_when_and_why(recorded, bundle):
    _, start_us = recorded
    manifest = read_manifest(bundle)
    assert (manifest["format"], manifest["format_version"]) == ("gridwatch-evidence", 1)
    assert (manifest["case"], manifest["reason"]) == ("2026-117", "theft 盗窃")
    assert manifest["exporter"]["name"] == manifest["exporter"]["os_user"] != ""
    assert manifest["range"]["from_us"] == start_us + 30 * FRAME_US
    assert manifest["filters"]["camera"] == "gate-07"
    clip = manifest["clips"][0]
    assert (clip["camera_name"], clip["division"], clip["grid"]) == ("东门 East gate", "640323101", "004")
    assert (clip["lon"], clip["lat"], clip["clock_offset_us"]) == (106.421, 37.785, -250000)
    view = [clip[name] for name in ("heading_deg", "fov_deg", "range_m", "height_m")]
    assert view == [90, 62.5, 80, None]
    assert clip["recorded"] == {"from": "2026-05-04T03:02:01.120000Z", "from_us": start_us, "state": "closed",
                                "to": "2026-05-04T03:02:05.120000Z", "to_us": start_us + 4 * SECOND,
                                "truncated": False}
    [gap] = manifest["gaps"]
    assert gap["cause"] == "slow-network"
    assert (gap["from_us"], gap["to_us"]) == (start_us + 180 * FRAME_US, start_us + 200 * FRAME_US)
    [snapshot] = manifest["snapshots"]
    assert snapshot["taken_us"] == start_us + 3 * SECOND
    named = {file["name"]: file for file in manifest["files"]}
    assert set(named) == {path.name for path in bundle.iterdir()} - {"manifest.json", "manifest.sig"}
    for name, file in named.items():
        data = (bundle / name).read_bytes()
        assert (file["size"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_a_good_bundle_verifies_without_its_store(recorded, bundle, tmp_path):
    store, _ = recorded
    key = run("export", "--print-key", "--store", store).stdout.strip()
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(bundle, elsewhere)
    done = run("verify", elsewhere)
    assert done.returncode == 0 and done.stdout.startswith("good")
    for words in ("2026-117", "theft 盗窃", "gate-07", "东门 East gate", key, "not compared"):
        assert words in done.stdout
    (tmp_path / "key").write_text(key + "\n", encoding="utf-8")
    for pin in (key, key.upper(), tmp_path / "key", bundle / "public-key.pem"):
        done = run("verify", "--key", pin, elsewhere)
        assert done.returncode == 0 and "given with --key" in done.stdout


def test_a_flipped_byte_of_any_file_names_that_file(bundle):
    for path in sorted(bundle.iterdir()):
        good = path.read_bytes()
        at = len(good) // 2
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        done = run("verify", bundle)
        assert done.returncode == 1 and not done.stdout
        assert done.stderr.count("\n") == 1 and path.name in done.stderr, done.stderr
        path.write_bytes(good)
    assert run("verify", bundle).returncode == 0


def test_what_is_missing_or_does_not_belong_there_is_named(bundle):
    for path in sorted(bundle.iterdir()):
        good = path.read_bytes()
        path.unlink()
        done = run("verify", bundle)
        assert done.returncode == 1 and f"{path.name} is missing" in done.stderr
        path.write_bytes(good)
    (bundle / "more.mp4").write_bytes(b"")
    done = run("verify", bundle)
    assert done.returncode == 1 and "more.mp4 does not belong here" in done.stderr


def test_another_sites_key_is_unknown(bundle, own_store, tmp_path):
    (own_store / "evidence.key").unlink()
    other = run("export", "--print-key", "--store", own_store).stdout.strip()
    done = run("verify", "--key", other, bundle)
    assert done.returncode == 1 and "unknown key" in done.stderr and other in done.stderr
    assert run("verify", tmp_path / "nowhere").returncode == 1


def test_other_programs_verify_it_too(bundle):
    done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "public-key.pem", "-rawin", "-in",
                           "manifest.json", "-sigfile", "manifest.sig"], cwd=bundle, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_key_is_for_its_owner_only_and_no_part_of_a_bundle(recorded, bundle):
    store, _ = recorded
    key = store / "evidence.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    seed = key.read_text(encoding="ascii").split("\n")[1]
    assert all(seed.encode() not in path.read_bytes() for path in bundle.iterdir())


def test_an_export_is_in_the_audit_log_before_and_after(recorded, make_site, tmp_path):
    site = make_site()
    start_us = recorded[1]
    shutil.copytree(recorded[0], site.store)
    (site.store / "console.db").unlink(missing_ok=True)
    site.start()  # a site that runs is no hindrance
    folder = tmp_path / "bundle"
    done = export(site.store, folder, "--exporter", "Wang", "--camera", "yard-01", *part_of(start_us, 0, 50))
    assert done.returncode == 0, done.stderr
    begun, written = audit_rows(site.store)
    assert begun[0].startswith("os:") and begun[1] == "export" and begun[3] == "yard-01"
    said = json.loads(begun[2])
    assert (said["case"], said["reason"], said["exporter"]) == ("2026-117", "theft 盗窃", "Wang")
    assert said["filters"]["camera"] == "yard-01"
    assert written[1] == "export.written"
    assert json.loads(written[2]) == {
        "export": said["export"], "files": len(list(folder.iterdir())), "bytes": json.loads(written[2])["bytes"],
        "manifest_sha256": hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()}
    assert read_manifest(folder)["export"] == said["export"]


def test_without_an_audit_row_nothing_is_exported(own_store, tmp_path):
    (own_store / "console.db").unlink(missing_ok=True)
    (own_store / "console.db").mkdir()
    done = export(own_store, tmp_path / "bundle")
    assert done.returncode == 1 and "audit log" in done.stderr and done.stderr.count("\n") == 1
    assert_nothing_at(tmp_path / "bundle")


def test_filters_choose_cameras_and_everything_is_a_range(recorded, tmp_path):
    store, _ = recorded
    for arguments, cameras in [([], {"gate-07", "yard-01"}), (["--division", "640323102"], {"yard-01"}),
                               (["--near", "106.421,37.785,50"], {"gate-07", "yard-01"})]:
        folder = tmp_path / f"bundle{len(arguments)}{len(cameras)}"
        assert export(store, folder, *arguments).returncode == 0
        manifest = read_manifest(folder)
        assert {clip["camera"] for clip in manifest["clips"]} == cameras
        assert manifest["range"] == {"from": None, "from_us": None, "to": None, "to_us": None}
        assert run("verify", folder).returncode == 0
    assert len(manifest["clips"]) == 6, "with both codecs"


def test_a_place_that_is_taken_or_a_time_without_footage_leaves_nothing(recorded, tmp_path):
    store, start_us = recorded
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "file").write_text("x", encoding="utf-8")
    done = export(store, taken)
    assert done.returncode == 1 and "not empty" in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "taken.part").exists()
    done = export(store, tmp_path / "bundle", *part_of(start_us, 500, 600))
    assert done.returncode == 1 and "nothing was recorded" in done.stderr and done.stderr.count("\n") == 1
    assert_nothing_at(tmp_path / "bundle")


def test_a_clip_without_its_file_is_named_as_missing(own_store, tmp_path):
    store, folder = own_store, tmp_path / "bundle"
    gone = sorted((store / "media/gate-07").rglob("*.mp4"))[1]
    gone.unlink()
    done = export(store, folder, "--camera", "gate-07")
    assert done.returncode == 0 and "1 clips are missing" in done.stderr
    [missing] = read_manifest(folder)["missing"]
    assert missing["clip"] in gone.name and "missing or damaged" in missing["reason"]
    done = run("verify", folder)
    assert done.returncode == 0 and "missing    1" in done.stdout


def test_a_disk_that_takes_no_more_is_named_and_nothing_is_left(recorded, tmp_path):
    store, _ = recorded

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    done = subprocess.run([BINARY, "export", "--store", store, "--case", "1", "--reason", "r", "-o", tmp_path / "bundle"],
                          capture_output=True, text=True, preexec_fn=limit, timeout=60, check=False)
    assert_clean(done.stderr)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "cannot write" in done.stderr and "clip-gate-07" in done.stderr and "File too large" in done.stderr
    assert_nothing_at(tmp_path / "bundle")


def test_an_interrupted_export_leaves_nothing(recorded, tmp_path):
    store, _ = recorded
    process = subprocess.Popen([BINARY, "export", "--store", store, "--case", "1", "--reason", "r", "-o",
                                tmp_path / "bundle"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    while not (tmp_path / "bundle.part").exists() and process.poll() is None:
        os.sched_yield()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the process that reads clips gets it, too
    _, said = process.communicate(timeout=60)
    assert_clean(said)
    assert process.returncode == 1 and "interrupted" in said and said.count("\n") == 1
    assert_nothing_at(tmp_path / "bundle")
