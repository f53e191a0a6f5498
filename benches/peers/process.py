"""A run of a tool with all its processes: how long it took, what CPU time and memory it used, and its end by force."""

import ctypes
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time
import typing
import uuid

MARK = "LEOCTL_PEERS_RUN"
# How often memory is looked at, in seconds; and how much longer than a look, since looking at much memory takes the CPU.
SAMPLE_EVERY, PAUSE = 0.02, 20
PR_SET_CHILD_SUBREAPER = 36


class Figures(typing.NamedTuple):
    """What a run took: seconds, seconds of CPU time of all processes, and the most memory they had at once in MB."""

    exit: int
    output: str
    wall: float
    cpu: float
    memory: float


def adopt_orphans():
    """Processes whose parents are gone become this one's, so that their CPU time is counted and none outlives a run."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Run:
    """A running tool. All its processes carry a mark in their environment, by which they are found."""

    def __init__(self, command, folder, environment):
        self.mark = f"{MARK}={uuid.uuid4().hex}"
        name, _, value = self.mark.partition("=")
        self.output, self.ended = tempfile.TemporaryFile(), set()
        self.began = time.perf_counter()
        quiet = {"stdin": subprocess.DEVNULL, "stdout": self.output, "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(command, cwd=folder, env={**environment, name: value}, start_new_session=True, **quiet)

    def kill(self):
        """Ends all processes of the run at once; those that begin meanwhile too."""
        # Those that are known at once, then those whose parents are gone.
        for pid in tree(self.process.pid) if self.process.returncode is None else []:
            end(pid)
            self.ended.add(pid)
        for _ in range(20):
            marked = self.marked()
            if not marked:
                return
            for pid in marked:
                end(pid)
            self.ended.update(marked)
            time.sleep(0.01)

    def marked(self):
        """The processes of this run that are alive."""
        return [pid for pid in processes() if self.mark.encode() in environment_of(pid)]

    def finish(self, watched=True, seconds=1800):
        """Waits for the end, and measures; memory only where it is watched."""
        watch = Watch(self.process.pid) if watched else None
        timer = threading.Timer(seconds, self.kill)
        timer.start()
        _, status, usage = os.wait4(self.process.pid, 0)
        wall = time.perf_counter() - self.began
        timer.cancel()
        self.process.returncode = os.waitstatus_to_exitcode(status)
        peak = max(watch.finish() if watch else 0, usage.ru_maxrss * 1024)
        cpu = usage.ru_utime + usage.ru_stime + self.reap()
        self.output.seek(0)
        output = self.output.read().decode(errors="replace")
        self.output.close()
        return Figures(self.process.returncode, output, wall, cpu, peak / 1e6)

    def reap(self):
        """Ends what the tool left running: the CPU time it took."""
        self.kill()
        spent = 0
        for pid in self.ended - {self.process.pid}:
            try:
                _, _, usage = os.wait4(pid, 0)
                spent += usage.ru_utime + usage.ru_stime
            except ChildProcessError:
                pass
        return spent


class Watch:
    """Looks every now and then how much memory a process and its descendants have, shared memory counted once."""

    def __init__(self, pid):
        self.pid, self.peak, self.over = pid, 0, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.over.is_set():
            began = time.perf_counter()
            self.peak = max(self.peak, sum(memory_of(pid) for pid in tree(self.pid)))
            self.over.wait(max(SAMPLE_EVERY, PAUSE * (time.perf_counter() - began)))

    def finish(self):
        self.over.set()
        self.thread.join()
        return self.peak


def end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def processes():
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def environment_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def tree(pid):
    """A process and its descendants."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                waiting += map(int, pathlib.Path(f"/proc/{one}/task/{task}/children").read_text().split())
        except OSError:
            pass
    return found


def memory_of(pid):
    """Bytes of a process in memory, of shared ones its share."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
