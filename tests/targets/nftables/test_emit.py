"""The text of `ruleset.nft`: deterministic, loadable, and short whatever the number of hosts."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tunnelgate
from tunnelgate.plan import Plan, build
from tunnelgate.policy import resolve
from tunnelgate.proof import prove
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse
from tunnelgate.target import WHOLE, Validation
from tunnelgate_targets.nftables import TARGET, load, verdicts

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1
  host hq = 192.0.2.10, 2001:db8:51::10
}
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  host box = 192.168.1.10
}
"""
EVERYTHING = """gateway all
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
zone dmz {
  interface "6in4", ppp*, ppp0
  network 10.9.0.0/16
  host srv = 10.9.0.1
  address 10.9.0.254
}
zone site {
  ipsec over wan
  network 10.20.0.0/16, fd20::/48
}
nat from lan to wan
nat from a to wan
nat from dmz to wan
nat ipv6 from lan to wan
nat from lan to site as 10.99.0.1
nat from site to wan
allow any except ssh from lan to wan except partners with single
allow ssh from lan to wan with limit 10/second per source, log "ssh out"
allow esp, gre, ping from lan to hq with single, counter
allow l2tp-ipsec from wan to gateway
allow pptp, ftp, sip, h323 from lan to wan with helper
allow dns from any to gateway with limit 5/minute, log
allow ftp from gateway to wan with helper
forward https from wan to srv with hairpin
forward tcp/8080 from wan to srv port 80 with hairpin, log "x"
forward ipv6 udp/53 from wan to a
deny tcp/25, icmp/redirect, icmpv6/echo-request from lan, dmz to any with log, counter
deny any from gateway to partners
allow any from lan to site
allow icmp/3-5, sctp/99 from lan to site
set log-denied on
set reject on
"""


def plan(text: str) -> Plan:
    parsed = parse(SourceFile(text, "test.tg"))
    policy, findings = resolve(parsed.policy)
    assert not parsed.diagnostics and not findings, (*parsed.diagnostics, *findings)
    return build(policy)


def ruleset(text: str) -> str:
    return TARGET.emit(plan(text)).files["ruleset.nft"]


@pytest.mark.parametrize("text", [ZONES, EVERYTHING, "zone wan {\n interface eth0\n}\n"])
def test_the_kernel_takes_it_through_the_module_and_through_the_program(text: str) -> None:
    made = ruleset(text)
    assert load.validate(made) == "python-nftables (libnftables)"
    assert load.validate_with_program(made).startswith("nft (")


def test_a_refusal_of_the_kernel_is_told() -> None:
    for ask in (load.validate, load.validate_with_program):
        with pytest.raises(Validation, match="syntax error"):
            ask("table inet x { chain { } }")


def test_loading_twice_is_loading_once() -> None:
    made = ruleset(EVERYTHING)
    script = (
        'printf %s "$R" > "$T"; nft -f "$T" && nft -s list ruleset > "$T.1" && '
        'nft -f "$T" && nft -s list ruleset | cmp - "$T.1"'
    )
    path = Path("/tmp") / f"tunnelgate-test-{os.getpid()}"
    try:
        subprocess.run(
            ["unshare", "-rn", "sh", "-c", script],
            check=True,
            env={**os.environ, "R": made, "T": str(path)},
        )
    finally:
        for one in (path, path.with_name(path.name + ".1")):
            one.unlink(missing_ok=True)


def test_the_order_of_statements_gives_the_same_bytes() -> None:
    head, statements = EVERYTHING.split("nat from lan to wan\n", 1)
    lines = ["nat from lan to wan", *statements.splitlines()]
    expected = ruleset(EVERYTHING)
    for seed in range(10):
        random.Random(seed).shuffle(lines)
        assert ruleset(head + "\n".join(lines) + "\n") == expected


