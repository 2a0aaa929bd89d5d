"""A child that a test tells what to do: `python fake_child.py MODE [ARGUMENT]`."""

import json
import os
import signal
import subprocess
import sys
import time


def serve(**said: object) -> None:
    print(json.dumps({"ready": True, "pid": os.getpid(), **said}), flush=True)
    time.sleep(600)


mode = sys.argv[1]
if mode == "serve":
    serve(cwd=os.getcwd(), word=os.environ.get("A_WORD"))
elif mode == "fail":
    print("no such thing as luck", file=sys.stderr)
    sys.exit(7)
elif mode == "silent":
    time.sleep(600)
elif mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    serve()
elif mode == "talkative":
    print("x" * 200_000)
    print(json.dumps({"level": 40, "msg": "careful +5511987654321", "session_id": "s-1", "extra": 1}))
    serve()
elif mode == "family":
    grandchild = subprocess.Popen([sys.executable, __file__, "stubborn"], stdout=subprocess.DEVNULL)
    serve(grandchild=grandchild.pid)
elif mode == "held":
    serve(open=os.fstat(int(sys.argv[2])).st_ino)
