"""The filter: who may come in, who may cross, who may leave."""

from __future__ import annotations

import re

import pytest
from emitted import SITE, ZONES, lines

NAT = ZONES + "nat from lan to wan\n"


def labelled(text: str, label: str, target: str = "pf") -> list[str]:
    return [line for line in lines(text, target) if f'label "{label}' in line]


def position(made: list[str], start: str) -> int:
    return next(number for number, line in enumerate(made) if line.startswith(start))


# -- in


def test_what_crosses_comes_in_without_a_state(target: str) -> None:
    """A state of the way in would let an answer out to what was never let out itself."""
    made = lines(NAT + "allow ssh from lan to wan\n", target)
    assert "pass in quick on em1 no state tag tg:lan" in made
    assert "pass in quick on em0 no state tag tg:wan" in made


def test_nothing_for_the_gateway_is_let_in_to_cross_it(target: str) -> None:
    made = lines(ZONES + "allow ssh from lan to gateway\n", target)
    refused = position(made, "block in quick on em1 tagged tg.gateway")
    assert refused < position(made, "pass in quick on em1 no state")
    allowed = position(made, "pass in quick on em1 proto 6 to any port 22 tagged tg.gateway")
    assert allowed < refused


def test_the_gateway_is_its_addresses_broadcast_and_multicast(target: str) -> None:
    mark = "match" if target == "pf" else "block"
    made = lines(ZONES, target)
    assert f"{mark} in to (self) tag tg.gateway" in made
    assert f"{mark} in inet to (self:broadcast) tag tg.gateway" in made
    (table,) = [line for line in made if line.startswith("table <tg.everybody.")]
    assert table.split("{")[1].split()[:-1] == [
        "0.0.0.0", "224.0.0.0/4", "255.255.255.255", "fe80::/10", "ff00::/8",
    ]  # fmt: skip


def test_the_tag_of_what_enclosed_a_packet_does_not_outlive_the_tunnel(target: str) -> None:
    made = lines(ZONES, target)
    stale = next(n for n, line in enumerate(made) if "tagged tg.gateway tag tg.arrived" in line)
    assert stale < min(n for n, line in enumerate(made) if line.endswith(" tag tg.gateway"))


def test_spoofed_sources_are_dropped_before_everything_is_let_in(target: str) -> None:
    made = lines(ZONES + "allow any from any to gateway\n", target)
    first = next(n for n, line in enumerate(made) if line.startswith("pass in"))
    spoofed = [n for n, line in enumerate(made) if "source is not of zone" in line]
    assert len(spoofed) == 4
    assert max(spoofed) < first


def test_nobody_and_link_local_sources_are_never_spoofed(target: str) -> None:
    made = lines(ZONES, target)
    (inet6,) = [line for line in made if line.startswith("block in quick on em1 inet6")]
    name = re.search(r"<tg\.not-lan\.\w+>", inet6)
    assert name is not None
    assert f"table {name[0]} const {{ :: fd00:1::/64 fe80::/10 }}" in made
    assert f"from ! {name[0]}" in inet6


def test_a_lease_is_asked_for_by_nobody(target: str) -> None:
    made = lines(ZONES, target)
    spoofed = position(made, "block in on em1 inet from ! 192.168.1.0/24 tag tg.spoofed")
    assert made[spoofed + 1 : spoofed + 3] == [
        "block in on em1 inet proto 17 from 0.0.0.0 to any port 67 tag tg.lease",
        'block in quick on em1 tagged tg.spoofed label "source is not of zone lan"',
    ]


def test_what_a_forward_has_translated_keeps_its_tag_where_leases_are_asked_for(
    target: str,
) -> None:
    """With another one it would be let in without the state that translates it (modern)."""
    made = lines(NAT + "forward any from wan to box with hairpin\n", target)
    mine, spoofed = "tagged tg:lan:forward", "tg:lan:forward:spoofed"
    first = position(made, f"block in on em1 inet from ! 192.168.1.0/24 {mine} tag {spoofed}")
    asks = "block in on em1 inet proto 17 from 0.0.0.0 to any port 67"
    assert made[first + 1 : first + 5] == [
        f"{asks} tagged {spoofed} tag tg:lan:forward",
        f'block in quick on em1 tagged {spoofed} label "source is not of zone lan"',
        f"block in on em1 inet from ! 192.168.1.0/24 ! {mine} tag tg.spoofed",
        f"{asks} ! {mine} tag tg.lease",
    ]
    for other in ("any from wan to box", "tcp/67 from wan to box with hairpin"):
        assert spoofed not in "\n".join(lines(NAT + f"forward {other}\n", target))


def test_antispoof_off(target: str) -> None:
    assert "spoofed" not in "\n".join(lines(ZONES + "set antispoof off\n", target))


def test_discovery_and_errors_pass_whatever_is_denied(target: str) -> None:
    made = lines(ZONES + "deny icmp from any to gateway\n", target)
    for link in ("em0", "em1"):
        discovery = position(
            made, f"pass in quick on {link} inet6 proto 58 icmp6-type {{ 130 131 132 133 "
        )
        assert made[discovery].endswith("tagged tg.gateway no state allow-opts")
        assert made[discovery + 1] == (
            f"pass in quick on {link} inet6 proto 58 icmp6-type {{ 1 2 3 4 }} no state tag tg.reply"
        )
        assert discovery < position(made, f"block in quick on {link} proto {{ 1 58 }}")


