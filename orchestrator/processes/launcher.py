"""Becomes another program that the kernel ends when its parent ends. Run as a script: SIGNAL PARENT_PID -- COMMAND...

PR_SET_PDEATHSIG is kept over exec, so the program itself needs to know nothing. Setting it here, in a fresh process,
spares the parent a `preexec_fn`, which may deadlock in a process with threads (gRPC's, the workers').
Linux sends the signal when the parent *thread* that forked ends: spawn from a thread that lives as long as the process.
Elsewhere than on Linux the program is only started.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """Replace this process with the command in `arguments`; ends with code 1 when the parent is gone already."""
    death_signal, parent, command = int(arguments[0]), int(arguments[1]), arguments[3:]
    if sys.platform == "linux":
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        # The parent may have ended before the call above; then no signal will ever come.
        if os.getppid() != parent:
            sys.exit(1)
    # Python ignores SIGPIPE, and what is ignored stays ignored over exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 - a list of arguments, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
