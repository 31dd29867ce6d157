# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A camera that kills its worker again and again does not take the others with it."""
import os
import pathlib
import signal
import threading
import time

from gridwatch_site import wait_for

GOOD = ("gate", "hall", "yard")


def runs(worker, camera):
    """Whether this process has a session with the camera: its thread says so."""
    try:
        return any((task / "comm").read_text().strip() == f"in {camera}"
                   for task in pathlib.Path(f"/proc/{worker}/task").iterdir())
    except OSError:
        return False


class Killer(threading.Thread):
    """Kills every worker that connects to a camera, as what that sends might."""

    def __init__(self, site, camera):
        super().__init__(daemon=True)
        self.site, self.camera, self.killed, self.over = site, camera, [], threading.Event()

    def run(self):
        while not self.over.wait(0.2):
            for worker in self.site.workers():
                if runs(worker, self.camera):
                    self.killed.append(worker)
                    os.kill(worker, signal.SIGABRT)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def test_a_camera_that_kills_its_worker_ends_up_alone_and_the_others_record(make_site, make_camera, footage):
    site = make_site("workers: 1\n").start()
    camera = make_camera({name: footage["h264"] for name in (*GOOD, "bad")})
    for name in (*GOOD, "bad"):
        site.add_camera(name, camera.url(name), record="continuous")
        site.wait_for_status(name, "online", 30)

    with Killer(site, "bad") as killer:
        wait_for("the bad camera isolated", lambda: "worker dies of" in site.camera("bad")["reason"], 60)
        for name in GOOD:
            site.wait_for_status(name, "online", 30)
        deaths = len(killer.killed)
        assert 3 <= deaths <= 6, killer.killed
        recording = wait_for("clips of the others",
                             lambda: len(clips := site.clips(state="recording")) == 3 and clips, 20)
        time.sleep(8)
        assert len(killer.killed) == deaths
        assert {clip["id"] for clip in site.clips(state="recording")} == {clip["id"] for clip in recording}
        assert "camera bad makes its worker die" in site.log()

        # A registration that changes is tried at once. The killer has gone by then.
        killer.over.set()
        killer.join()
        site.run("camera disable bad")
        wait_for("the camera disabled", lambda: "switched off" in site.camera("bad")["reason"]
                 or not site.camera("bad")["enabled"], 5)
        time.sleep(1.5)
        site.run("camera enable bad")
        site.wait_for_status("bad", "online", 15)
