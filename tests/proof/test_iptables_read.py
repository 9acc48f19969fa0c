"""The reader of iptables-restore and ipset texts: what it refuses, and what it understands."""

from __future__ import annotations

import pytest
from judging import refuted

import tunnelgate
from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.fields import DESTINATION, L4, SOURCE, Sets
from tunnelgate.flows.netfilter import (
    Drop,
    Interface,
    Jump,
    Own,
    Ruleset,
    Unclear,
    Unmodelled,
    Within,
)
from tunnelgate.target import find
from tunnelgate_targets.iptables.read import read

TEN = Intervals.of([(axes.address_of("10.0.0.0"), axes.address_of("10.255.255.255"))])
EMPTY = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"

CREDIT = "-m hashlimit --hashlimit-upto 5/second --hashlimit-name x"
CROWD = "-m connlimit --connlimit-above 1 --connlimit-mask 32 --connlimit-daddr"


def table(*lines: str, name: str = "filter", builtin: str = "INPUT") -> str:
    return "\n".join([f"*{name}", f":{builtin} DROP [0:0]", ":tg-x - [0:0]", *lines, "COMMIT\n"])


def only(*lines: str, ipset: str = "", family: int = 4) -> Ruleset:
    """What some lines of one family mean."""
    files = {"rules.v4": EMPTY, "rules.v6": EMPTY, f"rules.v{family}": table(*lines)}
    return read(files | ({"ipset.conf": ipset} if ipset else {}))[family]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("-A INPUT -m recent --rcheck -j ACCEPT", "match `recent`"),
        ("-A INPUT -f -j DROP", "option `-f`"),
        ("-A INPUT -p tcp --dport 22", "a rule that does nothing"),
        ("-A INPUT -j MARK --set-mark 1", "option `--set-mark`"),
        ("-A INPUT -j TEE", "target `TEE`"),
        ("-A INPUT -g tg-y", "no chain `tg-y`"),
        ("-A OTHER -j DROP", "`-A OTHER -j DROP`"),
        ("-A INPUT -s 10.0.0.0/8 -s 10.1.0.0/16 -j DROP", "option `-s`"),
        ('-A INPUT -m comment --comment "a\\" -j ACCEPT" -j DROP', "a word in"),
        ("-A INPUT ! -p tcp -j DROP", "`! tcp`"),
        ("-A INPUT -p all -j DROP", "protocol `all`"),
        ("-A INPUT -p 0 -j DROP", "protocol `0`"),
        ("-A INPUT -p icmp --icmp-type 255 -j DROP", "type `255`"),
        ("-A INPUT -p tcp --sport 80 -j ACCEPT", "ports of protocol 6"),
        ("-A INPUT -p tcp --dport 90:80 -j ACCEPT", "ports `90:80`"),
        ("-A INPUT -p gre --dport 80 -j ACCEPT", "protocol `gre`"),
        ("-A INPUT -m ah -j DROP", "`-m ah` with IPv4"),
        ("-A INPUT -m limit --limit 5/second -j ACCEPT", "a verdict for a part of the packets"),
        ("-A INPUT -m set --match-set nowhere src -j DROP", "no set `nowhere`"),
        ("-A INPUT -m hl --hl-eq 64 -j ACCEPT", "another hop limit"),
        ("-A INPUT -m addrtype --dst-type BROADCAST -j DROP", "type `BROADCAST`"),
        ("-A INPUT -m policy --dir in --pol ipsec --strict -j DROP", "option `--strict`"),
        ("-A INPUT -m policy --dir in ! --pol ipsec -j DROP", "`! ipsec`"),
        ("-A INPUT -m conntrack ! --ctstate ESTABLISHED -j DROP", "`! ESTABLISHED`"),
        ("-A INPUT -m conntrack ! --ctdir REPLY -j DROP", "`! REPLY`"),
        ("-A INPUT -m conntrack --ctstate NEW,DNAT -j DROP", "state `DNAT`"),
        ("-A INPUT -m conntrack --ctstatus CONFIRMED -j DROP", "what other packets have left"),
        ("-A INPUT -m helper ! --helper ftp -j ACCEPT", "`! ftp`"),
        ("-A INPUT -p tcp ! --dport 22 -j ACCEPT", "`! 22`"),
        ("-A INPUT -p tcp -m multiport ! --dports 22,23 -j ACCEPT", "`! 22,23`"),
        ("-A INPUT -p icmp ! --icmp-type 8 -j ACCEPT", "`! 8`"),
        ("-A INPUT -p tcp ! --tcp-flags RST RST -j ACCEPT", "flags of something else"),
        ("-A INPUT -p tcp --tcp-flags RST RST -j DROP", "what other packets have left"),
        ("-A INPUT -m u32 ! --u32 6&0xFF=0 -j DROP", "`! 6&0xFF=0`"),
        ("-A INPUT -m addrtype --dst-type LOCAL ! --limit-iface-in -j DROP", "`! `"),
        ("-A INPUT -m comment ! --comment x -j DROP", "`! x`"),
        ("-A INPUT -m limit ! --limit 5/second -j LOG", "`! 5/second`"),
        ("-A INPUT -m hl ! --hl-eq 255 -j ACCEPT", "`! 255`"),
        ("-A INPUT -m hl --hl-eq 255 -p udp --dport 53 -j ACCEPT", "neighbour discovery"),
        (f"-A INPUT {CREDIT} --hashlimit-burst 50 -j ACCEPT", "a burst of 50"),
        (f"-A INPUT {CREDIT} --hashlimit-htable-expire 500 -j ACCEPT", "forgotten after 500 ms"),
        (f"-A INPUT {CREDIT} -m set --match-set s src -j ACCEPT", "a match behind credit"),
        (f"-A INPUT {CREDIT} {CREDIT} -j ACCEPT", "a match behind credit"),
        (f"-A INPUT {CREDIT} -j DROP", "credit for `DROP`"),
        ("-A INPUT -m hashlimit ! --hashlimit-upto 5/second --hashlimit-name x -j DROP", "`! 5/"),
        (f"-A INPUT {CROWD} -j ACCEPT", "what other packets have left"),
        (f"-A INPUT {CROWD.replace('above 1', 'above 0')} -j DROP", "another count"),
        (f"-A INPUT {CROWD.replace('--connlimit-above', '! --connlimit-above')} -j DROP", "`! 1`"),
    ],
)
def test_what_is_not_modelled_is_refused_with_its_line(line: str, why: str) -> None:
    with pytest.raises(Unmodelled) as caught:
        only("-A INPUT -i lo -j ACCEPT", line)
    assert str(caught.value).startswith("rules.v4, line 5: ")
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("create s hash:mac family inet", "hash:mac"),
        ("create s bitmap:ip range 10.0.0.0/8", "options of a set"),
        ("create s hash:ip family inet timeout 60", "options of a set"),
        ("create s hash:net family inet\nadd s 10.0.0.0/8 nomatch", "nomatch"),
        ("add s 10.0.0.1", "`add s 10.0.0.1`"),
        ("create s hash:ip,port family inet\nadd s 10.0.0.1", "element `10.0.0.1`"),
        ("create s hash:ip,port family inet\nadd s 10.0.0.1,icmp:8", "element `icmp:8`"),
        ("create s hash:ip,port family inet\nadd s 10.0.0.1,47:1", "element `47:1`"),
    ],
)
def test_sets_that_are_not_modelled_are_refused(line: str, why: str) -> None:
    with pytest.raises(Unmodelled, match=r"ipset\.conf|rules\.v4") as caught:
        only("-A INPUT -m set --match-set s src,dst -j DROP", ipset=line)
    assert why in str(caught.value)


