"""The text of the files: deterministic, and no longer than the kernel and a reader can take."""

from __future__ import annotations

import os
import random
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping

import pytest

from tunnelgate.plan import Plan
from tunnelgate_targets.iptables import TARGET
from tunnelgate_targets.iptables.names import MAX_CHAIN, MAX_SET
from tunnelgate_targets.iptables.quote import MAX_COMMENT, MAX_PREFIX

Emitted = Callable[[str], Mapping[str, str]]

ZONES = """gateway test
zone wan {
  interface eth0
  address   203.0.113.1
  host hq = 192.0.2.10, 2001:db8:51::10
}
zone lan {
  interface eth1
  network   192.168.0.0/16, fd00:1::/64
  host box = 192.168.1.10, fd00:1::10
}
"""
STATEMENTS = [
    "nat from lan to wan",
    "allow ike from lan to wan",
    "allow ssh from lan to gateway with limit 3/minute",
    "allow esp from lan to hq with single, counter",
    "deny tcp/25 from lan to wan with log",
    "forward ipsec from hq to box",
]


def lines(files: Mapping[str, str], name: str = "rules.v4") -> list[str]:
    return [line for line in files[name].splitlines() if line.startswith("-A")]


def pairs(count: int) -> list[str]:
    return [
        f"allow ipsec from 192.168.{number >> 8}.{number & 255} to 192.0.2.{number % 250 + 1}\n"
        for number in range(1, count + 1)
    ]


def test_the_order_of_statements_does_not_matter(emitted: Emitted) -> None:
    expected = emitted(ZONES + "\n".join(STATEMENTS) + "\n")
    many = emitted(ZONES + "".join(pairs(50)))
    for seed in range(5):
        shuffled, shuffled_pairs = STATEMENTS[:], pairs(50)
        random.Random(seed).shuffle(shuffled)
        random.Random(seed).shuffle(shuffled_pairs)
        assert emitted(ZONES + "\n".join(shuffled) + "\n") == expected
        assert emitted(ZONES + "".join(shuffled_pairs)) == many


def test_the_seed_of_hashes_does_not_matter() -> None:
    script = (
        "import sys\n"
        "from tunnelgate.plan import build\nfrom tunnelgate.policy import resolve\n"
        "from tunnelgate.source import SourceFile\nfrom tunnelgate.syntax import parse\n"
        "from tunnelgate_targets.iptables import TARGET\n"
        "plan = build(resolve(parse(SourceFile(sys.stdin.read())).policy)[0])\n"
        "for item in TARGET.emit(plan).files.items():\n    print(*item)\n"
    )
    text = ZONES + "\n".join(STATEMENTS) + "\n" + "".join(pairs(30))
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            input=text,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "PYTHONHASHSEED": str(seed),
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (0, 1, 2)
    }
    assert len(outputs) == 1


def test_the_header_says_what_it_is_and_how_it_is_loaded(planned: Callable[[str], Plan]) -> None:
    output = TARGET.emit(planned(ZONES + "".join(pairs(20))))
    for name, text in output.files.items():
        head = text[:600]
        assert "Gateway `test`, policy policy.tg: made by tunnelgate" in head
        assert f"output format revision {TARGET.format_revision}." in head
        if name.startswith("rules") or name == "ipset.conf":
            assert all(f"#   {command}\n" in head for command in output.requirements.load)
    assert output.requirements.load[0] == "ipset restore -exist < ipset.conf"


def test_companions_are_there_only_where_they_are_needed(emitted: Emitted) -> None:
    assert set(emitted(ZONES + "allow ssh from lan to gateway\n")) == {"rules.v4", "rules.v6"}
    helped = emitted(ZONES + "nat from lan to wan\nallow pptp from lan to wan with helper\n")
    assert "\nnf_nat_pptp\n" in helped["modules.conf"]
    assert "\nnet.ipv4.ip_forward = 1\n" in helped["sysctl.conf"]
    untranslated = emitted(ZONES + "allow ftp from lan to wan with helper\n")
    assert "modules.conf" not in untranslated


