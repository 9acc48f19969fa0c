"""examples/ansible played for real: a gateway is a network namespace, its files are a folder.

Ansible's `local` connection reaches a namespace through an interpreter that enters it first. The
namespaces belong to a user namespace, so no root is needed and nothing of the machine is touched.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "ansible"
SOURCES = [ROOT / name for name in ("compiler", "grammar", "targets")]
SYSTEM_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
SECONDS = 120

# Where one run prepares what several tests look at, one worker should do all of them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ansible")]

#: Takes a ruleset in a dry run, and refuses it in earnest while the file `refuse` is there.
NFT = """\
#!/bin/sh
case " $* " in
  *" -c "*) ;;
  *" -f "*) [ ! -e {folder}/refuse ] || {{ echo "Error: Device or resource busy" >&2; exit 1; }} ;;
esac
exec {nft} "$@"
"""

#: Inserts what is not in the file `modules`, and notes it there; fails while `monolithic` is there.
MODPROBE = """\
#!/bin/sh
cd {folder} || exit 1
[ ! -e monolithic ] || {{ echo "modprobe: FATAL: Module not found" >&2; exit 1; }}
for word; do
  case $word in --*) continue ;; esac
  grep -qsx "$word" modules && continue
  echo "insmod /lib/modules/$word.ko"
  case " $* " in *" --dry-run "*) ;; *) echo "$word" >> modules ;; esac
