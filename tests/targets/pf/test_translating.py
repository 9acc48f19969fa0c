"""Translation in both dialects (pf.conf(5), TRANSLATION)."""

from __future__ import annotations

import re

from emitted import SITE, ZONES, lines

NAT = ZONES + "nat from lan to wan\n"


def starting(text: str, target: str, *words: str) -> list[str]:
    return [line for line in lines(text, target) if line.startswith(words)]


def sources(text: str, target: str) -> list[str]:
    return starting(text, target, "nat", "match out")


def destinations(text: str, target: str) -> list[str]:
    return starting(text, target, "rdr", "no rdr", "match in on em")


# -- source


def test_a_masquerade_is_the_primary_address_whatever_that_is() -> None:
    """`(em0)` would be all addresses in turn; a bare `em0` what it was at load."""
    assert sources(NAT, "pf-classic") == [
        "nat on em0 inet proto 17 from any port 500 tagged tg:lan -> (em0:0) static-port",
        "nat on em0 inet tagged tg:lan -> (em0:0)",
    ]


def test_the_first_match_counts_in_the_modern_dialect_too() -> None:
    """A later `match` would see the new address: it asks for a tag that is gone by then."""
    ike = "proto 17 from any port 500"
    assert sources(NAT, "pf") == [
        f"match out on em0 inet {ike} tagged tg:lan nat-to (em0:0) static-port tag tg:lan:nat",
        "match out on em0 inet tagged tg:lan nat-to (em0:0) tag tg:lan:nat",
        "match out all tagged tg:lan:nat tag tg:lan",
    ]


def test_only_what_came_by_the_zone_is_translated(target: str) -> None:
    for line in sources(NAT, target):
        assert " tagged tg:lan" in line


def test_a_fixed_address() -> None:
    text = ZONES + "nat from box to wan as 203.0.113.1\n"
    assert "nat on em0 inet from 192.168.1.10 tagged tg:lan -> 203.0.113.1" in sources(
        text, "pf-classic"
    )


def test_of_several_ipv6_addresses_the_first_is_named() -> None:
    text = ZONES.replace("203.0.113.1", "203.0.113.1, 2001:db8::1, 2001:db8::2")
    assert "nat on em0 inet6 tagged tg:lan -> 2001:db8::1" in sources(
        text + "nat ipv6 from lan to wan\n", "pf-classic"
    )


def test_ipv6_is_translated_where_that_is_said(target: str) -> None:
    assert not any("inet6" in line for line in sources(NAT, target))
    text = ZONES.replace("203.0.113.1", "203.0.113.1, 2001:db8::1") + "nat ipv6 from lan to wan\n"
    assert all("inet6" in line or " all " in line for line in sources(text, target))


def test_each_interface_has_its_own_address(target: str) -> None:
    made = sources(NAT.replace("interface em0", "interface em0, em7"), target)
    assert [line for line in made if "on em7" in line]
    assert all("(em7:0)" in line for line in made if "on em7" in line)


def test_the_more_specific_nat_comes_first(target: str) -> None:
    text = NAT + "nat from box to wan as 203.0.113.1\n"
    made = [line for line in sources(text, target) if "inet proto" not in line and "em0" in line]
    assert "from 192.168.1.10 " in made[0]
    assert "203.0.113.1" in made[0]
    assert "(em0:0)" in made[1]


def test_source_ports_that_a_forward_takes_are_moved(target: str) -> None:
    text = NAT + "forward ipsec from 198.51.100.0/24 to box\n"
    moved, ike, _ = [line for line in sources(text, target) if "em0" in line]
    assert "proto 17 from ! 192.168.1.10 port { 500 4500 } to 198.51.100.0/24 tagged" in moved
    assert moved.split("(em0:0) ")[1].startswith("port 4501:65535")
    assert "static-port" in ike


def test_moved_ports_are_those_of_the_destinations_that_a_nat_reaches(target: str) -> None:
    text = ZONES + "nat from lan to hq\nforward ipsec from hq to box\n"
    (moved,) = [line for line in sources(text, target) if "4501" in line]
    assert "port { 500 4500 } to 192.0.2.10 " in moved


def test_a_statement_about_a_host_is_told_by_a_tag_behind_translation(target: str) -> None:
    """The filter sees the new source, so `from 192.168.1.10` would never match there."""
    text = NAT + "allow esp from box to wan\nallow https from lan to wan\n"
    made = lines(text, target)
    (esp,) = [line for line in made if "allow esp" in line and " inet " in line]
    assert "tagged tg:lan:192.168.1.10" in esp
    assert " from " not in esp.split(" label ")[0]
    https = [line for line in made if "allow https" in line]
    assert {line.split("tagged ")[1].split()[0] for line in https} == {
        "tg:lan:192.168.1.10",
        "tg:lan:others",
        "tg:lan",
    }
    tagging = [line for line in sources(text, target) if " tag tg:lan:192.168.1.10" in line]
    assert all("from 192.168.1.10" in line and "tagged tg:lan" in line for line in tagging)
    assert len(tagging) == 2


