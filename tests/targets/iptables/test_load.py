"""Both flavours of iptables load every sample for real, once and again, and say what is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from machine import absent

from tunnelgate.plan import Plan
from tunnelgate.target import Layout, Setup, Validation
from tunnelgate_targets.iptables import TARGET
from tunnelgate_targets.iptables.load import Flavour, validate

FLAVOURS: tuple[Flavour, ...] = ("nft", "legacy")
ZONES = """gateway test
zone wan {
  interface eth0
  address   203.0.113.1
  host hq = 192.0.2.10, 2001:db8:51::10
}
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  host box = 192.168.1.10, fd00:1::10
}
"""
EVERYTHING = """gateway everything
zone wan {
  interface eth0, wwan*
  host hq = 192.0.2.10, 2001:db8:51::10
  group partners = 198.51.100.0/24, 198.51.101.7-198.51.101.9
  mss clamp
}
zone lan {
  interface eth1
  network 192.168.1.0/24, fd00:1::/64
  host a = 192.168.1.10, fd00:1::10
  mss 1360
}
zone a-zone-with-a-long-name-indeed {
  interface "6in4", ppp*, ppp0, "-j", "@x"
  network 10.9.0.0/16
  host srv = 10.9.0.1
  address 10.9.0.254
}
zone site {
  ipsec over wan
  network 10.20.0.0/16, 10.30.0.0/16, fd20::/48
}
nat from lan to wan
nat from a to wan
nat from a-zone-with-a-long-name-indeed to wan
nat ipv6 from lan to wan
nat from lan to site as 10.99.0.1
allow any except ssh, ip/132 from lan to wan except partners with single
allow ssh from lan to wan with limit 1000000/second per source, log "ssh out"
allow esp, gre, ping from lan to hq with single, counter
allow l2tp-ipsec from wan to gateway
allow pptp, ftp, tftp, sip, irc, h323 from lan to wan with helper
allow ftp from gateway to wan with helper
allow dns from any to gateway with limit 1/minute, log
allow ip/0, ip/60-200, icmp/255, icmp/9-250 from lan to site
allow sctp/99 from lan to site
forward https from wan to srv with hairpin
forward tcp/8080 from wan to srv port 80 with hairpin, log "x"
forward ike, nat-t from partners to srv
forward any except ssh from hq to a
forward ipv6 udp/53 from wan to a
deny tcp/25, icmp/redirect from lan, a-zone-with-a-long-name-indeed to any with log, counter
deny any from gateway to partners
set log-denied 7/minute
set reject on
set gateway-output deny
set icmp none
"""
MANY = ZONES + "".join(
    f"allow ike, esp, tcp/80-90 from 192.168.1.{number} to {peer}\n"
    for number in range(1, 20)
    for peer in (f"192.0.2.{number}", f"198.51.{number}.0/24", "203.0.113.64/26")
)
MANY_OF_A_ZONE = ZONES + "".join(f"allow tcp/{port} from lan to wan\n" for port in range(100, 160))
WITHOUT_NETWORK = """zone wan {
  interface eth0
}
"""
SAMPLES = {
    "everything": EVERYTHING,
    "everything-open": EVERYTHING.split("set log-denied")[0] + "set antispoof on\n",
    "many": MANY,
    "many-of-a-zone": MANY_OF_A_ZONE,
    "one-zone": WITHOUT_NETWORK,
}


@pytest.fixture
def tools(need: Callable[[str], str]) -> None:
    """The programs that these tests run."""
    for tool in ("unshare", "ipset", "iptables-nft-restore", "iptables-legacy-restore"):
        need(tool)


@pytest.fixture
def root() -> None:
    """What iptables-legacy-save reads, /proc/net/ip_tables_names, is root's in a namespace, too."""
    if os.geteuid():
        absent("only root may list what is loaded")


@pytest.fixture(autouse=True)
def small_enough(request: pytest.FixtureRequest) -> None:
    """An ordinary user may not send iptables-nft as much at once (socket(7), SO_SNDBUFFORCE)."""
    asked = getattr(request.node, "callspec", None)
    values = set(asked.params.values()) if asked else set()
    if os.geteuid() and "nft" in values and "everything" in " ".join(map(str, values)):
        absent("only root may load a ruleset of this size")


