"""What was wrong at a point at which a tool was killed, if anything."""

# The roads from a blow: the same command runs again, or the platform is destroyed at once.
AGAIN, DESTROYED = "again", "destroyed"


def complaints(point):
    """What is wrong at a point: on which step, and what."""
    if point["road"] == AGAIN:
        if point["rerun_exit"] != 0:
            yield "run again", f"fails {point['reruns']} times"
        elif point["missing"]:
            yield "run again", f"missing: {kinds(point['missing'])}"
        elif not point["extra"] and not point["unchanged"]:
            yield "run again", "the plan after that has changes"
        if point["extra"]:
            yield "run again", f"too much: {kinds(point['extra'])}"
    step = "destroyed after that" if point["road"] == AGAIN else "destroyed at once"
    if point["remains"]:
        yield step, f"left: {kinds(point['remains'])}"
    elif point["destroy_exit"] != 0:
        yield step, "fails"


def kinds(counts):
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def line(point):
    """A point and what came of it, for who watches."""
    if not point["call"]:
        return f"the tool made fewer than {point['number']} changing calls"
    wrong = "; ".join(f"{step}: {what}" for step, what in complaints(point))
    return f"killed {'after' if point['after'] else 'before'} {point['call']}, {point['road']}: {wrong or 'well'}"
