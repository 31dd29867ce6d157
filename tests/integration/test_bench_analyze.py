# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bench of analysis: its arithmetic, its films of several plays, its plots."""
import json
import os
import pathlib
import subprocess
import sys
import xml.dom.minidom

import pytest

from gridwatch_site import BINARY
from rtsp_camera import PYTHON, ROOT

sys.path.insert(0, str(ROOT / "tests/bench"))
import bench_media  # noqa: E402
import bench_run  # noqa: E402
import bench_scenes  # noqa: E402
import bench_score  # noqa: E402
import gate_plot  # noqa: E402

BARE_DECODE = pathlib.Path(BINARY).parents[1] / "tests/bench/bare_decode"
SHARED = pathlib.Path(os.environ.get("GRIDWATCH_SHARED", ROOT.parent / "shared"))


def make_film(path, *options, seconds=4):
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s=160x120:r=15:d={seconds}",
                    "-c:v", "libx264", "-g", "30", *options, str(path)], check=True)
    return path


def test_events_less_than_five_seconds_apart_are_one():
    assert bench_score.merge([(20.0, 21.0), (1.0, 3.0), (7.9, 9.0)]) == [(1.0, 9.0), (20.0, 21.0)]
    assert bench_score.merge([(1.0, 3.0), (8.0, 9.0)]) == [(1.0, 3.0), (8.0, 9.0)]
    assert bench_score.merge([(1.0, 9.0), (2.0, 3.0)]) == [(1.0, 9.0)]


def test_of_a_play_only_what_lies_in_it_counts():
    events = [(1.0, 2.0), (9.0, 11.0), (14.0, 15.0), (19.0, 23.0), (21.0, 22.0)]
    assert bench_score.within(events, 10.0, 10.0) == [(0.0, 1.0), (4.0, 5.0), (9.0, 10.0)]


def test_only_motion_is_read_from_what_analyze_prints():
    events, summary = bench_run.read_analysis(
        '{"file":"a","kind":"motion","start_s":1.5,"end_s":2}\n{"file":"a","kind":"black","start_s":5,"end_s":6}\n'
        '{"file":"a","summary":{"frames":10,"decoded":4}}\n')
    assert events == [(1.5, 2.0)] and summary["decoded"] == 4
    with pytest.raises(bench_run.BenchError, match="summary"):
        bench_run.read_analysis("")


def test_the_table_says_what_holds_what_falls_short_and_what_was_not_measured():
    goals = [("a", "recall", "least", 0.97, 3), ("b", "false", "most", 2, 0), ("c", "cost", "most", 0.12, 2)]
    rows = bench_score.judge({"a": 0.9651, "b": 2}, goals)
    assert [row["holds"] for row in rows] == [False, True, None]
    text = bench_score.table(rows)
    assert text[1].endswith("falls short") and text[2].endswith("holds") and text[3].endswith("not measured")
    assert [row["key"] for row in bench_score.judge({})] == [goal[0] for goal in bench_score.GOALS]


def test_what_stands_in_the_table_decides():
    goals = [("a", "share", "most", 0.05, 3)]
    for value, shown, holds in (0.0504, "0.050", True), (0.0506, "0.051", False):
        rows = bench_score.judge({"a": value}, goals)
        assert rows[0]["holds"] is holds and shown in bench_score.table(rows)[1]


@pytest.mark.parametrize("name, options", [("b-frames.mp4", ["-bf", "3"]),
                                           ("odd.mp4", ["-bf", "2", "-r", "30000/1001"]),
                                           ("late.mp4", ["-bf", "2", "-output_ts_offset", "0.5"]),
                                           ("untimed.avi", ["-bf", "0"])])
def test_a_film_of_four_plays_has_the_packets_of_the_clip_and_says_where_the_last_begins(tmp_path, name, options):
    clip = make_film(tmp_path / name, *options)
    made, offset_s, length_s = bench_media.played(bench_media.Cache(tmp_path / "work"), clip, 4)
    packets = bench_media.read_packets(made)
    assert len(packets) == 4 * len(bench_media.read_packets(clip))
    assert offset_s == pytest.approx(3 * length_s, abs=0.01) and length_s == pytest.approx(4.0, abs=0.07)
    in_last = [packet for packet in packets if packet.time_s - packets[0].time_s >= offset_s - 0.001]
    assert len(in_last) == len(packets) // 4 and in_last[0].key


def packet(time_s, digest):
    return bench_media.Packet(time_s, 0.1, digest == "a", digest)


def test_a_file_that_is_not_so_many_plays_is_refused():
    clip = [packet(0.0, "a"), packet(0.1, "b")]
    good = [*clip, packet(0.2, "a"), packet(0.3, "b")]
    assert bench_media.pass_offsets(clip, good, 2) == [0.0, 0.2]
    for bad in (good[:3], [*clip, packet(0.2, "a"), packet(0.35, "b")], [*clip, packet(0.2, "b"), packet(0.3, "a")]):
        with pytest.raises(bench_run.BenchError):
            bench_media.pass_offsets(clip, bad, 2)