def test_directions_say_which_end_an_element_is() -> None:
    ipset = "create s hash:ip,port,net family inet\nadd s 10.0.0.1,udp:80-90,10.2.0.0/16\n"
    chains = only("-A INPUT -m set --match-set s dst,dst,src -j DROP", ipset=ipset).chains
    ((test,), *_) = chains["filter INPUT"].rules[0]
    assert isinstance(test, Within)
    (box,) = test.boxes
    destination, source, l4 = box[DESTINATION], box[SOURCE], box[L4]
    assert destination is not None and destination.first() == axes.address_of("10.0.0.1")
    assert source is not None and axes.address_of("10.2.3.4") in source
    assert l4 is not None and list(l4) == [axes.l4(axes.UDP, 80, 90)]


def test_a_plus_is_a_wildcard_and_an_exclamation_mark_negates() -> None:
    rule = only("-A INPUT ! -i ppp+ -j tg-x", "-A tg-x -j DROP").chains["filter INPUT"].rules[0]
    assert rule.tests == (Interface("arrival", ("ppp*",), negated=True),)
    assert rule.cases[0].action == Jump("filter tg-x")


@pytest.mark.parametrize(
    ("asked", "box"),
    [
        ("! -s 10.0.0.0/8", (None, None, None, None, axes.IPV4 - TEN)),
        ("! -d 10.0.0.0/8", (None, None, None, axes.IPV4 - TEN, None)),
        ("-m set ! --match-set s src", (None, None, None, None, axes.IPV4 - TEN)),
        ("-m set ! --match-set s dst", (None, None, None, axes.IPV4 - TEN, None)),
        ("-m set --match-set s dst", (None, None, None, TEN, None)),
    ],
)
def test_what_is_negated(asked: str, box: Sets) -> None:
    ipset = "create s hash:net family inet\nadd s 10.0.0.0/8\n"
    rule = only(f"-A INPUT {asked} -j DROP", ipset=ipset).chains["filter INPUT"].rules[0]
    assert rule.tests == (Within((box,)),)