def test_every_rule_says_why_and_keeps_the_limits(emitted: Emitted) -> None:
    files = emitted(ZONES + "\n".join(STATEMENTS) + "\n" + "".join(pairs(30)))
    for line in (*lines(files), *lines(files, "rules.v6")):
        words = shlex.split(line)
        assert "--comment" in words
        assert len(words[words.index("--comment") + 1]) <= MAX_COMMENT
        assert len(words[1]) <= MAX_CHAIN
        if "--log-prefix" in words:
            assert len(words[words.index("--log-prefix") + 1]) <= MAX_PREFIX
    created = re.findall(r"^create (\S+)", files["ipset.conf"], re.MULTILINE)
    assert created and all(len(name) <= MAX_SET for name in created)


@pytest.mark.parametrize(
    "statement",
    [
        "forward ike, nat-t, esp from 192.0.2.{} to 192.168.1.{}",
        "forward udp/7{:03} from wan to 192.168.1.{}",
    ],
)
def test_translations_grow_into_a_tree(emitted: Emitted, statement: str) -> None:
    """No chain is long, and none of the statements is lost on the way down."""
    text = f"{ZONES}nat from lan to wan\n"
    text += "".join(f"{statement.format(n, n)}\n" for n in range(1, 255))
    nat = emitted(text)["rules.v4"].partition("*nat\n")[2].partition("COMMIT")[0]
    chains = Counter(re.findall(r"^-A (\S+)", nat, re.MULTILINE))
    assert max(chains.values()) <= 20
    assert len(set(re.findall(r"--to-destination (\S+)", nat))) == 254


def test_every_chain_that_is_named_is_there_and_used(emitted: Emitted) -> None:
    files = emitted(ZONES + "\n".join(STATEMENTS) + "\n" + "set reject on\nset log-denied on\n")
    for name in ("rules.v4", "rules.v6"):
        for table in files[name].split("COMMIT\n")[:-1]:
            begun = set(re.findall(r"^:(tg-\S+)", table, re.MULTILINE))
            assert set(re.findall(r" -[jg] (tg-\S+)$", table, re.MULTILINE)) == begun
            assert set(re.findall(r"^-A (tg-\S+)", table, re.MULTILINE)) == begun


def test_tables_of_an_older_run_are_replaced(emitted: Emitted) -> None:
    for name in ("rules.v4", "rules.v6"):
        tables = re.findall(r"^\*(\w+)$", emitted(ZONES)[name], re.MULTILINE)
        assert tables == ["raw", "mangle", "nat", "filter"]


def test_few_statements_are_rules_and_many_are_rows(emitted: Emitted) -> None:
    few, many, more = (emitted(ZONES + "".join(pairs(count))) for count in (5, 50, 500))
    assert "ipset.conf" not in few
    assert any("-s 192.168.0.1 -d 192.0.2.2 -p udp" in line for line in lines(few))
    assert len(lines(many)) == len(lines(more))
    assert " hash:ip,port,ip family inet" in more["ipset.conf"]
    assert re.search(
        r"^# allow ipsec from 192.168.1.44 to 192.0.2.51\n"
        r"add \S+ 192.168.1.44,50:0,192.0.2.51\n"
        r"add \S+ 192.168.1.44,udp:500,192.0.2.51\nadd \S+ 192.168.1.44,udp:4500,192.0.2.51$",
        more["ipset.conf"],
        re.MULTILINE,
    )


