# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workers that read what cameras send have given up what they do not need."""
import pathlib

from gridwatch_site import wait_for


def status_of(task):
    lines = (task / "status").read_text(encoding="utf-8").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_every_thread_of_a_worker_is_in_the_sandbox_while_it_records(make_site, make_camera, footage):
    site = make_site("workers: 2\n").start()
    camera = make_camera({"gate": footage["h264"], "yard": footage["h265"]})
    for name in ("gate", "yard"):
        site.add_camera(name, camera.url(name), record="continuous")
        site.wait_for_status(name, "online", 30)
    wait_for("clips of both", lambda: len(site.clips(state="recording")) == 2, 15)

    workers = site.workers()
    assert len(workers) == 2
    for worker in workers:
        folder = pathlib.Path(f"/proc/{worker}")
        for task in (folder / "task").iterdir():
            status = status_of(task)
            assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), (task, status)
        limits = (folder / "limits").read_text(encoding="utf-8")
        [cores] = [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size")]
        assert cores == ["1", "1"]
    assert "not restricted" not in site.log() and "not closed" not in site.log()
