# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""gridwatch fsck on a store: beside a site, after it, and when something is wrong."""
import os
import subprocess

import pytest

from gridwatch_site import BINARY, run

MAKER = os.path.join(os.path.dirname(BINARY), "..", "tests", "bench", "aged_store")


@pytest.fixture
def site(make_site):
    """A site with 40 clips and 4 events of two cameras, none of them old enough to go."""
    site = make_site()
    subprocess.run([MAKER, site.store, "2", "40", "5"], check=True)
    return site


def fsck(site, *arguments):
    return run("fsck", "-c", site.config, *arguments)


def test_a_sound_store_is_called_sound_with_and_without_its_site(site):
    done = fsck(site, "--deep")
    assert (done.returncode, done.stdout) == (0, "all invariants hold\n")
    assert [int(line.split()[1].rstrip(":")) for line in done.stderr.splitlines()] == list(range(1, 18))
    site.start()
    site.add_camera("gate", "rtsp://127.0.0.1:9/nobody")
    done = fsck(site)
    assert (done.returncode, done.stdout) == (0, "all invariants hold\n")
    site.stop()
    assert fsck(site, "--deep", "--repair").returncode == 0


def test_what_is_wrong_is_a_line_with_its_number_until_it_is_repaired(site):
    clip = next((site.store / "media").rglob("*.mp4"))
    clip.unlink()
    (clip.parent / "120000-lost.mp4").write_bytes(b"x")
    os.chmod(site.store / "index.db", 0o644)
    done = fsck(site)
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and lines[-1] == f"{len(lines) - 1} found, 0 repaired"
    assert [line.split(":")[0] for line in lines if "index.db-" not in line][:-1] == [
        "invariant 2", "invariant 8", "invariant 11"]
    assert str(clip.relative_to(site.store)) in done.stdout and "with --repair its row is deleted" in done.stdout
    done = fsck(site, "--repair")
    assert done.returncode == 0 and "repaired: its row is deleted" in done.stdout
    assert fsck(site, "--deep").returncode == 0
    assert len(list((site.store / "quarantine").rglob("120000-lost.mp4"))) == 1


def test_repairing_is_refused_while_the_site_runs(site):
    site.start()
    done = fsck(site, "--repair")
    assert done.returncode == 1 and "stop its site" in done.stderr
    site.stop()


def test_a_store_that_is_not_there_is_an_error(make_site):
    site = make_site()
    done = fsck(site)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