@pytest.mark.parametrize(
    ("statement", "kind", "element"),
    [
        ("allow ike from 192.168.1.{} to wan", "hash:ip,port", "192.168.1.7,udp:500"),
        ("allow ike from wan to 192.168.1.{}", "hash:ip,port", "192.168.1.7,udp:500"),
        ("allow ike from 192.168.{}.0/24 to wan", "hash:net,port", "192.168.7.0/24,udp:500"),
        ("allow esp from 192.168.1.{} to hq", "hash:ip,port,ip", "192.168.1.7,50:0,192.0.2.10"),
        (
            "allow esp from 192.168.1.{} to 198.51.100.0/24",
            "hash:ip,port,net",
            "192.168.1.7,50:0,198.51.100.0/24",
        ),
        (
            "allow esp from 198.51.{}.0/24 to box",
            "hash:ip,port,net",
            "192.168.1.10,50:0,198.51.7.0/24",
        ),
        (
            "allow esp from 192.168.{}.0/24 to 198.51.100.0/24",
            "hash:net,port,net",
            "192.168.7.0/24,50:0,198.51.100.0/24",
        ),
        ("allow any from 192.168.1.{} to wan", "hash:ip", "192.168.1.7"),
        ("allow ping from 192.168.1.{} to hq", "hash:net,net", "192.168.1.7,192.0.2.10"),
        ("allow tcp/1-9999 from 192.168.1.{} to hq", "hash:net,net", "192.168.1.7,192.0.2.10"),
        ("allow any except ssh from 192.168.1.{} to wan", "hash:ip", "192.168.1.7"),
        (
            "allow esp from 10.{}.0.0-10.{}.0.2 to box",
            "hash:ip,port,net",
            "192.168.1.10,50:0,10.7.0.0/31",
        ),
        ("allow esp from fd00:1::{} to hq", "hash:ip,port,ip", "fd00:1::7,50:0,2001:db8:51::10"),
        ("allow ah from fd00:1::{} to hq", "hash:net,net", "fd00:1::7,2001:db8:51::10"),
        ("allow ah from 192.168.1.{} to hq", "hash:ip,port,ip", "192.168.1.7,51:0,192.0.2.10"),
    ],
)
def test_what_rows_become(emitted: Emitted, statement: str, kind: str, element: str) -> None:
    text = ZONES + "".join(f"{statement.replace('{}', str(number))}\n" for number in range(1, 30))
    files = emitted(text)
    found = re.search(rf"^add (\S+) {re.escape(element)}$", files["ipset.conf"], re.MULTILINE)
    assert found
    assert f"create {found[1]} {kind} family" in files["ipset.conf"]
    name = "rules.v6" if ":" in element.split(",")[0] else "rules.v4"
    rules = [line for line in lines(files, name) if f"--match-set {found[1]} " in line]
    # one rule, or one for each protocol of a few; never one for each statement
    assert 1 <= len(rules) <= 3


def test_ah_of_ipv6_is_told_before_everything_else(emitted: Emitted) -> None:
    files = emitted(ZONES + "allow ah, ssh from lan to wan\nallow ssh from wan to lan\n")
    at = [line for line in lines(files, "rules.v6") if line.startswith("-A tg-lan-wan ")]
    assert " -m ah " in at[0] and at[0].endswith("-g tg-lan-wan.ah")
    inwards = [line for line in lines(files, "rules.v6") if line.startswith("-A tg-wan-lan ")]
    assert " -m ah " in inwards[0] and inwards[0].endswith("-j DROP")
    assert not any("-p ah" in line for line in lines(files, "rules.v6"))
    assert any("-p ah" in line for line in lines(files))


def test_many_nat_statements_are_a_tree_of_chains(emitted: Emitted) -> None:
    """Of each chain a packet meets few rules, whatever the number of hosts with an address."""
    public = ", ".join(f"203.0.113.{number}" for number in range(1, 9))

    def longest(count: int) -> int:
        hosts = range(count)
        text = ZONES.replace("203.0.113.1\n", f"{public}\n") + "nat from lan to wan\n"
        text += "".join(
            f"nat from 192.168.{n >> 8}.{n & 255} to wan as 203.0.113.{n % 8 + 1}\n" for n in hosts
        )
        chains = Counter(line.split()[1] for line in lines(emitted(text)) if "snat" in line)
        return max(chains.values())

    assert longest(5) == 6
    assert longest(1000) < 20


@pytest.mark.parametrize("options", ["limit 5/second", "log", "counter, log"])
@pytest.mark.parametrize(
    "pattern", ["ssh from 192.168.{0} to wan", "tcp/{1}, udp/{1} from lan to wan"]
)
def test_many_statements_with_options_are_trees_of_chains(
    emitted: Emitted, pattern: str, options: str
) -> None:
    """Of each chain a packet meets few rules, whatever the number of statements."""

    def longest(count: int) -> int:
        text = ZONES.replace("192.168.1.0/24", "192.168.0.0/16") + "".join(
            f"allow {pattern.format(f'{n >> 7}.{(n & 127) + 1}', 5000 + n)} with {options}\n"
            for n in range(count)
        )
        chains = Counter(line.split()[1] for line in lines(emitted(text)) if "-A tg-" in line)
        return max(chains.values())

    assert longest(8) >= 8
    assert longest(1000) < 50
