"""Each tool is killed at its changing calls while it deploys; what comes of it when the command is run again, and when not.

Two roads lead from each blow. On the one the same command runs again, and the platform is destroyed after that: what is
there twice, what is missing, what is left behind? On the other the platform is destroyed at once: what is left behind is
what the tool no longer knows of.
"""

import collections
import concurrent.futures
import contextlib
import itertools
import queue
import shutil
import sys
import typing

import cycle
import emulator
import process
import proxy
import verdict

# How often the same command is run again before it counts as stuck.
RERUNS = 2


class Point(typing.NamedTuple):
    """One blow: at which changing call, before or after the emulator has it, and the road from there."""

    tool: typing.Any
    number: int
    after: bool
    road: str


class Scene:
    """A folder and an emulator in which one tool runs."""

    def __init__(self, tool, running, folder):
        self.tool, self.running, self.folder = tool, running, folder
        running.reset()

    def run(self, command, strike=None):
        self.running.proxy.restart(strike)
        begun = process.Run(command, self.folder, cycle.environment(self.tool, self.folder, self.running.proxy.endpoint))
        if strike:
            strike.victim.set_result(begun)
        return begun.finish(watched=False)

    def account(self):
        """How many there are of each kind."""
        return {kind: len(names) for kind, names in self.running.account().items()}


def difference(found, expected):
    """What is there too much, and what is missing, by kind."""
    found, expected = collections.Counter(found), collections.Counter(expected)
    return dict(found - expected), dict(expected - found)


def undisturbed(tool, running, prepared, folder):
    """What the platform is when nothing disturbs: number of changing calls, account when deployed, account when destroyed."""
    scene = Scene(tool, running, copied(prepared, folder))
    deployed = scene.run(tool.deploy())
    changing, account = running.proxy.changing, scene.account()
    destroyed = scene.run(tool.destroy())
    if deployed.exit or destroyed.exit:
        sys.exit(f"{tool.name} fails undisturbed:\n{(deployed.output + destroyed.output)[-6000:]}")
    return changing, account, scene.account()


def copied(prepared, folder):
    shutil.copytree(prepared, folder, symlinks=True)
    return folder


def at(point, running, prepared, folder, expected):
    """Strikes once, and goes the road: what was seen on it."""
    tool, scene = point.tool, Scene(point.tool, running, copied(prepared, folder))
    strike = proxy.Strike(point.number, point.after)
    scene.run(tool.deploy(), strike)
    seen = {"tool": tool.name, "call": None, "after": point.after, "road": point.road, "number": point.number}
    if strike.at:
        seen |= {"call": f"{strike.at.service} {strike.at.operation}", "left": scene.account()}
        seen |= again(scene, expected) if point.road == verdict.AGAIN else {}
        seen |= destroyed(scene, expected)
    shutil.rmtree(folder, ignore_errors=True)
    return seen


def again(scene, expected):
    """Runs the same command again."""
    for number in range(1, RERUNS + 1):
        figures = scene.run(scene.tool.deploy())
        if figures.exit == 0:
            break
    extra, missing = difference(scene.account(), expected["deployed"])
    planned = scene.run(scene.tool.plan())
    unchanged = planned.exit == 0 and scene.tool.says_unchanged(planned.output)
    return {"reruns": number, "rerun_exit": figures.exit, "unchanged": unchanged, "extra": extra, "missing": missing, "rerun_said": said(figures)}


def destroyed(scene, expected):
    figures = scene.run(scene.tool.destroy())
    remains, _ = difference(scene.account(), expected["destroyed"])
    return {"destroy_exit": figures.exit, "remains": remains, "destroy_said": said(figures)}


def said(figures):
    """The end of what a tool said, where it failed."""
    return figures.output[-1500:] if figures.exit else ""


def spread(total, points):
    """The numbers of the calls to strike at."""
    if not points or points >= total:
        return list(range(1, total + 1))
    return sorted({1 + round(index * (total - 1) / max(1, points - 1)) for index in range(points)})


@contextlib.contextmanager
def lent(idle):
    """An emulator for a while."""
    one = idle.get()
    try:
        yield one
    finally:
        idle.put(one)


def struck(given, competitors, python, work):
    """All points of all tools, some of them at once, each with an emulator of its own."""
    idle = queue.Queue()
    with contextlib.ExitStack() as emulators:
        for _ in range(given.jobs):
            idle.put(emulators.enter_context(emulator.Emulator(python, work)))
        return {tool.name: of_tool(tool, given, idle, work) for tool in competitors}


def of_tool(tool, given, idle, work):
    prepared = work / f"{tool.name}-prepared"
    tool.prepare(prepared)
    with lent(idle) as running:
        changing, deployed, left = undisturbed(tool, running, prepared, work / f"{tool.name}-undisturbed")
    expected = {"deployed": deployed, "destroyed": left}
    ways = itertools.product(spread(changing, given.points), (False, True), (verdict.AGAIN, verdict.DESTROYED))
    points = [Point(tool, *way) for way in ways]

    def one(index):
        with lent(idle) as running:
            seen = at(points[index], running, prepared, work / f"{tool.name}-{index}", expected)
        print(f"{tool.name}: point {index + 1} of {len(points)}, {verdict.line(seen)}", file=sys.stderr)
        return seen

    pool = concurrent.futures.ThreadPoolExecutor(given.jobs)
    try:
        seen = list(pool.map(one, range(len(points))))
    finally:
        # Stopped in the middle, it begins no further points.
        pool.shutdown(cancel_futures=True)
    return {"version": tool.version(), "changing_calls": changing, **expected, "points": [point for point in seen if point["call"]]}
