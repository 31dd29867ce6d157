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
import bench_pictures  # noqa: E402
import bench_run  # noqa: E402
import bench_scenes  # noqa: E402
import bench_score  # noqa: E402
import bench_variants  # noqa: E402
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


LABELS = {"precision_s": 0.2, "active": [[1.0, 2.0], [3.0, 3.5]], "quiet": [[2.2, 2.8]],
          "nuisance": [{"start_s": 2.0, "end_s": 4.0, "what": "wind"}]}


def test_labels_of_a_reversed_clip_are_read_from_its_end():
    parts = bench_variants.VARIANTS["reversed"].parts(LABELS, 4.0)
    labels = bench_variants.moved_labels(LABELS, parts)
    assert labels["active"] == [[0.5, 1.0], [2.0, 3.0]] and labels["quiet"] == [[1.2, 1.8]]
    assert labels["nuisance"] == [{"start_s": 0.0, "end_s": 2.0, "what": "wind"}] and labels["precision_s"] == 0.2


@pytest.mark.parametrize("name, factor", [("slower", 2.0), ("faster", 1 / 1.6)])
def test_labels_of_another_speed_are_drawn_out_or_pushed_together(name, factor):
    labels = bench_variants.moved_labels(LABELS, bench_variants.VARIANTS[name].parts(LABELS, 4.0))
    for key in "active", "quiet":
        for (start, end), (was_start, was_end) in zip(labels[key], LABELS[key], strict=True):
            assert (start, end) == pytest.approx((was_start * factor, was_end * factor), abs=0.001)


def test_a_quiet_part_to_and_fro_is_three_times_as_long_and_moves_what_comes_later():
    parts = bench_variants.to_and_fro(LABELS, 4.0)
    labels = bench_variants.moved_labels(LABELS, parts)
    assert labels["quiet"] == [[2.2, 4.0]] and labels["active"] == [[1.0, 2.0], [4.2, 4.7]]
    assert labels["nuisance"] == [{"start_s": 2.0, "end_s": 5.2, "what": "wind"}]
    assert sum(part.length_s for part in parts) == pytest.approx(5.2)


def test_pictures_of_a_quiet_part_go_back_and_forth_each_for_as_long_as_it_stood():
    times = [0.0, 1.0, 1.1, 1.4, 2.0]  # the quiet part holds pictures that stand for 0.1, 0.3 and 0.6 s
    order = bench_variants.played(times, 3.0, bench_variants.to_and_fro({"quiet": [[1.0, 2.0]]}, 3.0))
    assert [number for number, _ in order] == [0, 1, 2, 3, 3, 2, 1, 1, 2, 3, 4]
    assert [time for _, time in order] == pytest.approx([0, 1, 1.1, 1.4, 2, 2.6, 2.9, 3, 3.1, 3.4, 4])


def labelled(clip, labels, seconds):
    clip.with_suffix(".json").write_text(json.dumps({"labels": labels, "video": {"duration_s": seconds}}),
                                         encoding="utf-8")
    return clip


def times_of(film):
    return sorted(packet.time_s for packet in bench_media.read_packets(film, hashed=False))


@pytest.mark.parametrize("name, factor", [("recoded", 1.0), ("slower", 2.0)])
def test_variants_keep_variable_intervals(tmp_path, name, factor):
    uneven = "select=not(mod(n\\,7))+not(mod(n\\,3))+not(mod(n\\,11))"
    clip = labelled(make_film(tmp_path / "uneven.mp4", "-vf", uneven, "-fps_mode", "passthrough"), LABELS, 4.0)
    film = bench_variants.make(tmp_path / "work", clip, name)
    was = times_of(clip)
    assert len({round(after - before, 3) for before, after in zip(was, was[1:])}) == 3
    assert times_of(film) == pytest.approx([factor * (time - was[0]) for time in was], abs=0.0021)
    assert json.loads(film.with_suffix(".json").read_text(encoding="utf-8"))["labels"]["active"][0] == [
        factor * 1.0, factor * 2.0]


def test_five_pictures_a_second_are_that_many(tmp_path):
    clip = labelled(make_film(tmp_path / "film.mp4", "-bf", "0"), LABELS, 4.0)
    times = times_of(bench_variants.make(tmp_path / "work", clip, "five_per_s"))
    assert times == pytest.approx([number / 5 for number in range(20)], abs=0.002)