def test_made_streams_say_what_is_true_of_them():
    streams = bench_scenes.STREAMS
    assert streams["quiet_vbr"].seconds == 300 and not streams["quiet_vbr"].active()
    fifth = streams["fifth_vbr"]
    assert sum(end - start for start, end in fifth.active()) == fifth.seconds / 5
    lengths = [end - start for start, end in streams["events_cbr"].active()]
    assert len(lengths) == 12 and set(lengths) == {2, 3, 4}
    for stream in streams.values():
        labels = stream.labels()["labels"]
        marks = sorted(labels["active"] + labels["quiet"])
        assert marks[0][0] == 0 and marks[-1][1] == stream.seconds
        assert all(before[1] < after[0] for before, after in zip(marks, marks[1:]))


def test_bare_decoding_counts_every_picture(tmp_path):
    film = make_film(tmp_path / "film.mp4", "-bf", "2")
    for options, pictures in ([], 60), (["--keyframes"], 2):
        done = subprocess.run([BARE_DECODE, *options, film], capture_output=True, text=True, check=True)
        assert int(done.stdout.split()[0]) == pictures and float(done.stdout.split()[1]) > 0
    missing = subprocess.run([BARE_DECODE, tmp_path / "none.mp4"], capture_output=True, text=True, check=False)
    assert missing.returncode == 1 and missing.stderr.count("\n") == 1 and "none.mp4" in missing.stderr


def trace():
    """5 s of 10 packets a second: something moves from 2 to 3 s, and the signal shows it."""
    for number in range(50):
        t = number / 10
        moves = 2 <= t < 3
        yield {"t": t, "bytes": 100, "qp": 30, "signal": 5.0 if moves else number % 3 * 0.1, "limit": 2.0,
               "decoded": moves, "level": "gate" if t < 4 else "full"}
        if moves or number % 10 == 0:
            yield {"t": t, "area": 0.02 * moves, "something": moves, "hint": moves, "open": moves}


def test_a_plot_shows_bands_events_and_both_signals():
    packets, pictures = gate_plot.split(list(trace()))
    labels = {"active": [[2.0, 3.0]], "quiet": [[0, 2]]}
    text = gate_plot.draw("yard & gate", packets, pictures, [(2.0, 3.0)], labels, 5.0)
    root = xml.dom.minidom.parseString(text).documentElement
    titles = [node.firstChild.data for node in root.getElementsByTagName("title")]
    assert "active 2-3 s" in titles and "quiet 0-2 s" in titles and "event 2.00-3.00 s" in titles
    assert "gate" in titles and "full" in titles
    assert "yard &amp; gate: 10 of 50 packets decoded" in text and "1.00" in text


def test_a_signal_that_tells_nothing_has_half_the_area_under_its_curve():
    pictures = [{"t": n / 10, "area": 0, "something": n % 2 == 0} for n in range(20)]
    same = [{"t": n / 10, "bytes": 1, "signal": 1.0} for n in range(20)]
    assert gate_plot.separation(same, pictures) == 0.5
    inverted = [{"t": n / 10, "bytes": 1, "signal": float(n % 2)} for n in range(20)]
    assert gate_plot.separation(inverted, pictures) == 0.0
    assert gate_plot.separation(same, []) is None


def test_a_signal_is_judged_by_all_pictures_where_they_are_known():
    packets, pictures = gate_plot.split(list(trace()))
    truth = [{"t": packet["t"], "area": 0.01, "something": packet["signal"] < 1} for packet in packets]
    assert "ROC curve of 0.00" in gate_plot.draw("x", packets, pictures, [], {}, 5.0, truth)
    assert "ROC curve of 1.00" in gate_plot.draw("x", packets, pictures, [], {}, 5.0)


def test_a_trace_without_signal_or_pictures_is_plotted_all_the_same():
    packets = [{"t": 0.0, "bytes": 10, "qp": None, "signal": None, "limit": None, "decoded": False, "level": "full"}]
    for case in packets, []:
        xml.dom.minidom.parseString(gate_plot.draw("x", case, [], [], {}, 1.0))


def test_without_the_scorer_the_bench_says_so_and_measures_nothing(tmp_path):
    done = subprocess.run([PYTHON, ROOT / "tests/bench/analyze", "--build", BARE_DECODE.parents[2], "--binary", BINARY,
                           "--shared", tmp_path], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 and "score.py" in done.stderr and not done.stdout


@pytest.mark.skipif(not (SHARED / "footage/room_chair.mp4").exists(), reason="the labelled footage is not there")
def test_the_bench_runs_on_a_clip_and_judges_it(tmp_path):
    done = subprocess.run([PYTHON, ROOT / "tests/bench/analyze", "--quick", "--only", "room_chair,no_such_clip",
                           "--build", BARE_DECODE.parents[2], "--binary", BINARY, "--shared", SHARED,
                           "--json", tmp_path / "out.json"], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "skipped: no_such_clip" in done.stderr
    facts = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    measured = {row["key"]: row["measured"] for row in facts["goals"]}
    assert measured["recall"] == 1.0 and measured["last_recall"] == 1.0
    assert measured["quiet_vbr_cpu"] is None
    assert facts["passes"]["full"]["clips"]["room_chair"]["decoded"] == 193