def in_namespace(folder: Path, script: str) -> str:
    """What a script prints in a network namespace of its own."""
    done = subprocess.run(
        ["unshare", *(["-n"] if os.geteuid() == 0 else ["-rn"]), "sh", "-ec", script],
        cwd=folder,
        env={
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
            "XTABLES_LOCKFILE": str(folder / "lock"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # counters and the time are no part of a ruleset
    return re.sub(r"^#.*\n", "", re.sub(r"\[\d+:\d+\]", "", done.stdout), flags=re.MULTILINE)


def loading(flavour: str, files: Mapping[str, str], folder: str = ".") -> str:
    """The commands that load files of a folder."""
    commands = [f"cd {folder}"]
    if "ipset.conf" in files:
        commands.append("ipset restore -exist < ipset.conf")
    commands.append(f"iptables-{flavour}-restore < rules.v4")
    commands.append(f"ip6tables-{flavour}-restore < rules.v6")
    return "\n".join(commands)


def listing(flavour: str) -> str:
    return f"iptables-{flavour}-save; ip6tables-{flavour}-save"


def write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("flavour", FLAVOURS)
class TestLoading:
    @pytest.mark.parametrize("layout", ["whole", "shared"])
    @pytest.mark.parametrize("name", SAMPLES)
    def test_samples_load(
        self, planned: Callable[[str], Plan], flavour: Flavour, name: str, layout: Layout
    ) -> None:
        plan, setup = planned(SAMPLES[name]), Setup(layout)
        assert not TARGET.refuse(plan, setup)
        through = validate(TARGET.emit(plan, setup).files, flavour)
        assert {"nft": "nf_tables", "legacy": "legacy"}[flavour] in through

    @pytest.mark.usefixtures("root")
    @pytest.mark.parametrize("name", ["everything", "many"])
    def test_twice_is_once(
        self,
        tmp_path: Path,
        emitted: Callable[[str], Mapping[str, str]],
        flavour: Flavour,
        name: str,
    ) -> None:
        files = emitted(SAMPLES[name])
        write(tmp_path, files)
        load, show = (
            loading(flavour, files),
            f"{listing(flavour)}; ipset list -sorted | grep -v References",
        )
        once = in_namespace(tmp_path, f"{load}\n{show}")
        twice = in_namespace(tmp_path, f"{load}\n{load}\n{show}")
        # an element with a digest of its own bucket takes what memory it finds
        without_size = re.compile(r"^(Size in memory|Header):.*\n", re.MULTILINE)
        assert without_size.sub("", twice) == without_size.sub("", once)

    @pytest.mark.usefixtures("root")
    def test_a_ruleset_replaces_another_wholly(
        self, tmp_path: Path, emitted: Callable[[str], Mapping[str, str]], flavour: Flavour
    ) -> None:
        old, new = emitted(EVERYTHING), emitted(ZONES + "allow ssh from lan to gateway\n")
        write(tmp_path / "old", old)
        write(tmp_path / "new", new)
        fresh = in_namespace(tmp_path, f"{loading(flavour, new, 'new')}\n{listing(flavour)}")
        load_both = f"{loading(flavour, old, 'old')}\n{loading(flavour, new, '../new')}"
        assert in_namespace(tmp_path, f"{load_both}\n{listing(flavour)}") == fresh

    def test_rules_in_force_keep_their_sets(
        self, tmp_path: Path, emitted: Callable[[str], Mapping[str, str]], flavour: Flavour
    ) -> None:
        old, new = emitted(MANY), emitted(MANY.replace("192.168.1.7 ", "192.168.1.77 "))
        write(tmp_path / "old", old)
        write(tmp_path / "new", new)
        before = in_namespace(tmp_path, f"{loading(flavour, old, 'old')}\nipset save | grep ^add")
        script = f"{loading(flavour, old, 'old')}\nipset restore -exist < ../new/ipset.conf"
        after = in_namespace(tmp_path, f"{script}\nipset save | grep ^add")
        assert set(before.splitlines()) < set(after.splitlines())

    def test_what_is_wrong_is_said(
        self, emitted: Callable[[str], Mapping[str, str]], flavour: Flavour
    ) -> None:
        files = dict(emitted(ZONES))
        files["rules.v6"] = files["rules.v6"].replace("COMMIT", "-A INPUT -j NOWHERE\nCOMMIT")
        with pytest.raises(Validation, match="ip6tables"):
            validate(files, flavour)


@pytest.mark.usefixtures("tools")
def test_the_kernel_itself_is_asked(emitted: Callable[[str], Mapping[str, str]]) -> None:
    """The programs take a helper that no kernel has; `--test` would not notice."""
    files = dict(emitted(ZONES + "allow ftp from lan to wan with helper\n"))
    files["rules.v4"] = files["rules.v4"].replace("--helper ftp", "--helper no-such-helper")
    with pytest.raises(Validation):
        TARGET.validate(files)


@pytest.mark.usefixtures("root")
@pytest.mark.usefixtures("tools")
def test_nothing_outside_is_changed(
    tmp_path: Path, emitted: Callable[[str], Mapping[str, str]]
) -> None:
    write(tmp_path, emitted(MANY))
    script = (
        "from pathlib import Path\n"
        "from tunnelgate_targets.iptables import TARGET\n"
        "TARGET.validate({one.name: one.read_text() for one in Path('.').glob('*.[cv]*')})\n"
    )
    (tmp_path / "ask.py").write_text(script)
    ask = f"PYTHONPATH={os.pathsep.join(filter(None, sys.path))} {sys.executable} ask.py"
    assert in_namespace(tmp_path, f"{ask}\nipset list -name; iptables-legacy-save") == ""


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_pairs_of_networks_load_where_the_kernel_has_such_sets(
    tmp_path: Path, emitted: Callable[[str], Mapping[str, str]], flavour: Flavour
) -> None:
    if "no" in in_namespace(tmp_path, "ipset create x hash:net,net 2>/dev/null || echo no"):
        pytest.skip("this kernel has no hash:net,net")
    statement = "allow ike, tcp/1000-2000, ping from 192.168.1.{0} to 198.51.{0}.0/24\n"
    validate(emitted(ZONES + "".join(map(statement.format, range(1, 30)))), flavour)


def test_without_a_namespace_there_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, emitted: Callable[[str], Mapping[str, str]]
) -> None:
    monkeypatch.setattr("tunnelgate_targets.iptables.load._NAMESPACES", (("false",),))
    with pytest.raises(OSError, match="no network namespace"):
        TARGET.validate(emitted(ZONES))


#: An iptables-restore that says of itself what it is, and of a ruleset why it is not taken.
REFUSES = """#!/bin/sh
[ "$1" != -V ] || exec echo "iptables-restore v1.8.7 ({flavour})"
printf "{said}\\n" >&2
exit 1
"""
NO_REASON = "iptables-restore: line 9 failed"


def refusing(folder: Path, patch: pytest.MonkeyPatch, flavour: str, said: str) -> None:
    """The system's own iptables-restore is one that takes nothing."""
    program = folder / "iptables-restore"
    program.write_text(REFUSES.format(flavour=flavour, said=said))
    program.chmod(0o755)
    patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("said", [NO_REASON, f"{NO_REASON}: Message too long."])
def test_what_is_too_much_at_once_is_read_by_the_legacy_flavour(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    emitted: Callable[[str], Mapping[str, str]],
    said: str,
) -> None:
    refusing(tmp_path, monkeypatch, "nf_tables", said)
    assert "legacy" in validate(emitted(ZONES))


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    ("flavour", "said"),
    [
        ("legacy", NO_REASON),
        ("nf_tables", "line 4: RULE_APPEND failed (Invalid argument): rule in chain FORWARD"),
    ],
)
def test_a_refusal_is_no_matter_of_size(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    emitted: Callable[[str], Mapping[str, str]],
    flavour: str,
    said: str,
) -> None:
    refusing(tmp_path, monkeypatch, flavour, said)
    with pytest.raises(Validation, match=re.escape(said)):
        validate(emitted(ZONES))
