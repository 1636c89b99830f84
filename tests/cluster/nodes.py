"""The machines of the trial: network namespaces where they may be made, else loopback addresses."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.processes import send, with_children

# What runs the trial in namespaces of its own: all that it made ends with it. The shell is their
# first process, which clears up after processes whose parent was killed.
_UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
_FIRST_PROCESS = ["bash", "-c", '"$@"; exit $?', "trial"]
_INSIDE = "DESK_TRIAL_NAMESPACES"


def enter_namespaces() -> None:
    """Run this program again in new namespaces, if that is permitted; return inside, or if not."""
    if _INSIDE in os.environ or subprocess.run([*_UNSHARE, "true"], check=False).returncode:
        return
    os.environ[_INSIDE] = "yes"
    program = [sys.executable, "-m", "tests.cluster", *sys.argv[1:]]
    os.execvp(_UNSHARE[0], [*_UNSHARE, *_FIRST_PROCESS, *program])


def ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True)


class Network:
    """The network that the nodes are in. The proxy, etcd and the clients are at `address`."""

    def __init__(self) -> None:
        self.is_real = _INSIDE in os.environ
        self.prefix = "10.77.0" if self.is_real else "127.77.0"
        self.address = f"{self.prefix}.1"
        self.range = f"{self.prefix}.0/24" if self.is_real else "127.0.0.0/8"
        if self.is_real:
            subprocess.run("mkdir -p /run/netns; mount -t tmpfs tmpfs /run/netns", shell=True)
            ip("link set lo up")
            ip("link add desk type bridge")
            ip(f"address add {self.address}/24 dev desk")
            ip("link set desk up")

    def node(self, name: str, number: int) -> "Node":
        return Node(self, name, f"{self.prefix}.{number}")


class Node:
    """A machine, with what runs on it."""

    def __init__(self, network: Network, name: str, address: str) -> None:
        self.network, self.name, self.address = network, name, address
        self.process: subprocess.Popen | None = None
        self.pid_files: list[Path] = []  # of programs that leave their parent
        if network.is_real:
            ip(f"netns add {name}")
            ip(f"link add {name} type veth peer name eth0 netns {name}")
            ip(f"link set {name} master desk")
            ip(f"link set {name} up")
            ip(f"-n {name} address add {address}/24 dev eth0")
            ip(f"-n {name} link set eth0 up")
            ip(f"-n {name} link set lo up")

    def start(self, command: list[str], log: Path, **options: object) -> None:
        if self.network.is_real:
            command = ["ip", "netns", "exec", self.name, *command]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, start_new_session=True, **options
            )

    def cut(self) -> None:
        """Cut the link: packets vanish, and no end learns of it."""
        ip(f"link set {self.name} down")

    def mend(self) -> None:
        ip(f"link set {self.name} up")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to each process of the node."""
        pids = [self.process.pid]
        for file in self.pid_files:
            with contextlib.suppress(OSError, ValueError):
                pids.append(int(file.read_text().split()[0]))
        send(number, with_children(pids))

    def kill(self) -> None:
        """End the node in the middle of whatever it does (SIGKILL)."""
        self.signal(signal.SIGSTOP)  # so that none starts another meanwhile
        self.signal(signal.SIGKILL)
        self.process.wait(30)
