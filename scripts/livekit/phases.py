"""What is done with each system, one step after the other; a step that fails does not keep the next from being done."""

import json
import signal

from . import aws

# What the estimate takes: hours that a system stands, and for each time leoctl is killed.
HOURS, HOURS_PER_POINT = 0.6, 0.01
HOURS_OF_A_MONTH = 730
# Requests, logs and images, which no list of resources shows.
SMALL_CHANGE = 0.10


def estimate(leoctl, systems, points):
    """Hours and dollars, by leoctl's own list prices. The systems stand one after the other."""
    hours = HOURS + HOURS_PER_POINT * points
    dollars = SMALL_CHANGE
    for system in systems:
        ran = leoctl.run("cost", "--json", *system.arguments())
        month = ran.json()["monthly"]["always"] if ran.code == 0 else system.dollars_a_month
        dollars += month / HOURS_OF_A_MONTH * hours
    return hours * len(systems), dollars


def run(leoctl, systems, points):
    """Everything with every system; how many steps were not as they should be."""
    failed = 0
    for system in systems:
        steps = Steps(leoctl, system)
        try:
            whole_life(steps, points)
        finally:
            failed += steps.failed
    return failed


def delete_all(leoctl, systems):
    """Deletes what is left; how many systems could not be deleted."""
    failed = 0
    for system in systems:
        steps = Steps(leoctl, system)
        steps.delete()
        failed += steps.failed
    return failed


def whole_life(steps, points):
    """From nothing to nothing."""
    if not steps.valid():
        return
    try:
        if not steps.untouched("nothing of this name is there before", waits=False):
            # Something of somebody else's, or left over: nothing is made beside it, and nothing deleted.
            steps.deletes = False
            return
        made = steps.apply("made from nothing")
        steps.unchanged("the plan after it is empty")
        for change in steps.system.changes:
            steps.change(change)
        if points:
            deleted = steps.delete("deleted before leoctl is killed")
            steps.killed("apply", (points + 1) // 2, made.changing)
            steps.unchanged("the plan after all that is empty")
            steps.killed("destroy", points // 2, deleted.changing)
    finally:
        if steps.deletes:
            steps.delete()
            steps.untouched("nothing of it is left")


def differing(changes):
    """A line for each attribute that is not as it should be; leoctl has taken secrets out of them."""
    for change in changes:
        # Of drift the list is called `changes`, and what is gone has none.
        if change.get("action") == "no_op":
            continue
        attributes = change.get("attributes") or change.get("changes") or [{"path": "all of it", "before": None, "after": None}]
        for attribute in attributes:
            before, after = (json.dumps(attribute[side], ensure_ascii=False) for side in ("before", "after"))
            yield f"{change['address']} {attribute['path']}: {before} in AWS, {after} wanted"


class Steps:
    """The steps of one system."""

    def __init__(self, leoctl, system):
        self.leoctl, self.system, self.failed, self.deletes = leoctl, system, 0, True

    def step(self, name, ran, good, said=None):
        """Writes down how a step ended."""
        self.failed += not good
        self.leoctl.transcript.write(
            system=self.system.name,
            step=name,
            ok=good,
            exit=ran.code,
            seconds=round(ran.seconds, 1),
            calls=dict(sorted(ran.calls.items())),
            refused=dict(sorted(ran.refused.items())),
            **({} if good else {"said": said or ran.errors + ran.output}),
        )
        return good

    def run(self, command, *options, **how):
        return self.leoctl.run(command, *options, *self.system.arguments(), **how)

    def apply(self, name):
        ran = self.run("apply", "-y")
        self.step(name, ran, ran.code == 0)
        return ran

    def unchanged(self, name):
        """A plan that must have nothing to do and no drift to show."""
        ran = self.run("plan", "--detailed-exitcode", "--json")
        if ran.code not in (0, 2):
            return self.step(name, ran, False)
        differences = [*differing(ran.json()["changes"]), *differing(ran.json()["drift"])]
        return self.step(name, ran, ran.code == 0 and not differences, "\n".join(differences))

    def valid(self):
        """Whether the stack is valid with each of its changes: asked before anything is made."""
        take_back, good = [], True
        for change in (None, *self.system.changes):
            if change:
                take_back.append(self.system.change(change, self.leoctl.folder))
            ran = self.run("validate")
            good = ran.code == 0 or self.step(f"valid: {change.name if change else 'the stack'}", ran, False)
            if not good:
                break
        for one in reversed(take_back):
            one()
        return good

    def change(self, change):
        """One change of the stack: applied, and then nothing is left to do. One that AWS refuses is taken back."""
        take_back = self.system.change(change, self.leoctl.folder)
        if self.apply(f"changed: {change.name}").code == 0:
            self.unchanged(f"the plan after it is empty: {change.name}")
        else:
            take_back()
            self.apply(f"taken back: {change.name}")

    def killed(self, command, times, calls):
        """A command of about so many changing calls that is killed so many times on its way, and runs to the end at last."""
        step, ended = max(1, calls // (times + 1)), False
        for number in range(1, times + 1):
            ran = self.run(command, "-y", kill_at=step)
            ended = ran.code != -signal.SIGKILL
            if ended:
                # Fewer calls than expected: this was the end already.
                self.step(f"{command}: ended before it was to be killed for the {number}. time", ran, ran.code == 0)
                break
            self.step(f"{command}: killed at its changing call {step}, time {number} of {times}", ran, True)
        if not ended:
            ran = self.run(command, "-y")
            self.step(f"{command}: run to the end after it was killed", ran, ran.code == 0)

    def delete(self, name="deleted"):
        ran = self.run("destroy", "-y")
        self.step(name, ran, ran.code == 0)
        return ran

    def untouched(self, name, waits=True):
        """Asked of leoctl without the state, and of AWS itself: of what the stack names or tags, nothing is there."""
        ran = self.leoctl.run("plan", "--json", *self.system.arguments(fresh=self.leoctl.folder))
        changes = ran.json()["changes"] if ran.code == 0 else []
        there = [change["address"] for change in changes if change["action"] not in ("create", "read")]
        good = ran.code == 0 and changes != [] and not there
        try:
            left = aws.settled(self.leoctl.aws(), self.system.prefix, f"{self.system.prefix}-{self.system.name}", waits)
        except aws.Unasked as error:
            left = [f"AWS itself could not be asked: {error}"]
        return self.step(name, ran, good and not left, said="\n".join([*there, *left]) or None)
