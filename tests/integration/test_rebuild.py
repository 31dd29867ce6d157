# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The index of a site that has recorded, made again from what lies beside it."""
import contextlib
import shutil
import sqlite3

import pytest

from gridwatch_site import Site, run, wait_for
from rtsp_camera import RtspServer

ROWS = ("event", "clip", "gap", "tally")


def rows_of(site, tables):
    """{table: its rows}, with the names of their columns."""
    with contextlib.closing(sqlite3.connect(f"file:{site.store}/index.db?mode=ro", uri=True)) as index:
        index.row_factory = sqlite3.Row
        return {table: sorted((dict(row) for row in index.execute(f"SELECT * FROM {table}")), key=repr)
                for table in tables}


@pytest.fixture(scope="module")
def recorded_store(footage, tmp_path_factory):
    """The store of a site that has recorded a camera in both of its ways, with events and clips."""
    kept = tmp_path_factory.mktemp("recorded") / "store"
    with contextlib.closing(Site()) as site, RtspServer({"gate": footage["h264"], "yard": footage["h265"]}) as camera:
        record(site, camera)
        shutil.copytree(site.store, kept)
    return kept


def record(site, camera):
    site.start()
    site.add_camera("gate", camera.url("gate"))
    site.add_camera("yard", camera.url("yard"), record="continuous")
    wait_for("an event's clip", lambda: site.clips(camera="gate", state="closed"), 60, every_s=0.3)
    site.stop()


@pytest.fixture
def recorded_site(make_site, recorded_store):
    """A stopped site with that store."""
    site = make_site()
    shutil.copytree(recorded_store, site.store, dirs_exist_ok=True)
    return site


def rebuild(site):
    return run("index", "rebuild", "-c", site.config)


def test_events_clips_and_gaps_are_the_same_rows_again(recorded_site):
    tables = (*ROWS, "place", "camera", "boot")
    before = rows_of(recorded_site, tables)
    assert before["event"] and len(before["clip"]) >= 2
    done = rebuild(recorded_site)
    assert done.returncode == 0 and " 0 clips taken over" in done.stdout, done
    assert rows_of(recorded_site, tables) == before


def test_the_files_alone_give_the_clips(recorded_site):
    before = rows_of(recorded_site, ["clip"])["clip"]
    for path in [*recorded_site.store.glob("index.db*"), *recorded_site.store.glob("journal/*")]:
        path.unlink()
    done = rebuild(recorded_site)
    assert done.returncode == 0 and "import the camera sheet again" in done.stdout, done
    after = rows_of(recorded_site, ["clip"])["clip"]
    # What only a fact can say: which place it was at, whether pictures are missing, and how the camera's clock went
    # when it ended; the file says how it went, if that was known, when it was begun.
    for row in before + after:
        row.pop("place"), row.pop("truncated")
    offsets = [[row.pop("clock_offset_us") for row in rows] for rows in (before, after)]
    assert all(offset is None or abs(offset - known) < 100_000 for known, offset in zip(*offsets))
    assert after == before
    recorded_site.start()
    assert len(recorded_site.clips()) == len(before)


def test_a_site_that_runs_keeps_its_index(site):
    done = rebuild(site)
    assert done.returncode == 1
    assert done.stderr.startswith("gridwatch: a site is using the store") and done.stderr.count("\n") == 1
