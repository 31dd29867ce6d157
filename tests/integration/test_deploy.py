# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""deploy/up and deploy/packages, as far as they go without building or installing anything."""
import os
import pathlib
import socket
import subprocess
import time

import pytest

from rtsp_camera import ROOT, free_port

SECRET = "hunter2-Yt4v"


def deploy(program, *arguments, **options):
    return subprocess.run([ROOT / "deploy" / program, *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, check=False, **options)


@pytest.mark.parametrize("arguments", [["--camera"], ["--no-such-option"], ["--port", "99999"],
                                       ["--camera", f"http://u:{SECRET}@host/"], [f"rtsp://u:{SECRET}@host/"],
                                       ["--camera-file", "/no/such/file"]], ids=range(6))
def test_wrong_usage_is_one_line_without_a_password(arguments, tmp_path):
    done = deploy("up", *arguments, env=dict(os.environ, TMPDIR=str(tmp_path)))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and SECRET not in done.stderr and not done.stdout
    assert not list(tmp_path.iterdir()), "a file with URLs is left"


def test_a_service_manager_that_sets_no_home_is_no_obstacle(tmp_path):
    without = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_DATA_HOME")}
    assert deploy("up", "--port", "99999", env=without).returncode == 2


def test_a_port_in_use_is_one_line_before_anything_is_done(tmp_path):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        done = deploy("up", "--port", port, "--store", tmp_path / "store")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and f"port {port}" in done.stderr and "--port" in done.stderr
    assert not (tmp_path / "store").exists()


def test_passwords_leave_the_process_list_before_anything_else(tmp_path):
    fifo = tmp_path / "urls"
    os.mkfifo(fifo)
    # It stands at the second file of URLs, so that the list of processes can be looked at.
    running = subprocess.Popen(
        [ROOT / "deploy/up", "--camera", f"rtsp://u:{SECRET}@127.0.0.1/a", "--camera-file", fifo,
         "--no-such-option"], stderr=subprocess.PIPE, env=dict(os.environ, TMPDIR=str(tmp_path)))
    try:
        time.sleep(1)
        assert running.poll() is None
        command = pathlib.Path(f"/proc/{running.pid}/cmdline").read_bytes()
        assert b"deploy/up" in command and SECRET.encode() not in command
        [private] = tmp_path.glob("gridwatch-cameras.*")
        assert private.stat().st_mode & 0o077 == 0
        fifo.write_text("")
        assert running.wait(10) == 2
        assert not list(tmp_path.glob("gridwatch-cameras.*"))
    finally:
        running.kill()
        running.wait()
        running.stderr.close()


def test_packages_come_in_groups_and_an_unknown_group_is_wrong_usage():
    listed = deploy("packages", "--list", "build", "demo", "test")
    assert listed.returncode == 0 and {"meson", "python3-gi", "libcmocka-dev"} <= set(listed.stdout.split())
    assert deploy("packages", "no-such-group").returncode == 2


def test_every_package_is_explained():
    explained = (ROOT / "docs/ref/dependencies.md").read_text(encoding="utf-8")
    listed = deploy("packages", "--list", "build", "demo", "test").stdout.split()
    words = {name: name.removesuffix("-dev").removeprefix("gstreamer1.0-").removeprefix("plugins").removesuffix("0")
             .removesuffix("-build") for name in listed}
    words |= {"libzmq3-dev": "libzmq", "libsqlite3-dev": "sqlite3"}
    missing = [name for name, word in words.items() if word.removeprefix("lib") not in explained]
    assert not missing


def test_the_demo_cameras_take_the_next_port_when_theirs_is_taken(footage):
    port = free_port()
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", port))
        busy.listen()
        running = subprocess.Popen([ROOT / "deploy/demo-cameras", "--port", str(port), f"gate={footage['h264']}"],
                                   stdout=subprocess.PIPE, text=True)
        try:
            word, taken = running.stdout.readline().split()
            assert word == "ready" and port < int(taken) < port + 20
            probe = subprocess.run(["ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries",
                                    "stream=codec_name", "-of", "csv=p=0", f"rtsp://127.0.0.1:{taken}/gate"],
                                   capture_output=True, text=True, timeout=30, check=False)
            assert probe.stdout.strip() == "h264"
        finally:
            running.terminate()
            assert running.wait(5) == 0
            running.stdout.close()
