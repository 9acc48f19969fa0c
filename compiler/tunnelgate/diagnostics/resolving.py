"""The rules about names and values (TG005 to TG017): what was read cannot be meant."""

from __future__ import annotations

from tunnelgate.diagnostics.rule import Rule, Safety, Severity

_WAN = """zone wan {
  interface eth0
  address   203.0.113.1
}
"""
_LAN = """zone lan {
  interface eth1
  network   192.168.1.0/24
}
"""

DUPLICATE_NAME = Rule(
    code="TG005",
    name="duplicate-name",
    severity=Severity.ERROR,
    summary="two things have the same name",
    why="Zones, hosts and groups share their names, so do protocols: a name means one thing, "
    "wherever it stands.",
    source="language reference, Text, names and values",
    bad=_WAN
    + "zone lan {\n  interface eth1\n  network   192.168.1.0/24\n  host wan = 192.168.1.10\n}\n",
    good=_WAN
    + "zone lan {\n  interface eth1\n  network   192.168.1.0/24\n  host box = 192.168.1.10\n}\n",
    since="0.1.0",
)
UNKNOWN_NAME = Rule(
    code="TG006",
    name="unknown-name",
    severity=Severity.ERROR,
    summary="a name that nothing has",
    why="Every place is a zone, host or group of this policy, every protocol a built-in one or one "
    "of the policy's own.",
    source="language reference, Text, names and values",
    bad=_WAN + _LAN + "allow ssh from lann to wan\n",
    good=_WAN + _LAN + "allow ssh from lan to wan\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
BAD_VALUE = Rule(
    code="TG007",
    name="bad-value",
    severity=Severity.ERROR,
    summary="a word that is no address, port, number or interface",
    why="What goes into a ruleset is printed from the value, never passed on as text, so a word "
    "that two programs could read differently is refused here: `010.0.0.1` is octal to some.",
    source="language reference, Text, names and values; inet_aton(3)",
    bad=_WAN + "allow ssh from 010.0.0.1 to gateway\n",
    good=_WAN + "allow ssh from 10.0.0.1 to gateway\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
WRONG_KIND = Rule(
    code="TG008",
    name="wrong-kind",
    severity=Severity.ERROR,
    summary="a name of the wrong kind for its place",
    why="A forward hands packets to one host, a statement about a zone needs a zone.",
    source="language reference, Places",
    bad=_WAN + _LAN + "nat from lan to wan\nforward ike, nat-t from wan to lan\n",
    good=_WAN
    + "zone lan {\n  interface eth1\n  network   192.168.1.0/24\n  host box = 192.168.1.10\n}\n"
    + "nat from lan to wan\nforward ike, nat-t from wan to box\n",
    since="0.1.0",
)
INCOMPLETE_ZONE = Rule(
    code="TG009",
    name="incomplete-zone",
    severity=Severity.ERROR,
    summary="a zone that nothing tells apart",
    why="A zone is told apart by the interfaces its packets use, or by the gateway's own IPsec "
    "protecting what goes to its network.",
    source="language reference, Zones",
    bad="zone lan {\n  network 192.168.1.0/24\n}\n",
    good="zone lan {\n  interface eth1\n  network   192.168.1.0/24\n}\n",
    since="0.1.0",
)
ZONE_CONFLICT = Rule(
    code="TG010",
    name="zone-conflict",
    severity=Severity.ERROR,
    summary="two zones claim the same packets",
    why="A packet is in one zone: an interface belongs to one zone, and so does a network.",
    source="language reference, Zones",
    bad=_WAN + "zone lan {\n  interface eth0\n  network   192.168.1.0/24\n}\n",
    good=_WAN + _LAN,
    since="0.1.0",
)
OUTSIDE_ZONE = Rule(
    code="TG011",
    name="address-outside-zone",
    severity=Severity.ERROR,
    summary="an address that its zone does not hold",
    why="A packet with that address would arrive in another zone, so the statement could never "
    "match.",
    source="language reference, Zones",
    bad=_WAN
    + "zone lan {\n  interface eth1\n  network   192.168.1.0/24\n  host box = 10.0.0.1\n}\n",
    good=_WAN
    + "zone lan {\n  interface eth1\n  network   192.168.1.0/24\n  host box = 192.168.1.10\n}\n",
    since="0.1.0",
)
BAD_OPTION = Rule(
    code="TG012",
    name="bad-option",
    severity=Severity.ERROR,
    summary="an option that this statement cannot have",
    why="Each option belongs to certain statements and protocols; one that would do nothing is "
    "refused.",
    source="language reference, Options",
    bad=_WAN + _LAN + "allow ssh from lan to wan with helper\n",
    good=_WAN + _LAN + "allow ftp from lan to wan with helper\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
BAD_SETTING = Rule(
    code="TG013",
    name="bad-setting",
    severity=Severity.ERROR,
    summary="a setting that does not exist, or not with this value",
    why="A setting that is misspelt would otherwise be silently without effect.",
    source="language reference, Settings",
    bad=_WAN + "set antispof on\n",
    good=_WAN + "set antispoof on\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
BAD_STATEMENT = Rule(
    code="TG015",
    name="bad-statement",
    severity=Severity.ERROR,
    summary="a statement whose parts do not go together",
    why="Each part is right by itself, but together they have no meaning.",
    source="language reference, Principles",
    bad=_WAN
    + "zone lan {\n  interface eth1\n  network   192.168.1.0/24\n  host box = 192.168.1.10\n}\n"
    + "nat from lan to wan\nforward ike, nat-t from wan to box port 500\n",
    good=_WAN
    + "zone lan {\n  interface eth1\n  network   192.168.1.0/24\n  host box = 192.168.1.10\n}\n"
    + "nat from lan to wan\nforward ike, nat-t from wan to box\n",
    since="0.1.0",
)
BAD_PARAMETER = Rule(
    code="TG017",
    name="bad-parameter",
    severity=Severity.ERROR,
    summary="a parameter without a value, or with one that does not fit",
    why="A parameter stands for one word of its type and never for text, so that no value can make "
    "a statement say more than its author meant.",
    source="language reference, param",
    bad=_WAN + _LAN + "param admins : prefix...\nallow ssh from $admins to gateway\n",
    good=_WAN
    + _LAN
    + "param admins : prefix... = 192.168.1.0/28\nallow ssh from $admins to gateway\n",
    fixes=(Safety.SAFE, Safety.UNSAFE),
    since="0.1.0",
)
RULES = (
    DUPLICATE_NAME,
    UNKNOWN_NAME,
    BAD_VALUE,
    WRONG_KIND,
    INCOMPLETE_ZONE,
    ZONE_CONFLICT,
    OUTSIDE_ZONE,
    BAD_OPTION,
    BAD_SETTING,
    BAD_STATEMENT,
    BAD_PARAMETER,
)
