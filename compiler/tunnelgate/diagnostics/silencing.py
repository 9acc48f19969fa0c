"""The rules about what silences findings (TG081 to TG088): comments, and a baseline."""

from __future__ import annotations

from tunnelgate.diagnostics.rule import Rule, Safety, Severity

_ZONES = """zone wan {
  interface eth0
}
zone lan {
  interface eth1
  network   192.168.1.0/24
}
"""
_V6 = """zone v6 {
  interface eth2
  network   2001:db8:9::/48
}
nat from lan to wan
allow ntp from lan to wan
allow ssh from lan, v6 to gateway
"""
_IDLE = _ZONES + _V6
_SOURCE = "findings page, Silencing a finding"

NO_REASON = Rule(
    code="TG081",
    name="ignore-without-reason",
    severity=Severity.WARNING,
    summary="a comment silences a finding and does not say why",
    why="Whoever meets the comment in a year has to know whether it still holds. Without a reason "
    "it silences nothing.",
    source=_SOURCE,
    bad=_IDLE + "allow https from lan to v6  # tunnelgate: ignore[TG607]\n",
    good=_IDLE
    + '# tunnelgate: ignore[TG607] reason="v6 comes to lan in May"\nallow https from lan to v6\n',
    since="0.1.0",
)
UNKNOWN_CODE = Rule(
    code="TG082",
    name="ignore-of-no-rule",
    severity=Severity.WARNING,
    summary="a comment silences what is no rule",
    why="A code that is misspelt silences nothing, and its author believes that it does.",
    source=_SOURCE,
    bad=_IDLE + 'allow https from lan to v6  # tunnelgate: ignore[TG670] reason="in May"\n',
    good=_IDLE + 'allow https from lan to v6  # tunnelgate: ignore[TG607] reason="in May"\n',
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
UNUSED = Rule(
    code="TG083",
    name="ignore-unused",
    severity=Severity.WARNING,
    summary="a comment silences a finding that is not there",
    why="What it was about has been mended. If it stays, it silences the next mistake of its kind.",
    source=_SOURCE,
    bad=_IDLE + 'allow https from lan to wan  # tunnelgate: ignore[TG607] reason="in May"\n',
    good=_IDLE + "allow https from lan to wan\n",
    fixes=(Safety.SAFE,),
    since="0.1.0",
)
EXPIRED = Rule(
    code="TG084",
    name="ignore-expired",
    severity=Severity.WARNING,
    summary="a comment is past the day until which it silences",
    why="Somebody promised to look again by that day. Until then the finding is shown.",
    source=_SOURCE,
    bad=_IDLE
    + 'allow https from lan to v6  # tunnelgate: ignore[TG607] reason="in May" until=2020-05-31\n',
    good=_IDLE
    + 'allow https from lan to v6  # tunnelgate: ignore[TG607] reason="in May" until=9999-05-31\n',
    since="0.1.0",
)
MALFORMED = Rule(
    code="TG085",
    name="ignore-malformed",
    severity=Severity.WARNING,
    summary="a comment to tunnelgate that cannot be read",
    why="A comment that begins with `tunnelgate:` is meant to have an effect. One that cannot be "
    "read has none.",
    source=_SOURCE,
    bad=_IDLE + "allow https from lan to v6  # tunnelgate: ingore[TG607]\n",
    good=_IDLE + 'allow https from lan to v6  # tunnelgate: ignore[TG607] reason="in May"\n',
    since="0.1.0",
)
NOT_SILENCED = Rule(
    code="TG086",
    name="error-not-silenced",
    severity=Severity.WARNING,
    summary="a comment is to silence an error",
    why="An error is what cannot work. It stops compiling, and a comment does not make it work. "
    "What is said of such comments cannot be silenced either.",
    source=_SOURCE,
    bad=_ZONES
    + "nat from lan to wan\nallow ssh from lan to gateway\n"
    + 'allow ah from lan to wan  # tunnelgate: ignore[TG101] reason="it has always been so"\n',
    good=_ZONES
    + "nat from lan to wan\nallow ssh from lan to gateway\nallow ipsec-nat-t from lan to wan\n",
    since="0.1.0",
)
GONE = Rule(
    code="TG087",
    name="baseline-entry-gone",
    severity=Severity.WARNING,
    summary="an entry of the baseline is about nothing that is found",
    why="What it was about has been mended. A baseline only shrinks: an entry that stays hides the "
    "next mistake of its kind.",
    source="findings page, Baseline",
    bad="",
    good=_ZONES + "allow ssh from lan to gateway\n",
    since="0.1.0",
)
ADDED = Rule(
    code="TG088",
    name="silencing-added",
    severity=Severity.WARNING,
    summary="a change brings a comment or a baseline entry that would silence a finding",
    why="With `--config-from` the base of a change decides what is silenced. What the change adds "
    "is shown for a reviewer to decide about, and silences nothing yet.",
    source="findings page, Pull requests",
    bad="",
    good=_ZONES + "allow ssh from lan to gateway\n",
    since="0.1.0",
)

RULES = (NO_REASON, UNKNOWN_CODE, UNUSED, EXPIRED, MALFORMED, NOT_SILENCED, GONE, ADDED)
