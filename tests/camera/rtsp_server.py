#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""RTSP cameras for tests: files, looped; with a password, with audio.

usage: rtsp_server.py [--port N] [--login digest|basic] [--audio pcma|aac] [--live] NAME=FILE...

Prints `ready PORT`. With --login it reads two lines from stdin first: the user and the password, so
that they are in no process list. Without --live every client sees its file from the start.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "deploy"))
import looping_camera  # noqa: E402


def main():
    parser = argparse.ArgumentParser(usage=argparse.SUPPRESS, description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--login", choices=["digest", "basic"])
    parser.add_argument("--audio", choices=sorted(looping_camera.AUDIO))
    parser.add_argument("--live", action="store_true")
    parser.add_argument("cameras", nargs="+", metavar="NAME=FILE")
    arguments = parser.parse_args()
    cameras = looping_camera.Cameras(arguments.port)
    if arguments.login:
        user, password = sys.stdin.readline().strip(), sys.stdin.readline().strip()
        cameras.require_login(user, password, arguments.login)
    for camera in arguments.cameras:
        name, path = camera.split("=", 1)
        cameras.add(name, path, live=arguments.live, audio=arguments.audio)
    port = cameras.serve()
    if not port:
        sys.exit(f"rtsp_server.py: port {arguments.port} is taken")
    print("ready", port, flush=True)
    looping_camera.run()


main()