def test_errors_are_judged_where_the_policy_says_so(target: str) -> None:
    made = "\n".join(lines(ZONES + "set icmp none\n", target))
    assert "icmp6-type { 1 2 3 4 } no state tag" not in made


def test_a_denial_of_a_forward_stands_where_its_state_is_made(target: str) -> None:
    text = NAT + "forward https from wan to box\ndeny https from hq to box\n"
    made = lines(text, target)
    denied = [n for n, line in enumerate(made) if 'label "deny' in line and "block in" in line]
    passed = [n for n, line in enumerate(made) if 'label "forward' in line]
    assert denied
    assert max(denied) < min(passed)
    assert all("to 192.168.1.10" in made[n] for n in denied)
    assert all("tagged tg:wan:forward" in made[n] for n in (*denied, *passed))


def test_only_what_is_translated_passes_by_a_forward(target: str) -> None:
    made = lines(NAT + "forward tcp/80 from wan to box\n", target)
    about = [line for line in made if line.startswith("pass out quick on em1")]
    about_it = 'label "forwarded from wan" tag tg.reply'
    assert about == [f"pass out quick on em1 tagged tg:wan:forward keep state {about_it}"]


# -- across


def test_denials_stand_before_permissions(target: str) -> None:
    text = NAT + "allow any from lan to wan\ndeny tcp/25 from lan to wan\n"
    made = lines(text, target)
    assert position(made, "block out quick on em0 proto 6 to any port 25 tagged tg:lan") < position(
        made, "pass out quick on em0 tagged tg:lan"
    )


def test_an_icmp_error_about_nothing_does_not_leave_with_its_private_source(target: str) -> None:
    made = lines(NAT + "allow icmp from lan to wan\n", target)
    error = "block out quick on em0 inet proto 1 icmp-type { 3 4 5 11 12 } tagged tg:lan "
    assert position(made, error) < position(made, "pass out quick on em0 proto { 1 58 }")
    for text in (ZONES + "allow icmp from lan to wan\n", NAT + "allow ping from lan to wan\n"):
        assert not any(line.startswith(error) for line in lines(text, target))


def test_what_is_redirected_never_passes_without_a_state(target: str) -> None:
    """It would not be translated then, and reach the gateway itself."""
    made = lines(NAT + "forward https from wan to box\n", target)
    last = position(made, "pass in quick on em0 no state tag tg:wan")
    assert made[last - 1].startswith("block in quick on em0 tagged tg:wan:forward ")


def test_replies_leave_by_their_tag_and_what_encloses_them_does_not(target: str) -> None:
    made = lines(NAT + "allow ssh from lan to wan\n", target)
    assert "pass out quick from ! (self) tagged tg.reply no state" in made
    (ssh,) = [line for line in made if "allow ssh" in line]
    assert ssh.endswith(" tag tg.reply")


def test_nothing_else_crosses(target: str) -> None:
    made = lines(NAT + "forward https from wan to box\nallow esp from box to wan\n", target)
    left = [line.split("tagged ")[1].split()[0] for line in made if "nothing allows it from" in line
            and line.startswith("block out")]  # fmt: skip
    tags = {word for line in made for word in re.findall(r" tag (tg:\S+)", line)}
    assert set(left) == {tag for tag in tags if not tag.endswith(":nat")}
    assert max(position(made, f"block out quick all tagged {tag} ") for tag in left) < position(
        made, "pass out quick all keep state"
    )


def test_what_has_no_limit_is_asked_before_what_has_one(target: str) -> None:
    text = ZONES + (
        "allow ssh from hq to gateway with limit 6/minute per source\n"
        "allow ssh from wan to gateway\n"
    )
    made = [line for line in lines(text, target) if 'label "allow ssh' in line]
    assert "from wan to gateway" in made[0]
    assert all("keep state (max-src-conn-rate 6/60)" in line for line in made[1:])


def test_log_and_reject() -> None:
    text = NAT + "deny tcp/25, udp/9 from lan to wan with log\nset reject on\n"
    made = labelled(text, "deny tcp/25")
    assert [line.split(" quick")[0] for line in made] == [
        "block return-rst out log",
        "block return-icmp(13, 1) out log",
    ]
    assert "proto 6 to any port 25" in made[0]
    assert "proto 17 to any port 9" in made[1]
    (outside,) = labelled(text, "nothing allows it from wan to gateway")
    assert outside.startswith("block in quick")
    inside = labelled(text, "nothing allows it from lan to gateway")
    assert [line.split(" in ")[0] for line in inside] == [
        "block return-rst",
        "block return-icmp(13, 1)",
    ]


def test_log_denied_logs_what_nothing_allows(target: str) -> None:
    made = lines(NAT + "set log-denied on\ndeny tcp/25 from lan to wan\n", target)
    assert "block log all" in made
    for line in made:
        if line.startswith("block") and " quick" in line and "clear text" not in line:
            assert " log quick" in line, line


