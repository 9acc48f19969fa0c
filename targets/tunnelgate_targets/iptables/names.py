"""Names of chains and sets: readable where they fit, shortened with a digest where they do not.

`tg-lan-wan` is the chain of a pair of zones, `tg-lan.source` a chain of one zone, `tg-refused` one
of the whole ruleset. Names of zones hold letters, digits, `_` and `-`, so a dot never comes from
one, and where a zone has a `-` itself a slash stands between two: no two things get one name. The
prefix keeps every name from being a built-in chain, a target or a keyword.
"""

from __future__ import annotations

from hashlib import blake2s

PREFIX = "tg-"
#: iptables(8): chain names are up to 28 characters (XT_EXTENSION_MAXNAMELEN less the final zero).
MAX_CHAIN = 28
#: ipset(8): set names are up to 31 characters (IPSET_MAXNAMELEN less the final zero).
MAX_SET = 31
_DIGITS = 10


def digest(text: str) -> str:
    """Ten hexadecimal digits that stand for a text."""
    return blake2s(text.encode(), digest_size=_DIGITS // 2).hexdigest()


def chain(zones: tuple[str, ...], role: str = "", limit: int = MAX_CHAIN) -> str:
    """The chain that plays a role for some zones, e.g. `tg-lan-wan.pass`; at most `limit` long."""
    joint = "/" if any("-" in zone for zone in zones) else "-"
    ends = joint.join(zones)
    return _shortened(PREFIX + (f"{ends}.{role}" if ends and role else ends or role), limit)


def set_name(family: int, label: str, content: str) -> str:
    """A set by its content, so that the rules in force never see another content than theirs."""
    readable = f"tg{family}-{label}"[: MAX_SET - _DIGITS - 1]
    return f"{readable}.{digest(content)}"


def limit_name(statement: str) -> str:
    """The credit of a limited statement: hashlimit shares it between all rules that name it.

    The statement tells its rate, so that a changed rate is a new name: the kernel never changes
    the rate of a name in use.
    """
    return f"{PREFIX}{digest(statement)}"


def _shortened(name: str, limit: int) -> str:
    if len(name) <= limit:
        return name
    return f"{name[: limit - _DIGITS - 1]}.{digest(name)}"
