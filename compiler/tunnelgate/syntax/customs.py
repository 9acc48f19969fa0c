"""What is written so elsewhere: ports, negation and options in the manner of other programs."""

from __future__ import annotations

import re

from tunnelgate.diagnostics import Diagnostic, Safety
from tunnelgate.syntax.trouble import Trouble, quote
from tunnelgate.syntax.words import END, JOINTS

_OPTIONS = ("log", "counter", "limit", "single", "helper", "hairpin")
_WITH_PORT = re.compile(r"([A-Za-z][\w-]*):([0-9]+)")
_SCOPED = re.compile(r"([0-9A-Fa-f:]+)%[\w.-]+")
_HOST_NAME = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")


def port_elsewhere(trouble: Trouble) -> Diagnostic | None:
    """`wireguard:51821`, `wireguard 51821`, `proto 50`; `to box:8443` of a forward."""
    word, before = trouble.word, trouble.before
    match = _WITH_PORT.fullmatch(word.text)
    if match is not None and trouble.is_inside:
        start, name, number = word.start, match[1], match[2]
    elif word.text.isdecimal() and "_PORT" in trouble.expected and before.text[:1].isalpha():
        start, name, number = before.start, before.text, word.text
    else:
        return None
    seen = {one.text for one in trouble.words[: trouble.index]}
    if "from" in seen and not (trouble.verb == "forward" and "to" in seen):
        return trouble.found(
            "a place has no port",
            f"ports belong to the protocol, as `tcp/{number}` or `wireguard port {number}`",
        )
    if name in ("proto", "protocol"):
        whole, message, form = f"ip/{number}", "a protocol by its number", "`ip/`, the number"
    else:
        whole, message, form = f"{name} port {number}", "a port", "the name, `port`, the number"
    return trouble.found(
        f"{message} is written {quote(whole)}",
        form,
        at=(start, word.end),
        replace=(start, word.end, whole),
    )


def port_behind(trouble: Trouble) -> Diagnostic | None:
    """`allow ike from lan to wan port 500`."""
    if trouble.word.text not in ("port", "dport", "sport") or "from" not in {
        one.text for one in trouble.words[: trouble.index]
    }:
        return None
    return trouble.found(
        "a port stands with its protocol",
        "write it before `from`, as `wireguard port 51821`, or as a literal, e.g. `udp/51821`",
    )


def option_without_with(trouble: Trouble) -> Diagnostic | None:
    """`allow ike from lan to wan log`."""
    word = trouble.word
    if word.text not in _OPTIONS or "_WITH" not in trouble.expected:
        return None
    return trouble.found(
        f"the option `{word.text}` stands behind `with`",
        f"write `with {word.text}`",
        replace=(word.start, word.start, "with "),
    )


def option_elsewhere(trouble: Trouble) -> Diagnostic | None:
    """`limit 10 per second`, `log prefix "x"`."""
    word, before, after = trouble.word, trouble.before, trouble.after
    if word.text == "prefix" and before.text == "log" and after.text.startswith('"'):
        return trouble.found(
            f"a prefix is written {quote(f'log {after.text}')}",
            "leave `prefix` out",
            replace=(word.start, after.start, ""),
        )
    if trouble.neighbour(-2).text != "limit" or not before.text.isdecimal():
        return None
    unit = after.text if word.text in ("per", "/") else word.text
    if unit.rstrip("s") not in ("second", "minute"):
        return None
    rate = f"{before.text}/{unit.rstrip('s')}"
    end = after.end if unit == after.text else word.end
    return trouble.found(
        f"a rate is one word, {quote(rate)}",
        "the number, `/`, the unit",
        at=(before.start, end),
        replace=(before.start, end, rate),
    )


def negation(trouble: Trouble) -> Diagnostic | None:
    """`to !hq`, `to not hq`."""
    word, before = trouble.word, trouble.before
    is_list = {"NAME", "ADDRESS"} <= trouble.expected or END in trouble.expected
    negated = word.text[1:] if word.text.startswith("!") else ""
    if before.text == "not" and word.text not in JOINTS:
        negated = word.text
    if not negated or not is_list:
        return None
    start = before.start if before.text == "not" else word.start
    return trouble.found(
        "a list has no negation",
        f"say what it is taken from: {quote(f'any except {negated}')}",
        at=(start, word.end),
    )


def quoted_name(trouble: Trouble) -> Diagnostic | None:
    """`from "lan"`, `from 'lan'` where names stand."""
    word = trouble.word
    name = word.text.strip("\"'\u201c\u201d\u201e\u2018\u2019")
    if "NAME" not in trouble.expected or "STRING" in trouble.expected:
        return None
    if len(word.text) - len(name) != 2 or not re.fullmatch(r"[A-Za-z][\w-]*", name):
        return None
    return trouble.found(
        "names stand without quotes",
        f"write {quote(name)}",
        replace=(word.start, word.end, name),
        safety=Safety.SAFE,
    )


def name_of_a_machine(trouble: Trouble) -> Diagnostic | None:
    """`fe80::1%eth0`, `vpn.example.org`."""
    word = trouble.word
    if not trouble.is_inside:
        return None
    if match := _SCOPED.fullmatch(word.text):
        return trouble.found(
            f"an address names no interface, as {quote(word.text)} does",
            "leave out what begins with `%`: the zone says which interface",
            replace=(word.start, word.end, match[1]),
        )
    if _HOST_NAME.fullmatch(word.text):
        return trouble.found(
            f"{quote(word.text)} is a name of the DNS, and none is looked up",
            "write its address, or give it a name in its zone: `host NAME = ADDRESS`",
        )
    return None
