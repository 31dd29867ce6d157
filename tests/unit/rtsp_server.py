#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real RTSP cameras for test_session.c, by gst-rtsp-server.

usage: rtsp_server.py [PORT]     a free port when none is given

Makes short videos with ffmpeg in a temporary folder, prints "port N", serves until standard input
ends, and removes the folder. Exits with 77 and one line on stderr when something it needs is absent.
"""
import os
import shutil
import subprocess
import sys
import tempfile

ABSENT = 77

try:
    import gi
    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer
except (ImportError, ValueError) as reason:
    sys.exit(print(f"skipped: gst-rtsp-server is absent ({reason})", file=sys.stderr) or ABSENT)
if not shutil.which("ffmpeg"):
    sys.exit(print("skipped: ffmpeg is absent", file=sys.stderr) or ABSENT)

USER, PASSWORD = "operator", "p@ss:w/rd"


def make_video(path, *encoder):
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=10",
                    "-pix_fmt", "yuv420p", "-g", "25", *encoder, path], check=True)
    return path


def make_videos(folder):
    def path(name):
        return os.path.join(folder, name)
    x265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=2"]
    return {
        "h264": make_video(path("h264.mp4"), "-c:v", "libx264", "-preset", "ultrafast"),
        "b-frames": make_video(path("b.mp4"), "-c:v", "libx264", "-preset", "medium", "-bf", "3"),
        "h265": make_video(path("h265.mp4"), *x265),
    }


def launch_line(path, codec="h264"):
    # config-interval on the parser alone: on the payloader it lands inside pictures.
    return (f"filesrc location={path} ! qtdemux ! {codec}parse config-interval=-1 ! "
            f"rtp{codec}pay name=pay0 pt=96")


def serve(folder):
    videos = make_videos(folder)
    mounts = {name: launch_line(path, "h265" if name == "h265" else "h264")
              for name, path in videos.items()}
    tone = "audiotestsrc is-live=true ! audio/x-raw,rate=8000 ! alawenc ! rtppcmapay pt=8"
    mounts["audio-and-video"] = f"{tone} name=pay1 {mounts['h264']}"
    mounts["audio-only"] = f"{tone} name=pay0"
    mounts["fails"] = launch_line(os.path.join(folder, "absent.mp4"))
    mounts["secret"] = mounts["h264"]

    server = GstRtspServer.RTSPServer()
    server.set_service(sys.argv[1] if len(sys.argv) > 1 else "0")
    server.set_address("127.0.0.1")
    server.set_auth(make_auth())
    for name, line in mounts.items():
        server.get_mount_points().add_factory("/" + name, make_factory(line, name == "secret"))
    server.attach(None)
    print("port", server.get_bound_port(), flush=True)


def make_auth():
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(2)  # digest
    auth.add_digest(USER, PASSWORD, make_token("user"))
    auth.set_default_token(make_token("anonymous"))
    return auth


def make_token(role):
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", role)
    return token


def make_factory(line, secret):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {line} )")
    permissions = GstRtspServer.RTSPPermissions()
    for role in "user", "anonymous":
        # Without access it would be 404; without construct it asks for a password.
        permissions.add_permission_for_role(role, "media.factory.access", True)
        permissions.add_permission_for_role(role, "media.factory.construct",
                                            role == "user" or not secret)
    factory.set_permissions(permissions)
    return factory


def main():
    Gst.init(None)
    loop = GLib.MainLoop()
    with tempfile.TemporaryDirectory(prefix="gridwatch-rtsp-") as folder:
        serve(folder)
        GLib.io_add_watch(0, GLib.IO_HUP | GLib.IO_IN, lambda *_: loop.quit())
        loop.run()


main()