def test_the_time_of_every_picture_can_be_written_as_an_expression():
    for times in [0, 40, 80, 120], [0, 33, 67, 100, 133], [0, 100, 105, 600, 640, 680, 720, 5000], [7]:
        text = bench_pictures.time_expression(times)
        ask = lambda condition, yes, no: yes if condition else no  # noqa: E731
        value = eval(f"[({text.replace('if(', 'ask(')}) for N in range({len(times)})]",  # noqa: S307
                     {"ask": ask, "lt": lambda one, other: one < other, "range": range})
        assert value == pytest.approx(times, abs=0.7)


def test_a_variant_is_made_once_and_again_when_its_recipe_changed(tmp_path, monkeypatch):
    clip = labelled(make_film(tmp_path / "film.mp4", "-bf", "0", seconds=1), LABELS, 1.0)
    film = bench_variants.make(tmp_path / "work", clip, "mirrored")
    made = film.stat().st_mtime_ns
    assert bench_variants.make(tmp_path / "work", clip, "mirrored").stat().st_mtime_ns == made
    monkeypatch.setitem(bench_variants.VARIANTS, "mirrored", bench_variants.Variant("upside down", "vflip"))
    assert bench_variants.make(tmp_path / "work", clip, "mirrored").stat().st_mtime_ns != made


def test_without_numpy_what_needs_it_is_named_with_the_cure(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    left_out, why = bench_variants.missing(["mirrored", "rain", "water"])
    assert left_out == ["rain", "water"] and "rain, water" in why and "python3-numpy" in why
    assert bench_variants.missing(["mirrored"]) == ([], "")


EFFECTS = [name for name, variant in bench_variants.VARIANTS.items() if variant.effect]


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_changes_the_picture_and_always_in_the_same_way(name):
    pytest.importorskip("numpy", reason="python3-numpy is not installed")
    import bench_nuisances
    width, height, grey = 160, 118, bytes([110, 160, 90]) * (160 * 118 // 3) + bytes([110, 160])
    picture = grey[:width * height] + bytes([128]) * (width * height // 2)

    def played():
        known = [bench_nuisances.Picture(bytearray(picture), width, height)] * 3
        scene = bench_nuisances.Scene(width, height, 12.0, known, known)
        times = [number / 5 for number in range(60)]
        return [bytes(data) for data in bench_nuisances.changed(bench_variants.VARIANTS[name].effect, scene, 7,
                                                               (bytearray(picture) for _ in times), times)]
    first = played()
    assert any(data != picture for data in first) and all(len(data) == len(picture) for data in first)
    assert len(set(first)) > 1 or name == "distant"  # which moves nothing itself
    assert played() == first


def test_the_guide_names_every_variant():
    guide = (ROOT / "docs/guide/bench.md").read_text(encoding="utf-8")
    assert [name for name in bench_variants.VARIANTS if f"`{name}`" not in guide] == []


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


@pytest.mark.skipif(not (SHARED / "footage/room_chair.mp4").exists(), reason="the labelled footage is not there")
def test_a_variant_is_made_analysed_and_scored_with_its_own_labels(tmp_path):
    command = [PYTHON, ROOT / "tests/bench/analyze", "--variants", "reversed", "--only", "room_chair",
               "--build", BARE_DECODE.parents[2], "--binary", BINARY, "--shared", SHARED,
               "--work", tmp_path / "work", "--json", tmp_path / "out.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == ["original", "reversed", "mean"]
    facts = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["variants"]
    assert facts["reversed"]["clips"]["room_chair"]["recall"] == 1.0
    labels = json.loads((tmp_path / "work/reversed/room_chair.json").read_text(encoding="utf-8"))
    assert labels["labels"]["quiet"] == [[15.8, 19.3]] and labels["video"]["duration_s"] == 19.3


def test_an_unknown_variant_is_named_beside_those_that_are_known():
    done = subprocess.run([PYTHON, ROOT / "tests/bench/analyze", "--variants", "hail"], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 2 and '"hail" is none of' in done.stderr and "snow_close" in done.stderr
