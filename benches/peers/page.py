"""Writes the comparison's tables into the documentation, between the marks that are there."""

import collections
import datetime
import os
import pathlib

import verdict

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
NAMES = {"leoctl": "leoctl", "terraform": "Terraform", "cdk": "AWS CDK", "ansible": "Ansible"}
END = "<!-- end of peers -->"


def write(page, mark, text):
    """Puts text between a mark and its end."""
    begin, place = f"<!-- peers: {mark}, written by benches/peers/run -->", DOCS / page
    before, rest = place.read_text().split(begin)
    _, after = rest.split(END, 1)
    place.write_text(f"{before}{begin}\n{text}\n{END}{after}")


def table(heads, rows):
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in [heads, ["---"] * len(heads), *rows])


def versions(results):
    return "; ".join(f"{NAMES[name]}: {result['version']}" for name, result in results.items())


def today():
    return f"{datetime.date.today()}, {os.cpu_count()} cores"


def said(note):
    return f" {note}" if note else ""


def write_figures(results, note):
    rows = [
        [stage, NAMES[name], f"{of['wall_s']:.1f} s", f"{of['cpu_s']:.1f} s", f"{of['memory_mb']:.0f} MB", f"{of['calls']:g}", f"{of['changing_calls']:g}"]
        for stage in next(iter(results.values()))["stages"]
        for name, of in ((name, result["stages"][stage]) for name, result in results.items())
    ]
    runs = " / ".join(sorted({str(result["runs"]) for result in results.values()}))
    heads = ["stage", "tool", "wall time", "CPU time", "most memory", "API calls", "of them changing"]
    write("performance.md", "figures", f"{versions(results)}. Medians of {runs} runs, {today()}.{said(note)}\n\n{table(heads, rows)}")


def write_orphans(results, note):
    heads = ["tool", "changing calls", "blows", "run again: the same as undisturbed", "fails or is stuck", "something twice", "left behind by destroy after that"]
    again = [[NAMES[name], result["changing_calls"], *roads_again(result["points"])] for name, result in results.items()]
    gone = [[NAMES[name], *roads_destroyed(result["points"])] for name, result in results.items()]
    text = [
        f"{versions(results)}. {today()}.{said(note)}",
        table(heads, again),
        "Destroyed at once, without another run:",
        table(["tool", "blows", "nothing left", "destroy fails", "something left behind", "resources left behind, in all"], gone),
        "Where it did not end well:",
        table(["tool", "call", "killed", "then", "points", "what is wrong"], wrong(results)),
    ]
    write("reliability.md", "orphans", "\n\n".join(text))


def of_road(points, road):
    return [point for point in points if point["road"] == road]


def roads_again(points):
    points = of_road(points, verdict.AGAIN)
    stuck = sum(point["rerun_exit"] != 0 or bool(point["missing"]) for point in points)
    well = sum(point["rerun_exit"] == 0 and not point["extra"] and not point["missing"] and point["unchanged"] for point in points)
    return [len(points), well, stuck, sum(bool(point["extra"]) for point in points), sum(bool(point["remains"]) for point in points)]


def roads_destroyed(points):
    points = of_road(points, verdict.DESTROYED)
    failed = sum(point["destroy_exit"] != 0 for point in points)
    well = sum(point["destroy_exit"] == 0 and not point["remains"] for point in points)
    return [len(points), well, failed, sum(bool(point["remains"]) for point in points), sum(sum(point["remains"].values()) for point in points)]


def wrong(results):
    """Rows of points that did not end well, those that are alike in one."""
    rows = collections.Counter()
    for name, result in results.items():
        for point in result["points"]:
            for what in verdict.complaints(point):
                rows[(NAMES[name], f"`{point['call']}`", "after" if point["after"] else "before", what[0], what[1])] += 1
    return [[tool, call, when, then, count, what] for (tool, call, when, then, what), count in rows.items()] or [["none", "", "", "", 0, ""]]
