# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What analysis costs on made 1080p25 streams, whose truth is known because they were made.

    bench_scenes.py -> streams of minutes -> bare_decode, gridwatch analyze -> figures

"Analysis proper" is CPU of `analyze --level full` less CPU of bare decoding: it includes reading the
summary's few extras and starting a larger program, so it errs upwards. Memory is the most that
`analyze --level full` held less the most that bare_decode held, of one 1080p file: of anonymous
memory, since the libraries that only the product maps are shared by all cameras of a worker, and less
the one picture of the decoder that waits to become the snapshot. What a worker keeps of the stream for
recording is not in it. Looked at every 10 ms, so that a short peak of anonymous memory can be missed.
"""
import json
import pathlib
import tempfile

import bench_scenes
import bench_score
from bench_run import say, watch_memory

PICTURE_MIB = 1920 * 1080 * 1.5 / 2**20  # 8-bit YUV 4:2:0, as the made streams are
SHOWN = ("quiet_vbr", "fifth_vbr", "quiet_cbr", "events_cbr")


class Made:
    def __init__(self, programs, cache, footage, scorer, levels, runs):
        self.programs, self.cache, self.footage, self.scorer = programs, cache, footage, scorer
        self.levels, self.runs = levels, runs
        self.facts, self.measured = {}, {}

    def run(self):
        """Measures and prints, stream by stream: this takes long."""
        print("\nMade 1080p25 streams; CPU as a ratio to bare decoding of the same file")
        print(f"{'stream':14} {'s':>4} {'Mbit/s':>6} {'level':9} {'decoded':>7} {'CPU s':>7} {'ratio':>6} "
              f"{'found':>6} {'quiet cov.':>10} {'false':>5} {'latency':>7}", flush=True)
        for name, stream in bench_scenes.STREAMS.items():
            film = bench_scenes.make_stream(self.cache, self.footage, stream)
            say(f"{name}: {stream.seconds} s")
            self.facts[name] = self.measure(film, stream)
            print("\n".join(lines_of(name, self.facts[name])), flush=True)
        self.note()
        print("\n".join(self.cost_lines()), flush=True)

    def measure(self, film, stream):
        bare_s, found = self.programs.compare(film, self.levels, self.runs)
        fact = {"film": str(film), "bytes": film.stat().st_size, "seconds": stream.seconds, "bare_s": bare_s,
                "levels": {}}
        for level, analysis in found.items():
            answer = self.score(stream, analysis.events)
            fact["levels"][level] = {
                "cpu_s": analysis.cpu_s, "ratio": analysis.cpu_s / bare_s, "decoded": analysis.decoded,
                "decoded_share": analysis.decoded / analysis.packets, "events": analysis.events,
                "detected": answer.get("detected"), "intervals": answer.get("intervals"),
                "false_events": answer.get("false_events"), "time_recall": answer.get("time_recall"),
                "false_s_frac": answer.get("false_s_frac"), "lat_median": answer.get("lat_median")}
        full = fact["levels"]["full"]
        fact["own_ms"] = (full["cpu_s"] - bare_s) * 1000 / full["decoded"]
        fact["own_share"] = (full["cpu_s"] - bare_s) / bare_s
        return fact

    def score(self, stream, events):
        with tempfile.TemporaryDirectory(prefix="gridwatch-bench.") as folder:
            pathlib.Path(folder, f"{stream.name}.json").write_text(json.dumps(stream.labels()), encoding="utf-8")
            return bench_score.score(self.scorer, folder, {stream.name: events})["total"]

    def note(self):
        """Fills self.measured from self.facts."""
        full = {name: self.facts[name]["levels"]["full"] for name in SHOWN}
        self.measured["own_ms"] = max(self.facts[name]["own_ms"] for name in SHOWN)
        self.measured["own_share"] = max(self.facts[name]["own_share"] for name in SHOWN)
        self.facts["memory"] = self.memory(self.facts["fifth_vbr"]["film"])
        self.measured["own_mib"] = self.facts["memory"]["full"]["more_anonymous_mib"] - PICTURE_MIB
        if "auto" not in self.levels:
            return
        auto = {name: self.facts[name]["levels"]["auto"] for name in SHOWN}
        for name in ("quiet_vbr", "quiet_cbr"):
            self.measured[f"{name}_cpu"] = auto[name]["ratio"]
        self.measured["fifth_cpu"] = auto["fifth_vbr"]["ratio"]
        first = self.facts["quiet_vbr_60s"]
        self.measured["quiet_vbr_cpu_later"] = bench_score.ratio(
            auto["quiet_vbr"]["cpu_s"] - first["levels"]["auto"]["cpu_s"],
            self.facts["quiet_vbr"]["bare_s"] - first["bare_s"])
        for key, name in (("fifth_loss", "fifth_vbr"), ("cbr_loss", "events_cbr")):
            self.measured[key] = bench_score.lost_recall(full[name], auto[name])

    def memory(self, film):
        """{level: MiB more than bare decoding had}, resident and anonymous."""
        bare = watch_memory([self.programs.bare, film])
        found = {}
        for level in self.levels:
            peak = watch_memory([self.programs.gridwatch, "analyze", "--level", level, film])
            found[level] = {"more_mib": (peak[0] - bare[0]) / 1024, "more_anonymous_mib": (peak[1] - bare[1]) / 1024,
                            "peak_mib": peak[0] / 1024}
        return found

    def cost_lines(self):
        for name in SHOWN:
            fact = self.facts[name]
            yield (f"analysis proper, {name}: {fact['own_ms']:.3f} ms per picture, {fact['own_share']:.3f} of decoding "
                   f"({fact['bare_s'] * 1000 / fact['levels']['full']['decoded']:.2f} ms)")
        for level, one in self.facts["memory"].items():
            yield (f"memory, {level}: {one['more_mib']:.1f} MiB more than bare decoding, of it "
                   f"{one['more_anonymous_mib']:.1f} MiB anonymous, of it {PICTURE_MIB:.1f} the picture that waits to be "
                   f"the snapshot; {one['peak_mib']:.1f} MiB in all")


def lines_of(name, fact):
    """What was measured on one stream, a line for each level."""
    for level, one in fact["levels"].items():
        latency = "-" if one["lat_median"] is None else f"{one['lat_median']:.2f}"
        yield (f"{name:14} {fact['seconds']:4} {fact['bytes'] * 8e-6 / fact['seconds']:6.2f} {level:9} "
               f"{one['decoded_share']:7.2f} {one['cpu_s']:7.2f} {one['ratio']:6.3f} "
               f"{one['detected']:3}/{one['intervals']:<2} {one['false_s_frac'] or 0:10.3f} {one['false_events']:5} "
               f"{latency:>7}")
