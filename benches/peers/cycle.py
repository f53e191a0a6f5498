"""The life of the platform with one tool: deployed, planned and applied unchanged, changed, destroyed; measured at each stage."""

import os
import statistics
import sys

import process

STAGES = ["deploy", "plan, unchanged", "apply, unchanged", "one change", "destroy"]


def environment(tool, home, endpoint):
    """What a tool is run with: nothing of the machine's but the path, and nothing that leads to AWS."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        **tool.environment(home),
    }


def commands(tool):
    """The stages' commands in order."""
    return dict(zip(STAGES, [tool.deploy(), tool.plan(), tool.deploy(), tool.deploy("2"), tool.destroy()]))


def once(tool, emulator, folder):
    """One life: figures by stage."""
    emulator.reset()
    tool.prepare(folder)
    found = {}
    for stage, command in commands(tool).items():
        emulator.proxy.restart()
        figures = process.Run(command, folder, environment(tool, folder, emulator.proxy.endpoint)).finish()
        if figures.exit != 0:
            sys.exit(f"{tool.name}, {stage}: exited with {figures.exit}\n{figures.output[-6000:]}")
        if stage == "plan, unchanged" and not tool.says_unchanged(figures.output):
            sys.exit(f"{tool.name} plans changes where nothing has changed:\n{figures.output[-6000:]}")
        seen = emulator.proxy.seen
        found[stage] = {
            "wall_s": figures.wall,
            "cpu_s": figures.cpu,
            "memory_mb": figures.memory,
            "calls": len(seen),
            "changing_calls": sum(call.changing for call in seen),
        }
    left = emulator.account()
    return found, left


def median(lives):
    """Of several lives the median of each figure, by stage."""
    return {stage: {name: statistics.median(life[stage][name] for life in lives) for name in lives[0][stage]} for stage in STAGES}
