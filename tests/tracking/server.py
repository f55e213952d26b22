"""A real `mlflow server`, to be stopped and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen


class Server:
    def __init__(self, root: Path):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.root, self.address = root, f"http://127.0.0.1:{port}"
        self.command = [str(Path(sys.executable).with_name("mlflow")), "server", "--workers", "1"]
        self.command += ["--port", str(port), "--backend-store-uri", f"sqlite:///{root}/mlflow.db"]
        self.command += ["--artifacts-destination", str(root / "served")]

    def start(self) -> None:
        with (self.root / "server.log").open("a") as log:
            self.process = subprocess.Popen(
                self.command,
                env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self.answers, 120)

    def answers(self) -> bool:
        assert self.process.poll() is None, (self.root / "server.log").read_text()
        try:
            urlopen(f"{self.address}/health", timeout=5).close()
            return True
        except OSError:
            return False

    def signal(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait()


def until(condition: Callable, seconds: int = 60) -> None:
    """Waits for it."""
    for _ in range(seconds * 10):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it never came")