def test_addresses_of_the_machine_negated() -> None:
    line = "-A INPUT -m addrtype ! --dst-type LOCAL -j DROP"
    rule = only(line).chains["filter INPUT"].rules[0]
    assert rule.tests == (Own(negated=True),)


def actions(*lines: str) -> list[object]:
    rules = only(*lines, family=6).chains["filter INPUT"].rules
    return [rule.cases[0].action for rule in rules]


def test_what_a_protocol_is_under_ah_is_unclear_with_ipv6() -> None:
    asked = "-A INPUT -p tcp --dport 22 -j DROP"
    assert actions(asked) == [Unclear(), Drop()]
    # where AH is dropped as well, or comes back, it is no matter
    assert actions(asked, "-A INPUT -j DROP") == [Drop(), Drop()]
    called = "-A INPUT -p tcp -j tg-x"
    assert actions(called, "-A tg-x -m ah -j RETURN", "-A tg-x -j DROP") == [Jump("filter tg-x")]
    assert actions(called, "-A tg-x -j DROP") == [Unclear(), Jump("filter tg-x")]
    with pytest.raises(Unmodelled, match="`-p ah`"):
        only("-A INPUT -p ah -j DROP", family=6)


TUNNEL = """gateway g
zone wan {
  interface eth0
  address 203.0.113.1
}
zone lan {
  interface eth1
  network 192.168.1.0/24
}
zone site {
  ipsec over wan
  network 10.0.0.0/8
}
allow ssh from lan to wan
allow ntp from gateway to wan
set gateway-output deny
"""


def test_beside_others_nothing_for_a_tunnel_is_left_to_their_rules() -> None:
    """What nothing allows into a tunnel is dropped, and does not return to the chains of others."""
    policy = tunnelgate.load(TUNNEL)
    compiled = tunnelgate.compile(policy, target="iptables", layout="shared", prove=False)
    assert refuted(policy, "iptables", compiled.files, "shared") == []
    verdict = '-A tg-lan.forward -o eth0 -d 10.0.0.0/8 -m comment --comment "zone site" -j '
    rules = compiled.files["rules.v4"]
    assert verdict + "DROP" in rules
    left = {**compiled.files, "rules.v4": rules.replace(verdict + "DROP", verdict + "RETURN")}
    assert refuted(policy, "iptables", left, "shared")


def test_the_script_of_the_shared_layout_says_where_the_jumps_are() -> None:
    files = dict(tunnelgate.compile(TUNNEL, target="iptables", layout="shared").files)
    chain = find("iptables").read(files)[4].chains["mangle POSTROUTING"]  # type: ignore[attr-defined]
    assert chain.rules[0].cases[0].action == Jump("mangle tg-POSTROUTING")
    files["shared.sh"] = files["shared.sh"].replace("hooks='", "hocks='")
    with pytest.raises(Unmodelled, match=r"shared\.sh"):
        read(files)


def test_the_manifest_certifies_and_says_what_is_outside() -> None:
    manifest = tunnelgate.compile(
        TUNNEL + "nat from lan to site as 10.99.0.1\n", target="iptables"
    ).manifest
    assert '"model": 1' in manifest
    assert "drops it as clear text" in manifest
    assert "clear text" not in tunnelgate.compile(TUNNEL, target="iptables").manifest
