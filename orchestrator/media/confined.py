"""Becomes another program with bounds. Run as a script: PARENT_PID MEMORY_BYTES CPU_SECONDS FILE_BYTES -- COMMAND...

The bounds are set in a fresh process, which spares the parent a `preexec_fn` (see orchestrator/processes/launcher.py).
On Linux the kernel also ends the program when the parent ends.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
MOST_OPEN_FILES = 32


def main(arguments: list[str]) -> None:
    """Replace this process with the command in `arguments`."""
    parent, memory, cpu_s, file_bytes = map(int, arguments[:4])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)
    for bound, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, MOST_OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(bound, (most, most))
    os.nice(5)
    os.execv(arguments[5], arguments[5:])  # noqa: S606 - a list of arguments, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