# -- out


def test_the_gateway_may_send_what_it_likes(target: str) -> None:
    made = lines(ZONES, target)
    assert made[-1] == (
        'pass out quick all keep state allow-opts label "what the gateway itself sends"'
    )


def test_the_gateway_may_send_what_the_policy_says(target: str) -> None:
    text = ZONES + "set gateway-output deny\nallow ntp from gateway to wan\n"
    made = lines(text, target)
    assert made[-1] == 'block out quick all label "nothing allows the gateway"'
    assert "pass out quick on em0 proto 17 to any port 123 keep state label" in made[-2]
    assert "pass out quick inet proto 1 icmp-type { 3 11 12 } no state" in made


def test_what_the_gateway_may_send_anyway_has_no_limit(target: str) -> None:
    """pf drops what is above one, and asks no later rule."""
    text = ZONES + "deny tcp/25 from gateway to wan\n"
    text += "allow ssh from gateway to wan with limit 6/minute per source\n"
    (ssh,) = labelled(text, "allow ssh", target)
    assert " keep state label " in ssh
    (ssh,) = labelled(text + "set gateway-output deny\n", "allow ssh", target)
    assert " keep state (max-src-conn-rate 6/60) label " in ssh


# -- IPsec


def tunnel(more: str, target: str = "pf") -> list[str]:
    return lines(ZONES + SITE + more, target)


def test_states_of_enc0_are_bound_to_it(target: str) -> None:
    text = "allow any from lan to site\nallow any from site to lan, gateway\n"
    for line in tunnel(text, target):
        if "on enc0" in line and "keep state" in line:
            assert "keep state (if-bound)" in line, line
    assert any("pass out quick on enc0 inet to 10.20.0.0/16 tagged tg:lan keep state" in line
               for line in tunnel(text, target))  # fmt: skip


def test_the_drops_of_clear_text_come_first_in_each_direction(target: str) -> None:
    made = tunnel("nat from lan to wan\nallow any from lan to wan, site\n", target)
    incoming = 'block in quick on ! enc0 inet from 10.20.0.0/16 label "clear text from site"'
    outgoing = 'block out quick on ! enc0 inet to 10.20.0.0/16 label "clear text to site"'
    assert made.index(incoming) == position(made, "block in quick")
    assert made.index(incoming) < position(made, "pass in")
    assert made.index(outgoing) < position(made, "pass out")


def test_decrypted_strays_are_let_in_by_nothing(target: str) -> None:
    made = tunnel("allow any from site to lan\nallow ipsec from hq to gateway\n", target)
    for line in made:
        if line.startswith("pass in") and "enc0" in line:
            assert "from 10.20.0.0/16" in line or "proto { 4 41 }" in line, line


def test_tunnel_mode_of_openbsd_passes(target: str) -> None:
    made = tunnel("", target)
    about = 'label "IP in IP of tunnel mode"'
    (table,) = [line.split()[1] for line in made if line.startswith("table <tg.protected.")]
    where = f"on enc0 proto {{ 4 41 }} from ! {table} to (self)"
    assert f"pass in quick {where} no state {about}" in made
    where = f"on enc0 proto {{ 4 41 }} from (self) to ! {table}"
    assert f"pass out quick {where} no state {about}" in made
    assert not any("proto { 4 41 }" in line for line in lines(ZONES, target))


def test_l2tp_inside_ipsec_only(target: str) -> None:
    made = lines(ZONES + "allow l2tp-ipsec from wan to gateway\n", target)
    inside = [line for line in made if "port 1701" in line and line.startswith("pass in")]
    assert inside
    assert all("on enc0" in line and "(if-bound)" in line for line in inside)
    clear = 'label "L2TP in clear text"'
    assert f"block out quick on em0 proto 17 from (self) port 1701 {clear}" in made


def test_a_denial_of_l2tp_inside_ipsec_denies_none_in_clear(target: str) -> None:
    text = ZONES + "deny l2tp-ipsec from hq to gateway\nallow l2tp from wan to gateway\n"
    made = lines(text, target)
    assert any(line.startswith("pass in quick on em0 ") and "port 1701" in line for line in made)
    assert not any(line.startswith("block in") and "port 1701" in line for line in made)


def test_l2tp_beside_a_tunnel_is_of_no_protected_source(target: str) -> None:
    made = tunnel("allow l2tp-ipsec from wan to gateway\n", target)
    inside = [line for line in made if "port 1701" in line and line.startswith("pass in")]
    assert inside
    assert not any("from any" in line or "from 10.20" in line for line in inside)


@pytest.mark.parametrize(
    ("statement", "has"), [("allow ipsec from wan to gateway\n", True), ("", False)]
)
def test_without_a_tunnel_zone_decrypted_packets_are_of_the_outside(
    target: str, statement: str, has: bool
) -> None:
    made = lines(ZONES + statement, target)
    found = [line for line in made if line.startswith("pass in quick on enc0") and "tg:wan" in line]
    assert bool(found) is has
