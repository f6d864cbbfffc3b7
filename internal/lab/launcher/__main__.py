"""Starts MiniStack with the parts of AWS that it lacks.

Each module beside this one adds to one service and names the AWS document
it follows. An addition whose target is gone stops the start: better no
emulator than one that silently forgets.

Environment: LAB_TOKEN is the secret of the lab's own endpoints (/_lab/...);
everything else is MiniStack's.
"""

import importlib
import os
import signal
import sys
import threading

PARTS = ("alarms", "authorization", "batches", "flowlogs", "forwarding", "logpolicies", "logs", "mutes",
         "policies", "regions", "schedules", "topics", "trails", "vpcs")


def die_with_parent():
    """Ends the whole process group, functions included, when the parent is gone."""
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


def main():
    try:
        import cbor2  # noqa: F401  MiniStack needs it for CloudWatch and does not declare it
        from ministack import app
    except ImportError as missing:
        sys.exit(f"lab: {missing}: install requirements.txt into this virtual environment")
    for part in PARTS:
        importlib.import_module(part).install()
    # Taken out of the environment, which functions inherit.
    importlib.import_module("endpoints").install(os.environ.pop("LAB_TOKEN"))
    threading.Thread(target=die_with_parent, daemon=True).start()
    app.main()


main()