def test_the_hash_seed_changes_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "test.tg"
    path.write_text(EVERYTHING)
    script = (
        "import sys; from pathlib import Path; from tunnelgate.plan import build;"
        "from tunnelgate.policy import resolve; from tunnelgate.source import SourceFile;"
        "from tunnelgate.syntax import parse; from tunnelgate_targets.nftables import TARGET;"
        "made = TARGET.emit(build(resolve(parse(SourceFile.read(Path(sys.argv[1]))).policy)[0]));"
        "print(made.files['ruleset.nft'])"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", script, str(path)],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(made) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "allow ike, nat-t, esp from 192.168.1.{} to 192.0.2.{}",
        "forward ike, nat-t, esp from 192.0.2.{} to 192.168.1.{}",
        "forward udp/7{:03} from wan to 192.168.1.{}",
        "forward udp/7{:03} from dsl to 192.168.1.{}",
    ],
)
def test_rules_do_not_grow_with_hosts(statement: str) -> None:
    def rules(count: int) -> int:
        text = ZONES + "zone dsl {\n  interface ppp0\n  network 198.51.100.0/24\n}\n"
        text += "nat from lan to wan, dsl\n"
        text += "".join(f"{statement.format(n, n)}\n" for n in range(1, count))
        lines = [line.strip() for line in ruleset(text).splitlines()]
        return sum(line.endswith('"') or line.startswith(("goto", "jump")) for line in lines)

    assert rules(20) == rules(200)


def test_networks_that_are_asked_for_the_same_ports_are_a_set_without_ports() -> None:
    def sets(count: int) -> list[str]:
        lines = (f"allow ike, nat-t from 10.{n >> 8}.{n & 255}.0/24 to hq\n" for n in range(count))
        zones = ZONES.replace("192.168.1.0/24", "192.168.1.0/24, 10.0.0.0/8")
        return re.findall(r"typeof (.*)", ruleset(zones + "".join(lines)))

    assert sets(100) == ["ip saddr . ip daddr . meta l4proto . th dport"]
    assert sets(600) == ["ip saddr . ip daddr"]


def test_one_more_statement_is_a_few_more_lines() -> None:
    some = ZONES + "allow ssh from lan to hq\nallow ike from box to hq\n"
    before = ruleset(some).splitlines()
    after = ruleset(some + "allow ike from 192.168.1.11 to hq\n").splitlines()
    gone = [line for line in before if line not in after]
    # the comment of the rule that now serves two statements, and a comma
    assert len(gone) <= 2


@pytest.mark.parametrize(
    "name", ["accept", "table", "ct", "INPUT", "drop", "esp", "in", "fwd", "set", "counter"]
)
def test_names_that_are_words_of_nft(name: str) -> None:
    text = f"""zone wan {{
  interface eth0
}}
zone {name} {{
  interface {name}
  network   192.168.1.0/24
}}
gateway {name}
nat from {name} to wan
allow ike, esp from {name} to wan with single, log
allow ssh from {name} to gateway with limit 3/minute
"""
    load.validate(ruleset(text))


def test_tracking_of_translated_ipv6_is_refused() -> None:
    text = ZONES + "nat from lan to wan\nallow esp from lan to wan with tracking\n"
    assert not TARGET.refuse(plan(text))
    (found,) = TARGET.refuse(plan(text + "nat ipv6 from lan to wan\n"))
    assert found.rule.code == "TG402"
    assert found.primary.span.text == "allow esp from lan to wan with tracking"


@pytest.mark.parametrize(
    ("lan", "statement", "is_refused"),
    [
        ("", "allow esp from lan to hq with tracking", True),
        ("", "allow esp from hosts to wan with tracking", True),
        ("  network 10.0.0.0/8\n", "allow esp from hosts to hq with tracking", False),
        ("", "allow esp from lan to wan with tracking", False),
        ("", "allow esp from lan to hq with single", False),
    ],
)
def test_hosts_that_are_tracked_are_told_from_their_peers_by_address(
    lan: str, statement: str, is_refused: bool
) -> None:
    text = (
        "zone wan {\n  interface eth0\n  host hq = 192.0.2.10\n}\n"
        f"zone lan {{\n  interface eth1\n{lan}  group hosts = 10.0.0.0/24\n}}\n"
        f"nat from lan to wan\n{statement}\n"
    )
    found = TARGET.refuse(plan(text))
    assert [one.help for one in found] == ["say which `network` is in zone `lan`"] * is_refused
    if not is_refused:
        assert tunnelgate.compile(text, "nftables").files


