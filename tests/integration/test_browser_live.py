# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page on a living site: Chromium looks at what a camera has just shown."""
import os
import subprocess

from gridwatch_site import wait_for
from rtsp_camera import ROOT


def test_the_page_shows_a_live_event_and_plays_its_clip(site, make_camera, footage):
    camera = make_camera({"gate": footage["h264"]})
    site.add_camera("gate", camera.url("gate"))
    wait_for("a closed clip", lambda: site.clips(camera="gate", state="closed"), 60)
    # The harness has spent the code that the site printed at its start.
    code = site.run("user login").strip().rsplit("/", 1)[1]
    environment = dict(os.environ, GRIDWATCH_URL=f"{site.addresses['console']}/#/login/{code}")
    done = subprocess.run(["node", "--test", str(ROOT / "tests/browser/live-site.mjs")], env=environment,
                          capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "# pass 0" not in done.stdout and "ℹ pass 0" not in done.stdout, "it tested nothing"
