# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retention and case holds of a whole site, by command line, API, bus and disk."""
import json
import os
import sqlite3
import subprocess
import time

import pytest

from console_client import API, check_value
from gridwatch_site import BINARY, run, wait_for

MAKER = os.path.join(os.path.dirname(BINARY), "..", "tests", "bench", "aged_store")
DAY_US = 86400 * 1000000


@pytest.fixture
def aged_site(make_site):
    """A site whose three cameras recorded 60 clips until 100 days ago, and one today."""
    site = make_site("retention:\n  floor_days: 30\n  ceiling_days: 90\n")
    subprocess.run([MAKER, site.store, "3", "60", "100"], check=True)
    return site


def files(site):
    return list((site.store / "media").rglob("*.*"))


def audit(site):
    with sqlite3.connect(f"file:{site.store}/console.db?mode=ro", uri=True) as db:
        return db.execute("SELECT action, object, camera, remote FROM audit ORDER BY seq").fetchall()


def hold(site, *filters, case="2026-117"):
    out = site.run("hold add", "--case", case, "--reason", "theft", "--author", "chen",
                   "--until", "2099-01-01", *filters)
    return int(out.removeprefix("hold "))


def test_what_is_over_its_ceiling_goes_and_what_is_held_stays(aged_site):
    site = aged_site
    assert len(files(site)) == 60 + 1 + 2 * 6
    number = hold(site, "--camera", "cam-0001")
    site.start()
    wait_for("the others are gone", lambda: len(files(site)) <= 25, 30)
    wait_for("no garbage", lambda: site.get("/storage")["garbage"] == 0, 30)
    left = site.clips(limit=1000)
    assert {clip["camera"] for clip in left} == {"cam-0000", "cam-0001"}
    assert len([clip for clip in left if clip["camera"] == "cam-0001"]) == 20
    storage = site.get("/storage")
    check_value(API["components"]["schemas"]["Storage"], storage, "storage")
    assert storage["deleted"]["clip"] == {"expired": 40, "room": 0} and storage["holds"] == 1
    assert storage["clock"] == "sure"

    subscriber = site.subscribe()
    site.run("hold remove", number, "--reason", "case closed", "--author", "li")
    message = subscriber.wait_for("clip.deleted", 30)
    assert message.data["reason"] == "expired" and message.data["camera"] == "cam-0001"
    wait_for("only today's clip is left", lambda: len(files(site)) == 1, 30)


def test_holds_are_listed_with_who_and_why_and_leave_rows_in_the_audit_log(make_site):
    site = make_site().start()
    first = hold(site, "--division", "640323101", "--from", "2026-05-01", "--to", "2026-05-02T00:00:00+08:00")
    second = hold(site, "--camera", "gate", case="2026-118")
    site.run("hold remove", first, "--reason", "case closed", "--author", "li")
    items = site.get("/holds")["items"]
    for item in items:
        check_value(API["components"]["schemas"]["Hold"], item, "hold")
    assert [item["id"] for item in items] == [second, first]
    assert items[0]["lasts"] and items[0]["camera"] == "gate" and items[0]["author"] == "chen"
    assert not items[1]["lasts"] and items[1]["removed_by"] == "li" and items[1]["division"] == "640323101"
    assert items[1]["to_us"] - items[1]["from_us"] == DAY_US - 8 * 3600 * 1000000
    listed = [json.loads(line) for line in site.run("hold list", "--json").splitlines()]
    assert listed == items[::-1]
    assert "case 2026-118: theft (chen)" in site.run("hold list")
    rows = [row for row in audit(site) if row[0].startswith("hold")]
    assert rows == [("hold.add", "2026-117", "", "command line: chen"),
                    ("hold.add", "2026-118", "gate", "command line: chen"),
                    ("hold.remove", str(first), "", "command line: li")]


@pytest.mark.parametrize("words, complaint", [
    (["add", "--case", "c", "--until", "2099-01-01", "--camera", "a"], "--reason"),
    (["add", "--case", "c", "--reason", "r", "--until", "2099-01-01"], "what to hold"),
    (["add", "--case", "c", "--reason", "r", "--until", "2020-01-01", "--camera", "a"], "past"),
    (["add", "--case", "c", "--reason", "r", "--until", "soon", "--camera", "a"], "--until"),
    (["add", "--case", "c", "--reason", "r", "--until", "2099-01-01", "--camera", "a/b"], "--camera"),
    (["remove", "1"], "--reason"), (["remove", "x", "--reason", "r"], "number"), (["keep"], "add, list or remove"),
])
def test_a_hold_that_lacks_something_is_refused_by_name(make_site, words, complaint):
    site = make_site()
    done = run("hold", *words, "-c", site.config)
    assert done.returncode == 2 and complaint in done.stderr and done.stderr.count("\n") == 1


def test_a_clock_that_stood_still_for_weeks_waits_for_a_word(aged_site):
    site = aged_site
    with sqlite3.connect(site.store / "index.db") as db: # as if the site had last run 40 days ago
        db.execute("INSERT INTO meta VALUES ('retention_us', ?)", (time.time_ns() // 1000 - 40 * DAY_US,))
    site.start()
    wait_for("retention looked", lambda: site.get("/storage")["clock"] == "ahead", 20)
    assert "retention confirm" in site.get("/storage")["warning"]
    assert len(files(site)) == 73
    site.run("retention confirm", "--author", "chen")
    wait_for("retention goes on", lambda: site.get("/storage")["clock"] == "sure", 30)
    wait_for("what was due is gone", lambda: len(files(site)) == 1, 30)
    assert [row[0] for row in audit(site) if row[0] == "clock.confirm"]
