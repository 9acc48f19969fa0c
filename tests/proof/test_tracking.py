"""ESP tracking is proved, and what would let it decide about packets is caught."""

from __future__ import annotations

import re

import pytest
from judging import refuted

import tunnelgate
from tunnelgate.flows.netfilter import Unmodelled
from tunnelgate.plan import build
from tunnelgate.target import Layout, Setup, find

WAN = (
    "zone wan {\n  interface eth0\n  address 203.0.113.1, 2001:db8::1\n  host hq = 192.0.2.10\n}\n"
)
WAN2 = "zone wan2 {\n  interface ppp*\n}\n"
LAN = (
    "zone lan {\n  interface eth1\n  network 192.168.1.0/24, fd00:1::/64\n"
    "  host box = 192.168.1.10\n}\n"
)
DMZ = "zone dmz {\n  interface eth2\n  network 10.0.5.0/24\n  address 10.0.5.1\n}\n"
VPN = "zone far {\n  ipsec over wan\n  network 10.20.0.0/16\n}\n"
NAT = "nat from lan to wan\n"
TRACKING = "allow ipsec from lan to wan with tracking\n"
POLICY = WAN + LAN + DMZ + NAT + TRACKING + "allow esp from wan to gateway\n"
POLICIES = {
    "plain": POLICY,
    "one peer": WAN + LAN + NAT + "allow esp from lan to hq with tracking\n",
    "forward": POLICY + "forward esp from hq to box\n",
    "denial": POLICY + "deny esp from box to wan\n",
    "some untracked": WAN + LAN + NAT + TRACKING + "allow any from box to wan\n",
    "fixed": WAN + LAN + "nat from lan to wan as 203.0.113.1\n" + TRACKING,
    "two addresses": WAN + LAN + NAT + "nat from box to hq as 203.0.113.1\n" + TRACKING,
    "two uplinks": WAN + WAN2 + LAN + NAT + "nat from lan to wan2\n" + TRACKING,
    "an uplink of its own": WAN + WAN2 + LAN + NAT + TRACKING + "allow esp from lan to wan2\n",
    "dynamic": WAN2 + LAN + "nat from lan to wan2\nallow esp from lan to wan2 with tracking\n",
    "decrypted": POLICY + VPN + "allow any from far to lan\nallow any from lan to far\n",
    "inside zones": POLICY + "allow esp from lan to dmz with tracking\nallow esp from wan to lan\n",
    "one zone": LAN + "nat from box to lan\nallow esp from lan to lan, gateway with tracking\n",
    "no address": WAN.replace("203.0.113.1, ", "") + LAN + NAT + TRACKING,
    "no networks": WAN + "zone lan {\n  interface eth1\n}\n" + NAT + TRACKING,
    "no antispoof": POLICY + "set antispoof off\n",
}


def emitted(text: str, layout: Layout = "whole") -> tuple[tunnelgate.Policy, dict[str, str]]:
    policy = tunnelgate.load(text)
    target = find("nftables")
    assert not target.refuse(build(policy), Setup(layout))
    return policy, dict(target.emit(build(policy), Setup(layout)).files)


@pytest.mark.parametrize("layout", ["whole", "shared"])
@pytest.mark.parametrize("name", POLICIES)
def test_it_is_proved(name: str, layout: Layout) -> None:
    policy, files = emitted(POLICIES[name], layout)
    assert refuted(policy, "nftables", files, layout) == []


def _late(hook: str, rule: str) -> str:
    """One more chain before `esp-sent`."""
    return f"\tchain esp-late {{\n\t\t{hook};\n\t\t{rule}\n\t}}\n\n\tchain esp-sent {{\n"