done
"""

#: The compiler; while the file `corrupt` is there, something else damages a ruleset after it.
TUNNELGATE = """\
#!/bin/sh
{python} -m tunnelgate "$@"
status=$?
[ ! -e {folder}/corrupt ] || echo "surely no rule" >> build/branch/nftables/ruleset.nft
exit $status
"""


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def _present(path: Path) -> Iterator[None]:
    path.touch()
    try:
        yield
    finally:
        path.unlink()


@dataclass(frozen=True)
class State:
    """All that the playbook could change on a gateway."""

    ruleset: str
    forwarding: str
    files: dict[str, str]


class Gateway:
    """A network namespace, kept by a process that ends with the tests, and a folder."""

    def __init__(self, name: str, folder: Path, nft: str) -> None:
        self.name = name
        self.etc = folder / "etc"
        self.etc.mkdir(parents=True)
        self.tools = folder / "bin"
        keeper = ["unshare", "--map-root-user", "--net", "sh", "-c", "echo; exec cat"]
        self._keeper = subprocess.Popen(keeper, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._keeper.stdout
        self._keeper.stdout.readline()
        self._enter = ["nsenter", "--user", "--preserve-credentials", "--net"]
        self._enter += [f"--target={self._keeper.pid}", "--"]
        _script(self.tools / "nft", NFT.format(folder=self.tools, nft=nft))
        _script(self.tools / "modprobe", MODPROBE.format(folder=self.tools))
        path, enter = shlex.quote(f"{self.tools}:{SYSTEM_PATH}"), shlex.join(self._enter)
        python = f'PATH={path} exec {enter} {shlex.quote(sys.executable)} "$@"'
        _script(folder / "python", f"#!/bin/sh\n{python}\n")
        self.variables = {
            "ansible_connection": "local",
            "ansible_become": False,
            "ansible_python_interpreter": str(folder / "python"),
            "tunnelgate_ruleset_file": str(self.etc / "tunnelgate.nft"),
            "tunnelgate_boot_file": str(self.etc / "nftables.conf"),
            "tunnelgate_boot_service": "",
            "tunnelgate_modules_file": str(self.etc / "modules.conf"),
            "tunnelgate_sysctl_file": str(self.etc / "sysctl.conf"),
        }

    def close(self) -> None:
        """Give the namespace back."""
        self._keeper.communicate(timeout=SECONDS)

    def run(self, *command: str) -> str:
        """The output of a command there."""
        return _run(*self._enter, *command)

    def state(self) -> State:
        """What is in force, and the files."""
        return State(
            self.run("nft", "--stateless", "list", "ruleset"),
            self.run("cat", "/proc/sys/net/ipv4/ip_forward").strip(),
            {path.name: path.read_text() for path in sorted(self.etc.iterdir())},
        )


@dataclass(frozen=True)
class Played:
    """How a run of the playbook ended."""

    status: int
    output: str

    def changed(self, gateway: str) -> int:
        """How many tasks changed something on a gateway."""
        found = re.search(rf"^{gateway} .* changed=(\d+)", self.output, re.MULTILINE)
        assert found, self.output
        return int(found[1])


class Site:
    """A copy of the example, the tools of a controller, and two gateways."""

    def __init__(self, folder: Path, playbook: str, nft: str) -> None:
        self.project = folder / "project"
        shutil.copytree(EXAMPLE, self.project, ignore=shutil.ignore_patterns("build", ".ansible"))
        self.tools = folder / "bin"
        python = shlex.quote(sys.executable)
        _script(self.tools / "tunnelgate", TUNNELGATE.format(python=python, folder=self.tools))
        self.gateways = [Gateway(name, folder / name, nft) for name in ("branch", "depot")]
        hosts = {one.name: one.variables for one in self.gateways}
        inventory = folder / "inventory.json"
        inventory.write_text(json.dumps({"gateways": {"hosts": hosts}}))
        self._command = [playbook, "--inventory", str(inventory), "site.yml"]
        settings = folder / "ansible.cfg"
        settings.touch()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
        self._environment = inherited | {
            "ANSIBLE_CONFIG": str(settings),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(folder / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{self.tools}:{SYSTEM_PATH}",
            "PYTHONPATH": os.pathsep.join(map(str, SOURCES)),
        }

    def play(self, *flags: str) -> Played:
        """Run the playbook."""
        done = subprocess.run(
            [*self._command, *flags],
            cwd=self.project,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Played(done.returncode, done.stdout)

    def states(self) -> list[State]:
        """The states of all gateways."""
        return [one.state() for one in self.gateways]

    def compiled(self, gateway: str, file: str = "ruleset.nft") -> Path:
        """A file that the last run compiled."""
        return self.project / "build" / gateway / "nftables" / file

    def wanted(self, gateway: str) -> str:
        """What a kernel lists that has loaded the compiled ruleset and nothing else."""
        load_and_list = 'nft -f "$1" && nft --stateless list ruleset'
        file = self.compiled(gateway)
        return _run("unshare", "--map-root-user", "--net", "sh", "-c", load_and_list, "sh", file)

    def edit(self, gateway: str, old: str, new: str) -> None:
        """Change a policy."""
        policy = self.project / "policies" / f"{gateway}.tg"
        text = policy.read_text()
        assert old in text
        policy.write_text(text.replace(old, new))

    @contextmanager
    def edited(self, gateway: str, old: str, new: str) -> Iterator[None]:
        """The same for a while."""
        self.edit(gateway, old, new)
        try:
            yield
        finally:
            self.edit(gateway, new, old)


@dataclass(frozen=True)
class Deployed:
    """A site on which the playbook ran, first in check mode, then in earnest.

    The other tests leave each gateway with what the policies say, in whatever order they run.
    """

    site: Site
    untouched: list[State]
    rehearsal: Played
    rehearsed: list[State]
    run: Played
    done: list[State]
    wanted: list[str]
    compiled: list[dict[str, str]]


@pytest.fixture(scope="module")
def deployed(
    tmp_path_factory: pytest.TempPathFactory,
    need: Callable[[str], str],
    absent: Callable[[str], None],
) -> Iterator[Deployed]:
    beside_python = Path(sys.executable).with_name("ansible-playbook")
    playbook = str(beside_python) if beside_python.exists() else need("ansible-playbook")
    nft = need("nft")
    for tool in ("unshare", "nsenter", "sysctl"):
        need(tool)
    _need_namespaces(nft, absent)
    site = Site(tmp_path_factory.mktemp("ansible"), playbook, nft)
    try:
        untouched = site.states()
        with _present(site.gateways[0].tools / "monolithic"):
            rehearsal = site.play("--check", "--diff", "--limit=branch")
        rehearsed, run = site.states(), site.play()
        assert run.status == 0, run.output
        names = [one.name for one in site.gateways]
        wanted = [site.wanted(name) for name in names]
        compiled = [
            {path.name: path.read_text() for path in site.compiled(name).parent.iterdir()}
            for name in names
        ]
        yield Deployed(site, untouched, rehearsal, rehearsed, run, site.states(), wanted, compiled)
    finally:
        for gateway in site.gateways:
            gateway.close()


def _need_namespaces(nft: str, absent: Callable[[str], None]) -> None:
    command = ["unshare", "--map-root-user", "--net", nft, "list", "ruleset"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        absent(f"no network namespace can be made: {done.stderr.strip()}")


@pytest.fixture
def site(deployed: Deployed) -> Site:
    return deployed.site


def test_check_mode_shows_the_diff_and_changes_nothing(deployed: Deployed) -> None:
    seen = deployed.rehearsal
    assert seen.status == 0, seen.output
    assert "+table inet tunnelgate {" in seen.output
    assert "+nf_nat_pptp" in seen.output
    assert "+net.ipv4.ip_forward = 1" in seen.output
    assert deployed.untouched == deployed.rehearsed
    assert deployed.untouched == [State("", "0", {})] * 2


def test_a_kernel_without_modules_is_said_and_no_failure(deployed: Deployed) -> None:
    assert deployed.rehearsal.status == 0
    assert "modprobe: FATAL: Module not found" in deployed.rehearsal.output


def test_gateways_run_what_was_compiled(deployed: Deployed) -> None:
    for state, wanted, compiled in zip(
        deployed.done, deployed.wanted, deployed.compiled, strict=True
    ):
        assert state.ruleset == wanted
        assert state.forwarding == "1"
        assert state.files["tunnelgate.nft"] == compiled["ruleset.nft"]
        assert state.files["nftables.conf"] == compiled["ruleset.nft"]
        assert state.files["sysctl.conf"] == compiled["sysctl.conf"]
        assert state.files.get("modules.conf") == compiled.get("modules.conf")
    branch, depot = deployed.done
    assert branch.ruleset != depot.ruleset
    assert "modules.conf" in branch.files
    assert "modules.conf" not in depot.files
    assert (deployed.site.gateways[0].tools / "modules").read_text() == "nf_nat_pptp\n"


def test_a_second_run_changes_nothing_but_a_table_that_is_gone(site: Site) -> None:
    before = site.states()
    site.gateways[1].run("nft", "flush", "ruleset")
    again = site.play()
    assert again.status == 0, again.output
    assert again.changed("branch") == 0
    assert again.changed("depot") == 2, "found missing and loaded"
    assert site.states() == before


def test_an_error_in_one_policy_stops_all_before_any_gateway(site: Site) -> None:
    before = site.states()
    with site.edited("branch", "allow ipsec-nat-t from", "allow ah, ipsec-nat-t from"):
        stopped = site.play()
    assert stopped.status != 0
    assert "error[TG101]" in stopped.output
    assert re.search(r"--> policies/branch\.tg:\d+:\d+", stopped.output)
    assert "No gateway was touched." in stopped.output
    assert "Copy the ruleset" not in stopped.output
    assert site.states() == before


@pytest.mark.parametrize("flags", [(), ("--check",)], ids=["in earnest", "check mode"])
def test_what_the_gateways_nft_refuses_is_not_installed(site: Site, flags: tuple[str, ...]) -> None:
    before = site.states()
    with _present(site.tools / "corrupt"):
        refused = site.play("--limit=branch", "--tags=ruleset", *flags)
    assert refused.status != 0
    assert "syntax error" in refused.output
    assert site.states() == before


def test_a_changed_policy_is_in_force_or_the_old_one_is(site: Site) -> None:
    gateway, limit = site.gateways[0], "--limit=branch"
    before = gateway.state()
    site.edit("branch", "allow pptp ", "# allow pptp ")

    rehearsal = site.play(limit, "--tags=ruleset", "--check", "--diff")
    assert rehearsal.status == 0, rehearsal.output
    assert re.search(r"^-.*ct state related ct helper", rehearsal.output, re.MULTILINE)
    assert gateway.state() == before

    with _present(gateway.tools / "refuse"):
        refused = site.play(limit, "--tags=ruleset")
    assert refused.status != 0
    assert "Device or resource busy" in refused.output
    after = gateway.state()
    assert after.ruleset == before.ruleset
    assert after.files["nftables.conf"] == before.files["nftables.conf"]

    run = site.play(limit, "--tags=ruleset,modules")
    assert run.status == 0, run.output
    now = gateway.state()
    assert now.ruleset == site.wanted("branch") != before.ruleset
    assert now.files["nftables.conf"] == site.compiled("branch").read_text()
    kept = [text for name, text in now.files.items() if name.startswith("nftables.conf.")]
    assert kept == [before.files["nftables.conf"]]
    assert "modules.conf" not in now.files


def test_a_gateway_whose_policy_is_gone_is_not_given_its_last_one(site: Site) -> None:
    before = site.states()
    with site.edited("depot", "gateway depot", "gateway warehouse"):
        stopped = site.play("--limit=depot")
    assert stopped.status != 0
    assert "says `gateway depot`" in stopped.output
    assert site.states() == before


def test_ansible_lint_finds_nothing(tmp_path: Path, need: Callable[[str], str]) -> None:
    lint = shutil.which("ansible-lint", path=f"{Path(sys.executable).parent}:{SYSTEM_PATH}")
    lint = lint or need("ansible-lint")
    project = tmp_path / "project"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("build", ".ansible"))
    done = subprocess.run(
        [lint, "--offline", "--profile=production", "--nocolor"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
