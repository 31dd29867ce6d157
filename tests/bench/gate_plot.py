# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draws a trace of `gridwatch analyze --trace` as SVG: the gate's signal above the motion it stands for.

    trace lines, events, labels -> draw() -> SVG text

The upper panel has the signal of every packet and its limit; the lower one the area that the pixels
say is moving. Both stand on the labels as bands: active, quiet, and nothing where it is ambiguous.
Below them run strips: the events found, what was decoded, the level. Pure: no file is read or written.
"""
from xml.sax.saxutils import escape

LEFT, RIGHT, WIDTH = 72, 14, 1200
TOP, PANEL, GAP, STRIP = 46, 190, 22, 14
# Told apart also by people who do not see red or green (Okabe and Ito 2008).
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#777777"
BANDS = {"active": "#fbe3cf", "quiet": "#dcebf5"}
LEVELS = {"gate": GREEN, "keyframes": PURPLE, "full": GREY}
GAP_PACKETS = 4       # packets' time without a picture: a gap in the lower panel
TOO_MANY_POINTS = 4000  # a line of more points is drawn by its highest and lowest per pixel


def split(lines):
    """(packets, pictures) of a trace: a packet's line has "bytes", a picture's has "area"."""
    return [line for line in lines if "bytes" in line], [line for line in lines if "area" in line]


def window(lines, from_s, to_s):
    """The lines of that time, on a clock that begins with it."""
    return [{**line, "t": line["t"] - from_s} for line in lines if from_s <= line["t"] < to_s]


def separation(packets, pictures, tolerance_s=0.02):
    """How well the signal tells pictures with something in them from those without: the area under
    the ROC curve (1: always, 0.5: not at all). None when there are not both kinds."""
    found = {round(picture["t"] / tolerance_s): bool(picture.get("something")) for picture in pictures}
    ranked = sorted((packet["signal"], found[slot]) for packet in packets if packet.get("signal") is not None
                    for slot in [round(packet["t"] / tolerance_s)] if slot in found)
    positive = sum(something for _, something in ranked)
    negative = len(ranked) - positive
    if not positive or not negative:
        return None
    ranks, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        ranks += (at + 1 + end) / 2 * sum(something for _, something in ranked[at:end])
        at = end
    return (ranks - positive * (positive + 1) / 2) / (positive * negative)


def nice_step(span, steps):
    """A round distance between about that many lines."""
    raw = max(span, 1e-9) / steps
    size = 10.0
    while size > raw:
        size /= 10
    while size * 10 <= raw:
        size *= 10
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw)


def runs(items, gap_s):
    """Items in order of time, cut where more than gap_s lies between two: nothing was looked at there."""
    found = []
    for item in sorted(items, key=lambda item: item["t"]):
        if found and item["t"] - found[-1][-1]["t"] <= gap_s:
            found[-1].append(item)
        else:
            found.append([item])
    return found


def spans(items, is_in, end_s):
    """[(start_s, end_s)] of the unbroken runs of items for which is_in holds; an item lasts until the next."""
    found, start = [], None
    for item in items:
        if is_in(item) and start is None:
            start = item["t"]
        elif not is_in(item) and start is not None:
            found.append((start, item["t"]))
            start = None
    return found + ([(start, end_s)] if start is not None else [])


def thin(points):
    """Of points that fall on the same pixel only the lowest and the highest."""
    if len(points) <= TOO_MANY_POINTS:
        return points
    columns = {}
    for x, y in points:
        low, high = columns.get(int(x), ((x, y), (x, y)))
        columns[int(x)] = (min(low, (x, y), key=lambda point: point[1]), max(high, (x, y), key=lambda point: point[1]))
    return [point for column in sorted(columns) for point in sorted(set(columns[column]))]


class Panel:
    """A box with a scale of its own, y upwards."""

    def __init__(self, top, low, high, length_s):
        self.top, self.low, self.high, self.length_s = top, low, max(high, low + 1e-9), max(length_s, 1e-9)

    def x(self, t):
        return LEFT + min(max(t / self.length_s, 0), 1) * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return self.top + PANEL - (min(max(value, self.low), self.high) - self.low) / (self.high - self.low) * PANEL

    def box(self, start, end, color, top=None, height=PANEL, words=""):
        x = self.x(start)
        return (f'<rect x="{x:.1f}" y="{self.top if top is None else top:.1f}" width="{max(self.x(end) - x, 0.8):.1f}" '
                f'height="{height}" fill="{color}">{f"<title>{escape(words)}</title>" if words else ""}</rect>')

    def line(self, values, color, width=1.0, extra=""):
        points = thin([(self.x(t), self.y(value)) for t, value in values])
        if not points:
            return ""
        where = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        return f'<polyline points="{where}" fill="none" stroke="{color}" stroke-width="{width}" {extra}/>'

    def frame(self, title):
        yield (f'<rect x="{LEFT}" y="{self.top}" width="{WIDTH - LEFT - RIGHT}" height="{PANEL}" fill="none" '
               f'stroke="#444"/>')
        yield f'<text x="{LEFT + 4}" y="{self.top - 6}">{escape(title)}</text>'
        step = nice_step(self.high - self.low, 5)
        value = (-(-self.low // step) * step) or 0.0
        while value <= self.high + step * 1e-6:
            yield (f'<text x="{LEFT - 6}" y="{self.y(value) + 4:.1f}" text-anchor="end">{value:g}</text>'
                   f'<path d="M{LEFT - 4} {self.y(value):.1f}h4" stroke="#444"/>')
            value = round(value + step, 9)


def scale(values, least):
    """(low, high) that shows all but the wildest two in a hundred."""
    if not values:
        return 0.0, least
    ranked = sorted(values)
    high = max(ranked[min(int(len(ranked) * 0.99), len(ranked) - 1)] * 1.1, least)
    return min(0.0, ranked[int(len(ranked) * 0.01)]), high


def draw(title, packets, pictures, events, labels, length_s, truth=None):
    """SVG text of one clip. events: [(start_s, end_s)]; labels: {"active": [[start_s, end_s]], "quiet": …}.

    truth: the pictures of a run in which all were decoded; drawn in grey, and what the signal is judged by.
    """
    signals = [(packet["t"], packet["signal"]) for packet in packets if packet.get("signal") is not None]
    limits = [(packet["t"], packet["limit"]) for packet in packets if packet.get("limit") is not None]
    in_order = sorted(packets, key=lambda packet: packet["t"])
    gap_s = GAP_PACKETS * length_s / max(len(packets), 1)
    seen = runs(pictures, gap_s)
    areas = [picture["area"] for picture in truth or pictures]
    highest_limit = max([value for _, value in limits], default=0.0)
    signal = Panel(TOP, *scale([value for _, value in signals], highest_limit * 1.3 or 1.0), length_s)
    area = Panel(TOP + PANEL + GAP, 0.0, scale(areas, 0.001)[1], length_s)
    strips = area.top + PANEL + 8
    height = strips + 4 * (STRIP + 4) + 30
    decoded = sum(bool(packet.get("decoded")) for packet in packets)
    told = separation(packets, truth or pictures)
    words = f"{title}: {decoded} of {len(packets)} packets decoded"
    if told is not None:
        words += f"; the signal tells something from nothing with an area under the ROC curve of {told:.2f}"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
           f'font-size="11">', f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
           f'<text x="{LEFT}" y="16" font-size="14">{escape(words)}</text>']
    for panel in (signal, area):
        for kind, color in BANDS.items():
            out += [panel.box(start, end, color, words=f"{kind} {start:g}-{end:g} s")
                    for start, end in labels.get(kind, [])]
    # Packets come in order of decoding; a line wants order of time.
    out += [signal.line(sorted(signals), BLUE, 0.8), signal.line(sorted(limits), ORANGE, 1.4, 'stroke-dasharray="5 3"'),
            area.line(sorted((picture["t"], picture["area"]) for picture in truth or []), "#999", 0.8),
            *(area.line([(picture["t"], picture["area"]) for picture in run], GREEN, 1.0) for run in seen)]
    out += signal.frame("gate signal, by packet (blue); its limit (orange)")
    out += area.frame("area that moves, by decoded picture (green) and of all (grey); bands: active is orange, "
                      "quiet is blue, ambiguous is white")
    rows = [("events", [(start, end, ORANGE, f"event {start:.2f}-{end:.2f} s") for start, end in events]),
            ("something", [(start, end, GREEN, "") for run in seen
                           for start, end in spans(run, lambda picture: picture.get("something"), run[-1]["t"])]),
            ("decoded", [(start, end, GREY, "")
                         for start, end in spans(in_order, lambda packet: packet.get("decoded"), length_s)]),
            ("level", [(start, end, color, level) for level, color in LEVELS.items()
                       for start, end in spans(in_order, lambda packet, level=level: packet.get("level") == level,
                                               length_s)])]
    for number, (name, bars) in enumerate(rows):
        top = strips + number * (STRIP + 4)
        out.append(f'<text x="{LEFT - 6}" y="{top + 11}" text-anchor="end">{name}</text>')
        out += [area.box(start, end, color, top, STRIP, said) for start, end, color, said in bars]
    step, t, base = nice_step(length_s, 15), 0.0, strips + 4 * (STRIP + 4)
    while t <= length_s:
        out.append(f'<path d="M{area.x(t):.1f} {base}v4" stroke="#444"/>'
                   f'<text x="{area.x(t):.1f}" y="{base + 16}" text-anchor="middle">{t:g}</text>')
        t = round(t + step, 6)
    out.append(f'<text x="{WIDTH - RIGHT}" y="{base + 28}" text-anchor="end">seconds; level: gate green, keyframes '
               f'purple, full grey</text></svg>')
    return "\n".join(filter(None, out)) + "\n"
