"""The words of the language, as the reader of a message knows them."""

from __future__ import annotations

from collections.abc import Collection

#: What a statement begins with.
STATEMENTS = (
    "allow",
    "deny",
    "forward",
    "nat",
    "expect",
    "zone",
    "protocol",
    "param",
    "set",
    "include",
    "gateway",
)

#: What a line in a zone begins with.
MEMBERS = ("interface", "network", "address", "host", "group", "mss", "ipsec")

#: The words that join a statement; nobody's name.
JOINING = ("from", "to", "with", "as", "at", "over")

#: The words that go on with a statement, and begin none.
JOINTS = (*JOINING, "except", "reaches", "leaves")

#: Words of other firewalls, and ours.
ELSEWHERE = {
    "accept": "allow",
    "pass": "allow",
    "permit": "allow",
    "block": "deny",
    "drop": "deny",
    "refuse": "deny",
    "reject": "deny",
    "masquerade": "nat",
    "snat": "nat",
    "dnat": "forward",
    "rdr": "forward",
    "redirect": "forward",
    "assert": "expect",
    "test": "expect",
    "import": "include",
    "option": "set",
    "variable": "param",
}

#: How statements and items of zones look.
FORMS = {
    "allow": "allow PROTOCOL from PLACE to PLACE",
    "deny": "deny PROTOCOL from PLACE to PLACE",
    "forward": "forward PROTOCOL from PLACE to HOST",
    "nat": "nat from PLACE to PLACE",
    "expect": "expect allow PROTOCOL from PLACE to PLACE` or `expect PROTOCOL from PLACE to PLACE "
    "reaches HOST",
    "zone": "zone NAME {",
    "protocol": "protocol NAME = udp/8443 + tcp/8443",
    "param": "param NAME : TYPE",
    "include": 'include "FILE"',
    "set": "set OPTION VALUE",
    "gateway": "gateway NAME",
    "interface": "interface eth0, eth1",
    "network": "network 192.168.1.0/24",
    "address": "address 203.0.113.1",
    "host": "host NAME = ADDRESS",
    "group": 'group NAME = PLACE, PLACE` or `group NAME from "FILE"',
    "mss": "mss clamp` or `mss 1380",
    "ipsec": "ipsec over ZONE",
}

#: The terminals of the grammar that are one word or sign; what they are.
SIGNS = {
    "ADDRESS_WORD": "address",
    "ALLOW": "allow",
    "CLOSE": "}",
    "COLON": ":",
    "DENY": "deny",
    "DOTS": "...",
    "EQUAL": "=",
    "EXPECT": "expect",
    "FORWARD": "forward",
    "GATEWAY": "gateway",
    "GROUP": "group",
    "HOST": "host",
    "INCLUDE": "include",
    "INTERFACE": "interface",
    "IPSEC": "ipsec",
    "IPV6": "ipv6",
    "LBRACE": "{",
    "MSS": "mss",
    "NAT": "nat",
    "NETWORK": "network",
    "OWN": "gateway",
    "PARAM_WORD": "param",
    "PER_SOURCE": "per source",
    "PROTOCOL": "protocol",
    "SET": "set",
    "UNTRANSLATED": "untranslated",
    "ZONE": "zone",
    "_AS": "as",
    "_AT": "at",
    "_COMMA": ",",
    "_EXCEPT": "except",
    "_FROM": "from",
    "_LEAVES": "leaves",
    "_OVER": "over",
    "_PLUS": "+",
    "_PORT": "port",
    "_REACHES": "reaches",
    "_TO": "to",
    "_WITH": "with",
}

#: Sets of terminals that stand for one thing.
_THINGS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"NAME", "IFNAME", "ADDRESS", "LITERAL", "STRING", "INT"}), "a value"),
    (frozenset({"NAME", "IFNAME", "STRING", "PARAM"}), "an interface"),
    (frozenset({"NAME", "LITERAL", "PARAM"}), "a protocol"),
    (frozenset({"NAME", "ADDRESS", "PARAM"}), "a place"),
    (frozenset({"NAME", "INT", "PARAM"}), "`clamp` or a number"),
    (frozenset({"ADDRESS", "PARAM"}), "an address"),
    (frozenset({"INT", "PARAM"}), "a port number"),
    (frozenset({"NAME", "PARAM"}), "a name"),
    (frozenset({"NAME"}), "a name"),
    (frozenset({"STRING"}), "a file name in double quotes"),
)

#: What may come but need not, where something else must.
_OPTIONAL = frozenset({"_COMMA", "_PLUS", "_EXCEPT", "_PORT", "_AT", "IPV6", "DOTS", "_NL"})

#: What a set of expected terminals holds where the statement could end.
END = "$END"


def must_follow(expected: Collection[str]) -> list[str]:
    """What has to come where these terminals are expected, each as the reader knows it."""
    needed = set(expected) - _OPTIONAL
    found = []
    if "VERDICT" in needed:
        found += ["`allow`", "`deny`"]
    for terminals, thing in _THINGS:
        if terminals <= needed:
            found.append(thing)
            needed -= terminals
    return found + [f"`{SIGNS[name]}`" for name in sorted(needed) if name in SIGNS]


def fixed_words(expected: Collection[str]) -> list[str]:
    """The words of the language among the expected terminals."""
    found = ["allow", "deny"] if "VERDICT" in expected else []
    return found + [SIGNS[name] for name in sorted(expected) if name in SIGNS]


def one_of(items: list[str]) -> str:
    """`a, b or c`."""
    return " or ".join(filter(None, (", ".join(items[:-1]), items[-1])))
