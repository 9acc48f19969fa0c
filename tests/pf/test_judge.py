"""What the pf targets emit does what the policy means, in a model of pf.

Every example, a policy with everything at once, and policies made up at random, on packets that
lean towards them; answers, what comes out of a tunnel and what must not leave in clear included.
And the judge notices a ruleset that is wrong in one word.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from aiming import aimed
from generator import PF, packets, policy_text
from judge import TARGETS, Gateway, decrypted, policy_of, without_refused

from tunnelgate import meaning
from tunnelgate.flows import axes
from tunnelgate.source import SourceFile

EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[2] / "examples").glob("*/*.tg")
    if path.parent.name not in {"broken", "ansible"} and path.stem != "broken"
)
PACKETS = int(os.environ.get("TUNNELGATE_PACKETS", "60"))
POLICIES = int(os.environ.get("TUNNELGATE_POLICIES", "12"))

#: Everything that pf can do at once: two addresses, a tunnel, nested translations, a hairpin.
MIXTURE = """gateway mixture
zone wan {
  interface eth0
  address 203.0.113.1, 203.0.113.2, 2001:db8::1
  host hq = 192.0.2.10, 2001:db8:51::10
  group partners = 198.51.100.0/24, 198.51.101.7-198.51.101.9
}
zone lan {
  interface eth1, ppp*
  network 192.168.1.0/24, fd00:1::/64
  address 192.168.1.1, fd00:1::1
  host a = 192.168.1.10, fd00:1::10
  host b = 192.168.1.11
}
zone dmz {
  interface eth2
  network 10.9.0.0/16
  address 10.9.0.254
  host srv = 10.9.0.1
}
zone site {
  ipsec over wan
  network 10.20.0.0/16, fd20::/48
}
nat from lan to wan
nat from a to wan as 203.0.113.2
nat from dmz to wan
nat ipv6 from lan to wan
allow any except ssh, ip/132, ah from lan to wan except partners
allow esp, gre, ping from lan to hq with log
allow ipsec from wan to gateway
allow ike, nat-t from srv to partners
allow dns, ping from any to gateway
allow ssh from lan to gateway
forward https from wan to srv with hairpin
forward tcp/8080 from wan at 203.0.113.2 to srv port 80
forward ike, nat-t from partners to srv
forward esp from partners to srv
forward ipv6 udp/53 from wan to a
deny tcp/25, icmp/redirect from lan, dmz to any with log
deny ssh from gateway to partners
allow any except ah from lan to site
allow ssh, ping from site to lan
allow ssh from site to gateway
set log-denied on
set reject on
"""


def asked(gateway: Gateway, count: int, seed: int) -> Iterator[meaning.Packet]:
    """Packets that lean towards a policy, each of them out of a tunnel too; those aimed at it."""
    choose = Random(seed)

    def actual(value: int) -> int:
        return gateway.actual.get(value, value)

    for packet in packets(gateway.policy, choose, count, own=True, actual=actual):
        inside = decrypted(gateway.policy, packet)
        yield from (packet,) if inside is None else (packet, inside)
    for packet in aimed(gateway.policy, choose, count // 20):
        if not gateway.is_silent(packet):
            yield packet


def mismatches(gateway: Gateway, count: int, seed: int) -> Iterator[str]:
    for packet in asked(gateway, count, seed):
        yield from gateway.mismatches(packet)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path, target: str) -> None:
    gateway = Gateway(policy_of(without_refused(SourceFile.read(path), target)), target)
    assert list(mismatches(gateway, PACKETS, 20)) == []


@pytest.mark.parametrize("target", TARGETS)
def test_everything_at_once(target: str) -> None:
    gateway = Gateway(policy_of(MIXTURE), target)
    assert list(mismatches(gateway, 4 * PACKETS, 20)) == []


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(POLICIES))
def test_policies_made_up(seed: int, target: str) -> None:
    text = policy_text(Random(seed), like=PF)
    gateway = Gateway(policy_of(text), target)
    assert list(mismatches(gateway, PACKETS, seed)) == [], text


def test_the_packets_are_of_every_kind() -> None:
    """Judging would say nothing if nearly all packets met the same end."""
    gateway = Gateway(policy_of(MIXTURE), "pf")
    outcomes = [gateway.decider.decide(packet) for packet in asked(gateway, 4 * PACKETS, 20)]
    kinds = {
        "delivered": [one.delivered for one in outcomes],
        "here": [one.delivered and one.egress is gateway.policy.gateway for one in outcomes],
        "translated": [one.delivered and one.source_translated for one in outcomes],
        "redirected": [
            one.delivered and one.destination != one.packet.destination for one in outcomes
        ],
        "into a tunnel": [
            one.delivered and one.egress is not None and one.egress.over is not None
            for one in outcomes
        ],
        "out of one": [one.delivered and one.packet.decrypted for one in outcomes],
    }
    assert {name: sum(found) >= 3 for name, found in kinds.items()} == dict.fromkeys(kinds, True)


LISTENING = """gateway listening
zone wan {
  interface eth0
}
zone lan {
  interface eth1
  network fd00:1::/64
  host carol = fd00:1::40
}
allow icmp from wan to carol
"""


@pytest.mark.parametrize("target", TARGETS)
def test_listeners_are_not_judged_where_nobody_forwards_what_they_say(target: str) -> None:
    gateway = Gateway(policy_of(LISTENING), target)
    _, wan, _ = gateway.policy.zones
    source, carol = (axes.address_of(text) for text in ("2001:db8::7", "fd00:1::40"))
    report = meaning.Packet(wan, source, carol, axes.ICMPV6 << 16 | 143 << 8, 7)
    assert gateway.decider.decide(report).delivered
    assert list(gateway.mismatches(report)) == []


# -- one word is wrong


def replacing(pattern: str, other: str, count: int = 0) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, other, text, count=count, flags=re.MULTILINE)


SABOTAGE = {
    "a denial is not quick": replacing(r"out log quick (.* port 25)", r"out log \1"),
    "a spoof check is not quick": replacing(r"^block in log quick on eth0", "block in log on eth0"),
    "a zone has another's tag": replacing(r"no state tag tg:dmz$", "no state tag tg:lan"),
    "a tag is not asked for": replacing(r"tagged tg:site ", ""),
    "a port is one higher": replacing(r"to any port 22\b", "to any port 23"),
    "a port is one lower": replacing(r"port 443\b", "port 442"),
    "a port is not translated": replacing(r"( 10\.9\.0\.1) port 80(?= tag|$)", r"\1"),
    "an exemption is lost": replacing(r"to ! <tg\.wan\S+>", "to any"),
    "all addresses instead of the first": replacing(r"\(eth0:0\)", "(eth0)"),
    "IKE loses its port": replacing(r" static-port", ""),
    "states of the tunnel float": replacing(r" \(if-bound\)", ""),
    "a state is not kept": replacing(r"^(pass out quick all) keep state", r"\1 no state"),
    "answers are not told": replacing(r" tag tg\.reply", ""),
    "clear text may leave": replacing(r"^block out quick on ! enc0.*\n", ""),
    "a destination is wrong": replacing(r"10\.9\.0\.1\b", "10.9.0.2"),
    "a network is one bit wider": replacing(r"198\.51\.100\.0/24", "198.51.100.0/23"),
    "a protocol is another": replacing(r"proto 50\b", "proto 51"),
    "a denial is a permission": replacing(r"^block \S+ out log quick", "pass out log quick"),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SABOTAGE)
def test_one_wrong_word_is_noticed(name: str, target: str) -> None:
    policy = policy_of(MIXTURE)
    right = Gateway(policy, target)
    wrong_text = SABOTAGE[name](right.text)
    assert wrong_text != right.text
    assert any(mismatches(Gateway(policy, target, wrong_text), 6 * PACKETS, 20))