def test_tracking_of_what_is_not_translated_needs_no_zones() -> None:
    text = ruleset(ZONES + "allow esp from lan to wan with tracking\n")
    assert "ct zone" not in text
    assert "delete table inet tunnelgate-zones" in text


def test_an_overlong_log_prefix_is_refused() -> None:
    (found,) = TARGET.refuse(plan(ZONES + f'allow ssh from lan to wan with log "{"x" * 128}"\n'))
    assert found.rule.code == "TG404"
    assert not TARGET.refuse(plan(ZONES + f'allow ssh from lan to wan with log "{"x" * 127}"\n'))


def test_companions() -> None:
    output = TARGET.emit(
        plan(ZONES + "nat from lan to wan\nallow pptp from lan to wan with helper\n")
    )
    assert output.requirements.modules == ("nf_nat_pptp",)
    assert output.files["modules.conf"].splitlines()[-1] == "nf_nat_pptp"
    assert ("net.ipv4.ip_forward", "1") in output.requirements.sysctls
    assert set(TARGET.emit(plan(ZONES)).files) == {"ruleset.nft"}


@pytest.mark.parametrize("way", ["module", "program"])
def test_asking_the_kernel_needs_no_rights(way: str) -> None:
    """Without the capabilities that root has, as an ordinary user has none."""
    ask = "load.validate" if way == "module" else "load.validate_with_program"
    script = (
        f"import sys; from tunnelgate_targets.nftables import load;print({ask}(sys.stdin.read()))"
    )
    without = ["setpriv", "--bounding-set=-sys_admin,-net_admin"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*without, sys.executable, "-c", script],
        input=ruleset(EVERYTHING),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("python-nftables" if way == "module" else "nft (")


def test_what_a_tunnel_protects_has_not_the_segments_of_the_zone_that_carries_it() -> None:
    zones = ZONES.replace("interface eth0", "interface eth0\n  mss 1300")
    site = "zone site {\n  ipsec over wan\n  network 10.20.0.0/16\n  mss 1200\n}\n"
    text = ruleset(f"{zones}{site}allow ssh from lan to site\n")
    size = "tcp flags & (syn | rst) == syn tcp option maxseg size set"
    for match, mss in (
        ('iifname "eth0" meta ipsec missing', 1300),
        ('oifname "eth0" rt ipsec missing', 1300),
        ('iifname "eth0" ip saddr @protected.site.ip', 1200),
        ('oifname "eth0" ip daddr @protected.site.ip', 1200),
    ):
        assert f"{match} {size} {mss} " in text


def nats(count: int) -> str:
    """So many hosts with an address, so many without, and their network."""
    public = ", ".join(f"203.0.113.{number}" for number in range(1, 9))
    hosts = range(1, count + 1)
    return (
        ZONES.replace("203.0.113.1\n", f"{public}\n").replace("192.168.1.0/24", "192.168.0.0/16")
        + "nat from lan to wan\n"
        + "".join(f"nat from 192.168.1.{n} to wan as 203.0.113.{n % 8 + 1}\n" for n in hosts)
        + "".join(f"nat from 192.168.2.{n} to wan\n" for n in hosts)
        + "allow nat-t from lan to wan\n"
    )


def rules_of(text: str, chain: str = "translate-source") -> list[str]:
    """The rules of a chain, that of source translation or another, without its hook."""
    (found,) = re.findall(rf"chain {chain} \{{\n(.*?)\n\t\}}", text, re.DOTALL)
    lines = [line.strip() for line in found.splitlines()]
    return [line for line in lines if not line.startswith("type ")]


def test_many_nat_statements_are_looked_up() -> None:
    few, many = (rules_of(ruleset(nats(count))) for count in (20, 200))
    assert few == many
    assert len(many) == 3


def test_few_nat_statements_are_rules_with_their_own_text() -> None:
    text = ruleset(nats(3))
    assert len(rules_of(text)) == 7
    assert 'comment "nat from 192.168.1.3 to wan as 203.0.113.4"' in text
    assert "map nat." not in text


