"""Names that mean something to a target are names like others."""

from pathlib import Path

import pytest

from tunnelgate.target import BUILT_IN

WORDS = (
    "accept", "drop", "reject", "table", "chain", "ct", "meta", "ip", "ip6", "inet", "set", "map",
    "type", "flush", "INPUT", "OUTPUT", "FORWARD", "PREROUTING", "MASQUERADE", "ACCEPT", "DROP",
    "filter", "nat", "mangle", "tunnelgate", "policy", "hook", "input", "forward", "helpers",
    "allow", "deny", "zone", "host", "group", "interface", "COMMIT", "counter", "log", "jump",
)  # fmt: skip

_POLICY = """\
gateway {name}
zone {name} {{
  interface eth0
  address 203.0.113.1
  host {name}-host = 192.0.2.10
  group {name}-group = 198.51.100.0/24
}}
zone x-{name} {{
  interface eth1
  network 192.168.1.0/24
  host box = 192.168.1.10
}}
nat from x-{name} to {name}
allow ssh from x-{name} to gateway
allow ipsec-nat-t from x-{name} to {name}
allow ping from {name}-group to gateway with log "{name}"
allow ftp from x-{name} to {name}-host with helper
forward https from {name}-group to box
deny tcp/25 from x-{name} to {name}
expect allow ike from box to {name}-host
"""


#: The program that asks the kernel; pf has none here.
_ASKS = {"nftables": "nft", "iptables": "iptables"}


def _policy(word, target):
    """What the target can do of it: pf has neither helpers nor prefixes."""
    text = _POLICY.format(name=word)
    if target in _ASKS:
        return text
    lines = text.replace(f' with log "{word}"', " with log").splitlines(keepends=True)
    return "".join(line for line in lines if not line.endswith("with helper\n"))


@pytest.mark.parametrize("target", BUILT_IN)
def test_keywords_are_names_and_the_kernel_agrees(run, need, target):
    asks = ["--kernel"] if target in _ASKS else []
    if asks:
        need(_ASKS[target])
    for word in WORDS:
        Path(f"{word}.tg").write_text(_policy(word, target))
    policies = [f"{word}.tg" for word in WORDS]
    result = run("compile", *asks, "-q", *policies, "-o", "out", "-t", target)
    assert (result.out, result.err) == ("", "")
    assert result.code == 0
    assert {path.name for path in Path("out").iterdir()} == set(WORDS)
