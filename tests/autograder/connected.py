"""A referee in this process and a submission in another, connected as the engine connects them."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from autograder.referee import Referee

CHILD = """
import sys
from autograder import bridge
namespace = {"__name__": "__main__"}
exec(sys.argv[2], namespace)
bridge.connect(sys.argv[1], namespace, int(sys.argv[3]))
print("ready", flush=True)
try:
    bridge.serve()
except ConnectionError:
    pass
"""


class Connected(Referee):
    """The referee's end, with the submission's names."""

    pid = 0

    def get(self, *names):
        """What the submission has under ``names``."""
        pairs = self.ask("names", list(names))
        values = [value for found, value in pairs if found]
        assert len(values) == len(names)
        return values[0] if len(names) == 1 else values

    def interrupt(self):
        """What the engine does when time is up."""
        os.kill(self.pid, signal.SIGINT)


@contextlib.contextmanager
def connected(source: str, limit: int = 64 << 20) -> Iterator[Connected]:
    """A submission that has run ``source``, served until the block ends."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = str(Path(folder) / "wire")
        listener.bind(path)
        listener.listen(1)
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, path, source, str(limit)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            listener.settimeout(60)
            sock, _ = listener.accept()
            assert child.stdout is not None and child.stdout.readline() == "ready\n"
            sock.settimeout(30)
            with sock:
                peer = Connected(sock, limit)
                peer.pid = child.pid
                yield peer
        finally:
            with contextlib.suppress(Exception):
                peer.finish()
            child.stdout.close()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