def test_a_tag_is_never_too_long(target: str) -> None:
    name = "a" * 31
    text = ZONES.replace("lan", name).replace("203.0.113.1", "203.0.113.1, 2001:db8::1")
    text = text.replace("fd00:1::10", "fd00:1:0:0:1234:5678:9abc:def0")
    text += f"nat ipv6 from {name} to wan\nallow esp from box to wan\n"
    tags = {word for line in lines(text, target) for word in re.findall(r"tg:\S+", line)}
    assert any(tag.startswith(f"tg:{name}:") for tag in tags)
    assert max(len(tag) for tag in tags) <= 63


def test_a_host_that_is_not_translated_is_told_by_its_address(target: str) -> None:
    text = ZONES + "nat from box to wan\nallow esp from alice to wan\n"
    (esp,) = [line for line in lines(text, target) if "allow esp" in line and "tg:lan " in line]
    assert "from 192.168.1.20 tagged tg:lan keep" in esp


def test_the_gateways_own_packets_and_replies_meet_no_translation(target: str) -> None:
    for line in sources(NAT, target):
        assert "tagged" in line
        assert "tg.reply" not in line


def test_nat_before_ipsec_is_on_enc0(target: str) -> None:
    text = ZONES + SITE + "nat from lan to site as 203.0.113.1\nallow any from lan to site\n"
    made = [line for line in sources(text, target) if "nat" in line.split()[0] or "nat-to" in line]
    assert made
    assert all("on enc0 inet" in line and "to 10.20.0.0/16" in line for line in made)


# -- destination


def test_a_forward_of_a_known_address() -> None:
    text = NAT + "forward tcp/8080 from wan to box port 80\n"
    where, goal = "on em0 inet proto 6 to 203.0.113.1 port 8080", "192.168.1.10 port 80"
    (classic,) = destinations(text, "pf-classic")
    assert classic == f"rdr {where} tag tg:wan:forward -> {goal}"
    (modern,) = destinations(text, "pf")
    assert modern == f"match in {where} rdr-to {goal} tag tg:wan:forward"


def test_a_port_never_stands_beside_esp(target: str) -> None:
    for line in destinations(NAT + "forward ipsec from wan to box\n", target):
        assert ("proto 50" in line) != ("port" in line)


def test_a_forward_of_a_dynamic_address(target: str) -> None:
    text = NAT.replace("  address   203.0.113.1\n", "") + "forward https from wan to box\n"
    assert any(" to (em0) port 443" in line for line in destinations(text, target))


def test_a_hairpin_takes_any_address_of_the_machine_but_those_elsewhere() -> None:
    text = NAT.replace("  address   203.0.113.1\n", "")
    text += "forward https from wan to box with hairpin\n"
    where = "on em1 inet proto { 6 17 } to"
    assert [line for line in destinations(text, "pf-classic") if "em1" in line] == [
        f"no rdr {where} 192.168.1.0/24 port 443",
        f"no rdr {where} (em1) port 443",
        f"rdr {where} (self) port 443 tag tg:lan:forward -> 192.168.1.10",
    ]
    marked, own, taken = (line for line in destinations(text, "pf") if "em1" in line)
    alone = "! tagged tg:lan:forward"  # what is redirected already is elsewhere by now
    assert marked == f"match in {where} 192.168.1.0/24 port 443 {alone} tag tg.elsewhere"
    assert own == f"match in {where} (em1) port 443 {alone} tag tg.elsewhere"
    rdr = "rdr-to 192.168.1.10 tag tg:lan:forward"
    assert taken == f"match in {where} (self) port 443 ! tagged tg.elsewhere {rdr}"


def test_at_another_zone_leaves_the_address_of_the_arrival_interface_alone(target: str) -> None:
    text = NAT.replace("  address   203.0.113.1\n", "")
    text += "zone dmz {\n  interface em2\n  network 10.9.0.0/16\n}\n"
    text += "forward tcp/80 from wan at dmz to box\n"
    made = [line for line in destinations(text, target) if "on em0 inet proto 6 to" in line]
    assert [line.split(" to ")[1].split()[0] for line in made] == [
        "192.168.1.0/24",
        "(em0)",
        "(self)",
    ]
    assert ["192.168.1.10" in line for line in made] == [False, False, True]


def test_what_is_turned_around_gets_the_address_of_the_gateway_there(target: str) -> None:
    text = NAT + "forward https from wan to box with hairpin\n"
    made = [line for line in sources(text, target) if "tagged tg:lan:forward" in line]
    assert all(" to 192.168.1.10 " in line for line in made if "on em1" in line)
    assert any("(em1:0)" in line for line in made)


def test_a_forward_by_ipsec_is_told_by_enc0(target: str) -> None:
    text = ZONES + SITE + "nat from lan to site as 203.0.113.1\nforward https from site to box\n"
    made = [line for line in lines(text, target) if line.startswith(("rdr", "match in on enc0"))]
    assert made
    assert all("on enc0 inet" in line and "from 10.20.0.0/16" in line for line in made)
