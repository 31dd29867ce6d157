#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plots the gate's signal against the motion it stands for, an SVG per film.

usage: tests/bench/plot_gate.py [--level auto] [--plays 4] [--out DIR] [--work DIR] [--binary PATH] FILM…
       tests/bench/plot_gate.py --trace TRACE.jsonl [--events EVENTS.jsonl] [--out DIR] FILM

A gate learns while it runs, so each film is played --plays times over in one file and the last play is
drawn. The labels are read from FILM's name with .json, if that is there. What moves in pictures that
were not decoded comes from a second run at level full. With --trace nothing is run: the trace and the
events (the lines `gridwatch analyze` prints) are of one play.
"""
import argparse
import contextlib
import json
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bench_media  # noqa: E402
import bench_score  # noqa: E402
import gate_plot  # noqa: E402
from bench_run import BenchError, read_analysis, run, say  # noqa: E402


def parse():
    parser = argparse.ArgumentParser(usage=argparse.SUPPRESS, description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", default="auto")
    parser.add_argument("--plays", type=int, default=4)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--binary", default=ROOT / "build/app/gridwatch")
    parser.add_argument("--trace", type=pathlib.Path)
    parser.add_argument("--events", type=pathlib.Path)
    parser.add_argument("films", nargs="+", type=pathlib.Path, metavar="FILM")
    return parser.parse_args()


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def labels_of(film):
    path = film.with_suffix(".json")
    return json.loads(path.read_text(encoding="utf-8")).get("labels", {}) if path.exists() else {}


def analyse(arguments, film, cache):
    """(trace lines, those of level full, events, length) of the last play."""
    made, offset_s, length_s = bench_media.played(cache, film, arguments.plays)
    trace = cache.folder / f"{film.stem}.trace.jsonl"
    lines = {}
    for level in ("full", arguments.level):
        said = run([arguments.binary, "analyze", "--level", level, "--trace", trace, made]).text
        lines[level] = gate_plot.window(read_lines(trace), offset_s, offset_s + length_s)
        trace.unlink()
    events = bench_score.within(read_analysis(said)[0], offset_s, length_s)
    return lines[arguments.level], lines["full"], events, length_s


def plot(arguments, film, cache):
    if arguments.trace:
        lines, full = read_lines(arguments.trace), []
        length_s = max((line["t"] for line in lines), default=0.0)
        events = read_analysis(arguments.events.read_text(encoding="utf-8"))[0] if arguments.events else []
    else:
        lines, full, events, length_s = analyse(arguments, film, cache)
    packets, pictures = gate_plot.split(lines)
    truth = gate_plot.split(full)[1]
    path = arguments.out / f"{film.stem}.gate.svg"
    drawn = gate_plot.draw(film.stem, packets, pictures, events, labels_of(film), length_s, truth)
    path.write_text(drawn, encoding="utf-8")
    told = gate_plot.separation(packets, truth or pictures)
    said = "" if told is None else f", ROC area {told:.2f}"
    say(f"{path}: {len(packets)} packets, {len(pictures)} pictures{said}")


def main():
    arguments = parse()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        folder = arguments.work or stack.enter_context(tempfile.TemporaryDirectory(prefix="gridwatch-bench."))
        cache = bench_media.Cache(folder)
        for film in arguments.films:
            try:
                plot(arguments, film, cache)
            except (BenchError, OSError, json.JSONDecodeError) as error:
                sys.exit(f"tests/bench/plot_gate.py: {film}: {error}")


main()