CLAIMED = "ip daddr @claimed-peers ip daddr . ct zone != @claimants"
PUT = "update @claimants { ip daddr . ct zone } update @claimed-peers { ip daddr }"
ANSWERED = (
    "update @claimants { ip saddr . ct zone timeout 1s } "
    "update @claimed-peers { ip saddr timeout 1s }"
)
SABOTAGE = {
    "drops whoever has no claim": (f"{CLAIMED} ", "ip daddr . ct zone != @claimants "),
    "drops whoever has one": (f"{CLAIMED} ", "ip daddr @claimed-peers "),
    "forgets the claimant": (PUT, "update @claimed-peers { ip daddr }"),
    "names the claimant late": (PUT, " ".join(reversed(re.findall(r"update [^}]*}", PUT)))),
    "takes the claimant away early": (ANSWERED, ANSWERED.replace("1s }", "1ms }", 1)),
    "lets the claimant be forgotten": (
        "delete @answered { ip daddr . ct zone }",
        "delete @claimants { ip daddr . ct zone }",
    ),
    "keeps the claimant for less": (
        r"re:(set claimants \{\n[^}]*timeout) 10s",
        r"\1 5s",
    ),
    "asks another key": (CLAIMED, "ip daddr @claimed-peers ip saddr . ct zone != @claimants"),
    "drops a first packet": ("@known goto esp-known", "@known drop"),
    "asks for a zone of what is not tracked": ("ct state established ct zone set", "ct zone set"),
    "drops what claims": ("ip daddr @claimed-peers return", "ip daddr @claimed-peers drop"),
    "drops within the limit": (
        "limit rate over 10/minute burst 64",
        "limit rate 10/minute burst 64",
    ),
    "drops behind a full set": (
        "update @spoken-to { ip daddr } update @first { ip daddr : ct zone }\n",
        "drop\n",
    ),
    "drops what begins outside": ("ct zone 4096-65535 counter drop", "counter drop"),
    "drops zone 0": ("ct zone 4096-65535 counter drop", "ct zone 0 counter drop"),
    "ends what a host begins": (r're:iifname "eth0" fib daddr type local ct zone', "ct zone"),
    "ends what comes for a host": (
        r"re:fib daddr type local (ct zone 4096-65535 counter drop)",
        r"\1",
    ),
    "ends connections": (
        "chain esp-heard {\n",
        "chain esp-heard {\n\t\tct zone 4096-65535 drop\n",
    ),
    "packets that stay set aside": ("\t\tmeta pkttype set host\n", ""),
    "some packets that stay set aside": (
        "\t\tmeta pkttype set host\n",
        "\t\tesp sequence & 1 != 0 return\n\t\tmeta pkttype set host\n",
    ),
    "packets set aside that nobody takes": ("meta pkttype other goto esp-asked", "counter"),
    "packets set aside too late": (
        "hook prerouting priority -201",
        "hook prerouting priority -198",
    ),
    "packets of all the wire set aside": ("meta pkttype host meta pkttype set", "meta pkttype set"),
    "packets for another host": ("meta pkttype set host", "meta pkttype set other"),
    "drops what begins": (
        "goto esp-sent\n\t}\n\n\tchain esp-of-gateway",
        "drop\n\t}\n\n\tchain esp-of-gateway",
    ),
    "a zone of all protocols": (
        'meta l4proto 50 meta nfproto ipv4 iifname "eth1"',
        'meta nfproto ipv4 iifname "eth1"',
    ),
    "a zone too late": ("hook prerouting priority -201", "hook prerouting priority mangle"),
    "drops all behind the filters": (
        "hook postrouting priority srcnat - 20; policy accept",
        "hook postrouting priority srcnat - 20; policy drop",
    ),
    "drops all of the gateway": (
        "hook output priority 10; policy accept",
        "hook output priority 10; policy drop",
    ),
    "answers without a zone": (r"re:\n[^\n]*goto esp-from-peer", ""),
    "answers of some peers without a zone": (
        r"re:(ip saddr != \{[^}]*\}) fib daddr type local goto",
        r"\1 ip saddr != 192.0.2.0/24 fib daddr type local goto",
    ),
    "direct answers without a zone": (r"re:\n[^\n]*goto esp-to-host[^\n]*", ""),
    "a zone of untranslated peers": (
        r're:(iifname "eth1" [^\n]*) ip daddr != \{[^}]*\}( fib [^\n]* goto esp-from-host)',
        r"\1\2",
    ),
    "learned SPIs are not asked": (r"re:[^\n]*map @known return\n", ""),
    "nothing is learned": (r"re:update @known \{[^}]*\} ?", ""),
    "a verdict of the filters by what is learned": (
        "\tchain esp-sent {\n",
        _late(
            "type filter hook forward priority 20; policy drop", "ip daddr @claimed-peers accept"
        ),
    ),
    "a translation by what is learned": (
        "\tchain esp-sent {\n",
        _late(
            "type nat hook postrouting priority 90; policy accept",
            "ip daddr @claimed-peers masquerade",
        ),
    ),
}


@pytest.mark.parametrize("kind", SABOTAGE)
def test_sabotage_is_caught(kind: str) -> None:
    policy, files = emitted(POLICY + "forward esp from hq to box\nallow esp from lan to dmz\n")
    text = files["ruleset.nft"]
    old, new = SABOTAGE[kind]
    changed = re.sub(old[3:], new, text) if old.startswith("re:") else text.replace(old, new)
    assert changed != text
    try:
        is_caught = bool(refuted(policy, "nftables", {**files, "ruleset.nft": changed}, most=1))
    except Unmodelled:
        is_caught = True
    assert is_caught
