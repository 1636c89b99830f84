"""Runs the trial: what a failure of each part costs callers.

python -m tests.cluster [--keep] [FAULT ...]

README.md beside this file says what it needs and what it found.
"""

import argparse
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.cluster.deployment import Deployment
from tests.cluster.load import Load, codes, longest_gap
from tests.cluster.nodes import Network, enter_namespaces


class Trial:
    """The faults, each of which ends with everything well again."""

    def __init__(self, deployment: Deployment, load: Load) -> None:
        self.deployment, self.load = deployment, load
        self.down = deployment.databases[0]  # the database server that failed last

    def wait_for_success(self, seconds: float) -> None:
        """Wait until a hundred calls in a row have succeeded, all of which begin from now on."""
        now, load = time.monotonic(), self.load

        def succeed() -> bool:
            last = load.calls[-100:]
            return {call.code for call in last} == {4309} and min(c.began for c in last) > now

        self.deployment.wait_until(succeed, seconds)

    def wait_for_failover(self) -> None:
        """Wait until the other server is the primary, and all workers update again."""
        [other] = [node for node in self.deployment.databases if node is not self.down]
        self.deployment.wait_until(lambda: self.deployment.role(other) == "master", 90)
        self.wait_for_success(60)

    def wait_for_standby(self) -> None:
        self.deployment.wait_until(self.deployment.has_standby, 120)
        self.wait_for_success(60)

    def kill_primary(self) -> None:
        """kill -9 of the primary"""
        self.down = self.deployment.primary()
        self.down.kill()
        self.wait_for_failover()

    def old_primary_returns(self) -> None:
        """the killed primary comes back"""
        self.deployment.start_database(self.down)
        self.wait_for_standby()

    def cut_link(self) -> None:
        """the primary's link is cut"""
        self.down = self.deployment.primary()
        self.down.cut()
        self.wait_for_failover()

    def mend_link(self) -> None:
        """the cut-off primary comes back"""
        self.down.mend()
        self.wait_for_standby()

    def freeze_primary(self) -> None:
        """the primary is frozen (SIGSTOP)"""
        self.down = self.deployment.primary()
        self.down.signal(signal.SIGSTOP)
        self.wait_for_failover()

    def thaw_primary(self) -> None:
        """the frozen primary comes back"""
        self.down.signal(signal.SIGCONT)
        self.wait_for_standby()

    def kill_standby(self) -> None:
        """kill -9 of the standby"""
        primary = self.deployment.primary()
        [self.down] = [node for node in self.deployment.databases if node is not primary]
        self.down.kill()
        time.sleep(5)
        self.wait_for_success(60)

    def standby_returns(self) -> None:
        """the standby comes back"""
        self.old_primary_returns()

    def kill_app(self) -> None:
        """kill -9 of an app host"""
        app = self.deployment.apps[0]
        app.kill()
        time.sleep(5)
        self.wait_for_success(60)
        self.deployment.start_app(app)
        self.deployment.wait_until(lambda: self.deployment.is_ready(app), 60)

    def migrate(self) -> None:
        """a rolling migration"""
        for table in ("users_user", "users_change", "users_accesstoken"):
            self.deployment.execute(
                f"ALTER TABLE {table} ADD added varchar(20) NOT NULL DEFAULT ''",
                f"ALTER TABLE {table} ADD empty integer NULL",
            )
        self.deployment.execute(
            "ALTER TABLE users_user ALTER job_description TYPE varchar(300)",
            "ALTER TABLE users_accesstoken ALTER name TYPE varchar(200)",
        )
        time.sleep(3)  # the old workers serve on
        for app in self.deployment.apps:  # then the new ones, host by host
            app.process.send_signal(signal.SIGTERM)
            app.process.wait(60)
            self.deployment.start_app(app)
            self.deployment.wait_until(lambda app=app: self.deployment.is_ready(app), 60)
            time.sleep(2)
        self.wait_for_success(60)


FAULTS: dict[str, list[Callable[[Trial], None]]] = {
    "kill-app": [Trial.kill_app],
    "kill-primary": [Trial.kill_primary, Trial.old_primary_returns],
    "cut-link": [Trial.cut_link, Trial.mend_link],
    "freeze-primary": [Trial.freeze_primary, Trial.thaw_primary],
    "kill-standby": [Trial.kill_standby, Trial.standby_returns],
    "migration": [Trial.migrate],
}


HEADING = """\
| fault | updates | longest time without success, s | slowest call, s | other answers |
|---|---|---|---|---|"""


def row(load: Load, name: str, start: float) -> str:
    """Return what became of the calls since `start`, as a row of the table."""
    calls, end = load.since(start), time.monotonic()
    gap, slowest = longest_gap(calls, start, end), max(call.ended - call.began for call in calls)
    seen = codes(calls)
    failed = ", ".join(f"{code}: {n}" for code, n in sorted(seen.items(), key=str) if code != 4309)
    return f"| {name} | {seen[4309]} | {gap:.1f} | {slowest:.1f} | {failed or 'none'} |"


def stored(deployment: Deployment) -> Counter:
    """Return how many times each update stands in the history, by its number."""
    rows = deployment.execute("SELECT after->>'job_description' FROM users_change")
    return Counter(int(number) for (number,) in rows if number)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=", ".join(FAULTS))
    parser.add_argument("--keep", action="store_true", help="keep the logs and the data")
    options = parser.parse_args()
    if missing := [
        program for program in ("etcd", "haproxy", "patroni") if not shutil.which(program)
    ]:
        parser.exit(1, f"Not installed: {', '.join(missing)}. README.md has the command.\n")
    enter_namespaces()
    network = Network()
    faults = options.faults or list(FAULTS)
    if not network.is_real and "cut-link" in faults:
        print("No namespaces may be made here: all is on loopback, where no link can be cut.")
        faults.remove("cut-link")
    folder = Path(tempfile.mkdtemp(prefix="desk-users-trial-"))
    folder.chmod(0o755)
    print(f"Logs: {folder}", flush=True)
    with Deployment(network, folder) as deployment:
        users = deployment.users
        with Load(network.address, deployment.team, deployment.secret, users) as load:
            trial = Trial(deployment, load)
            time.sleep(10)
            calls = load.since(load.calls[0].began)
            print(f"Before: {len(calls) / 10:.0f} calls/s, {dict(codes(calls))}\n", flush=True)
            print(HEADING, flush=True)
            for fault in faults:
                for step in FAULTS[fault]:
                    start = time.monotonic()
                    step(trial)
                    print(row(load, step.__doc__, start), flush=True)
        found = stored(deployment)
    acknowledged = [call.number for call in load.calls if call.code == 4309]
    lost = sum(not found[number] for number in acknowledged)
    twice = sum(count > 1 for count in found.values())
    print(f"\n{len(acknowledged)} acknowledged updates: {lost} lost, {twice} stored twice")
    if not options.keep:
        shutil.rmtree(folder)
    raise SystemExit(bool(lost or twice))


if __name__ == "__main__":
    main()
