# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Footage made for tests: a still scene with texture and a little sensor noise, through which a
thing moves from second 8 to second 12. Encoded as cameras do: no B-frames, a keyframe every 2 s."""
import subprocess

SECONDS = 24
MOVES_FROM_S, MOVES_TO_S = 8.0, 12.0
FPS = 10

ENCODERS = {
    "h264": ["-c:v", "libx264", "-bf", "0"],
    "h265": ["-c:v", "libx265", "-tag:v", "hvc1", "-x265-params",
             "bframes=0:keyint=20:min-keyint=20:scenecut=0:open-gop=0:log-level=error"],
}


def scene(width=640, height=360, fps=FPS, seconds=SECONDS, moves=(MOVES_FROM_S, MOVES_TO_S),
          noise=1):
    """The scene as a filter graph for `ffmpeg -f lavfi -i`."""
    begin, end = moves
    thing_w, thing_h = width // 8, height // 4
    speed = (width + thing_w) / (end - begin)
    return (
        f"color=0x707068:s={width}x{height}:r={fps}:d={seconds},noise=alls=40:all_seed=5,gblur=3,"
        f"drawbox={width // 8}:{height // 6}:{width // 4}:{height // 5}:0x4a4038:fill[scene];"
        f"color=0xc8b090:s={thing_w}x{thing_h}:r={fps}:d={seconds},noise=alls=60:all_seed=3,gblur=1[thing];"
        f"[scene][thing]overlay=x='if(between(t,{begin},{end}),-{thing_w}+(t-{begin})*{speed},-2*{thing_w})'"
        f":y={height // 2},noise=alls={noise}:allf=t")


def make(path, codec="h264", graph=None, bitrate=None, gop=20):
    """Writes an MP4 of the scene to path."""
    rate = ["-b:v", str(bitrate), "-maxrate", str(bitrate), "-bufsize", str(bitrate)] if bitrate else []
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", graph or scene(), "-an", *ENCODERS[codec],
         "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", str(gop), "-keyint_min", str(gop),
         "-sc_threshold", "0", *rate, "-movflags", "faststart", str(path)], check=True)
    return path
