"""An anchor in the ruleset of others, and what no ruleset of pf can promise."""

from __future__ import annotations

from emitted import SITE, ZONES, lines, output

NAT = ZONES + "nat from lan to wan\nallow https from lan to wan\n"


def header(text: str, target: str, layout: str = "shared") -> str:
    files = output(text, target, layout).files
    name = "tunnelgate.anchor" if layout == "shared" else "pf.conf"
    return "\n".join(line for line in files[name].splitlines() if line.startswith("#"))


def test_an_anchor_names_what_the_main_ruleset_needs() -> None:
    classic = header(NAT, "pf-classic")
    wanted = (
        "#   scrub all fragment reassemble",
        '#   nat-anchor "tunnelgate"',
        '#   rdr-anchor "tunnelgate"',
        '#   anchor "tunnelgate"',
        '#   load anchor "tunnelgate" from "/etc/tunnelgate.anchor"',
    )
    places = [classic.index(line) for line in wanted]
    assert places == sorted(places)
    modern = header(NAT, "pf")
    assert "#   set reassemble yes" in modern
    assert '#   anchor "tunnelgate"' in modern
    assert "nat-anchor" not in modern


def test_an_anchor_is_loaded_and_taken_away_alone(target: str) -> None:
    needs = output(NAT, target, "shared").requirements
    assert needs.load == ("pfctl -a tunnelgate -f tunnelgate.anchor",)
    assert needs.unload == ("pfctl -a tunnelgate -F all",)


def test_an_anchor_sets_nothing_and_normalizes_nothing_that_it_cannot(target: str) -> None:
    text = NAT.replace("  interface em0", "  interface em0\n  mss 1400")
    made = lines(text, target, "shared")
    assert not [line for line in made if line.startswith(("set", "scrub"))]
    if target == "pf":
        assert "match on em0 inet scrub (max-mss 1400)" in made
    else:
        assert "#   scrub on em0 inet all max-mss 1400 fragment reassemble" in header(text, target)


def test_an_anchor_decides_on_the_interfaces_of_zones_alone(target: str) -> None:
    for text in (NAT, ZONES + SITE + "set gateway-output deny\nallow ntp from gateway to wan\n"):
        for line in lines(text, target, "shared"):
            if line.startswith(("block", "pass", "nat", "rdr", "match")) and ":nat" not in line:
                assert " on em" in line or " on { em" in line or " on enc0" in line, line
            assert " on ! " not in line


def test_what_the_gateway_sends_is_others_business_unless_the_policy_speaks_of_it(
    target: str,
) -> None:
    def sent(more: str) -> list[str]:
        made = lines(NAT + more, target, "shared")
        return [line for line in made if " out quick" in line and " from (self) " in line]

    assert not sent("")
    denied = sent("set gateway-output deny\nallow ntp from gateway to wan\n")
    assert denied[-1] == (
        'block out quick on { em0 em1 } from (self) label "nothing allows the gateway"'
    )


def test_what_is_decrypted_and_of_no_zone_goes_no_further(target: str) -> None:
    made = lines(ZONES + SITE, target, "shared")
    stray = 'block in quick on enc0 label "decrypted, but of no zone"'
    assert stray in made
    assert all("pass in" not in line for line in made[made.index(stray) :])


def test_ah_is_spoken_of_in_the_header_and_in_the_manifest(target: str) -> None:
    for layout in ("whole", "shared"):
        assert "pf looks through AH" in header(ZONES, target, layout)
        assert any("AH" in one for one in output(ZONES, target, layout).requirements.caveats)


def test_what_cannot_be_promised_is_said_where_it_matters(target: str) -> None:
    def said(text: str) -> str:
        return " ".join(output(text, target).requirements.caveats)

    clamped = ZONES.replace("  interface em0", "  interface em0\n  mss clamp")
    assert ("path MTU" in said(ZONES)) is False
    assert "path MTU" in said(clamped)
    assert ("enc0" in said(ZONES)) is False
    assert "enc0" in said(ZONES + SITE)
    assert ("IKE" in said(ZONES)) is False
    assert "IKE" in said(NAT)
    assert ("second host" in said(ZONES)) is False
    assert "state insertions" in said(NAT + "allow esp from lan to hq with single\n")


def test_the_header_says_how_to_read_and_load(target: str) -> None:
    text = header(ZONES, target, "whole")
    assert "pfctl -nf pf.conf" in text
    assert "# Load it:   pfctl -f pf.conf" in text
    assert "if pfctl finds a mistake, the old one stays" in text
    assert "gateway `policy`, made from policy.tg" in text