#: Statements of which each has a chain of its own, and where packets are sent to them.
CHAINED = {
    "logs": ("allow ssh from 192.168.{0} to wan with log", "log.allow.lan.wan"),
    "counts": ("deny udp/53 from 192.168.{0} to wan with counter", "count.deny.lan.wan"),
    "limits": ("allow ssh from 192.168.{0} to wan with limit 5/second", "pair.lan.wan"),
    "ports": ("allow udp/{1} from lan to wan with limit 5/second", "pair.lan.wan"),
    "forwards": (
        "forward udp/{1} from wan to 192.168.{0} port 4500",
        "translate-destination",
    ),
}


def chained(kind: str, count: int) -> str:
    """So many statements of a kind."""
    pattern, _ = CHAINED[kind]
    zones = ZONES.replace("192.168.1.0/24", "192.168.0.0/16").replace("192.168.1.10", "10.1.1.1")
    zones = zones.replace("  host box = 10.1.1.1\n", "") + "nat from lan to wan\n"
    some = (pattern.format(f"{n >> 7}.{(n & 127) + 1}", 5000 + n) for n in range(count))
    return zones + "".join(f"{one}\n" for one in some)


@pytest.mark.parametrize("kind", CHAINED)
def test_many_statements_with_a_chain_of_their_own_are_looked_up(kind: str) -> None:
    chain = CHAINED[kind][1]
    few, many = (rules_of(ruleset(chained(kind, count)), chain) for count in (20, 500))
    assert few == many
    assert len(many) <= 2
    assert any("vmap @" in line for line in many)


@pytest.mark.parametrize("kind", CHAINED)
def test_few_statements_with_a_chain_of_their_own_are_rules(kind: str) -> None:
    text = ruleset(chained(kind, 8))
    assert "vmap @" not in text
    chain = rules_of(text, CHAINED[kind][1])
    assert sum("statements as in" not in line for line in chain) >= 8


@pytest.mark.parametrize("kind", CHAINED)
def test_statements_of_one_digest_have_different_chains(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdicts, "digest", lambda text: text[0])
    text = chained(kind, 30)
    made = TARGET.emit(plan(text))
    prove(tunnelgate.load(text), TARGET, made.files, WHOLE)
    assert len(set(re.findall(r"goto (\S+)|jump (limit\S+)", made.files["ruleset.nft"]))) >= 30


@pytest.mark.parametrize("port", ["", " port 8443"])
def test_forwards_that_channels_alone_tell_are_of_one_family(port: str) -> None:
    zones = ZONES.replace("  address   203.0.113.1\n", "") + "nat from lan to wan\n"
    text = ruleset(
        zones
        + "nat ipv6 from lan to wan\n"
        + "".join(
            f"forward {word}tcp/{number} from wan to {target}{number}{port}\n"
            for word, target in (("", "192.168.1."), ("ipv6 ", "fd00:1::"))
            for number in range(20, 40)
        )
    )
    looked_up = rules_of(text, "translate-destination")
    families = [re.findall(r"meta nfproto (\S+)", line) for line in looked_up]
    assert sorted(families) == [["ipv4"], ["ipv6"]]


@pytest.mark.parametrize("options", ["log", "limit 5/second"])
def test_ports_of_many_networks_stand_before_their_map(options: str) -> None:
    """A look-up of ranges costs as much as it has rows, and fields in a row."""
    numbers = range(600)
    text = ZONES.replace("192.168.1.0/24", "192.168.0.0/16").replace("192.168.1.10", "192.168.9.9")
    text += "nat from lan to wan\n" + "".join(
        f"allow ike, nat-t from 192.168.{n >> 4}.{(n & 15) << 4}/28 to 198.51.{n >> 3}.0/24 "
        f"with {options}\n"
        for n in numbers
    )
    text += f"allow nat-t from 192.168.0.0/28 to 198.52.0.0/24 with {options}\n"
    made = TARGET.emit(plan(text)).files
    prove(tunnelgate.load(text), TARGET, made, WHOLE)
    looked_up = re.findall(r"(?m)^\t\t(.*) vmap @", made["ruleset.nft"])
    assert looked_up == [
        "ip saddr . ip daddr . meta l4proto . th dport",
        "udp dport { 500, 4500 } ip saddr . ip daddr",
    ]
