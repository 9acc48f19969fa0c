"""The laboratory itself is right: known rulesets, known outcomes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from lab import Arrival, Endpoint, Lab, LabError, LoadError, Observation, Probe, Wire

HOST_A, HOST_B, GATEWAY = "192.168.1.10", "192.168.1.11", "192.168.1.1"
PUBLIC, PEER, OTHER_PEER = "203.0.113.1", "198.51.100.10", "198.51.100.20"
HOST_6, GATEWAY_6, PEER_6 = "fd00:1::10", "fd00:1::1", "2001:db8:ff::10"
WIRES = (
    Wire("lan0", (f"{GATEWAY}/24", f"{GATEWAY_6}/64"), ("10.9.0.0/16",)),
    Wire("ppp0", (f"{PUBLIC}/24", "203.0.113.2/24", "2001:db8::1/64"), ("0.0.0.0/0", "::/0")),
    Wire("dmz", ("192.0.2.1/28",), mtu=1280),
)

MASQUERADE = """
table ip nat {
 chain post {
  type nat hook postrouting priority srcnat
  oifname "ppp0" masquerade
 }
}
"""
PPTP_HELPER = """
table inet helpers {
 ct helper pptp-standard {
  type "pptp" protocol tcp
 }
 chain assign {
  type filter hook prerouting priority filter
  tcp dport 1723 ct helper set "pptp-standard"
 }
}
"""
STRICT_PPTP = """
table inet strict {
 chain forward_policy {
  type filter hook forward priority 0
  policy drop
  ct state established,related accept
  iifname "lan0" oifname "ppp0" tcp dport 1723 ct state new accept
 }
}
"""
IPTABLES = """*nat
-A POSTROUTING -o ppp0 -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A FORWARD -i lan0 -m set --match-set hosts src -p esp -j ACCEPT
COMMIT
"""
IP6TABLES = """*filter
:FORWARD DROP [0:0]
-A FORWARD -p esp -j ACCEPT
COMMIT
"""
IPSET = f"create hosts hash:ip\nadd hosts {HOST_A}\n"


@pytest.fixture(scope="module", params=["as is", "user namespace"])
def shared_lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    with Lab(WIRES, user_namespace=request.param == "user namespace") as lab:
        yield lab


@pytest.fixture
def lab(shared_lab: Lab) -> Lab:
    shared_lab.reset()
    return shared_lab


def filter_rule(rule: str, hook: str = "forward") -> str:
    return f"""
table inet rules {{
 chain rules_{hook} {{
  type filter hook {hook} priority 0
  {rule}
 }}
}}
"""


def dnat(rule: str) -> str:
    return f"""
table ip inward {{
 chain pre {{
  type nat hook prerouting priority dstnat
  {rule}
 }}
}}
"""


def outgoing(protocol: str | int = "udp", **fields: object) -> Probe:
    return Probe("lan0", HOST_A, PEER, protocol, **fields)  # type: ignore[arg-type]


def outgoing6(protocol: str | int = "udp", **fields: object) -> Probe:
    return Probe("lan0", HOST_6, PEER_6, protocol, **fields)  # type: ignore[arg-type]


def where(seen: Observation) -> list[tuple[str | None, str, str]]:
    return [(each.wire, each.source, each.destination) for each in seen.arrivals]


class TestForwardingWithoutRules:
    @pytest.mark.parametrize(
        "protocol", ["tcp", "udp", "esp", "ah", "gre", "icmp", "ipip", "6in4", 33, 132, 136, 253]
    )
    def test_ipv4_protocols(self, lab: Lab, protocol: str | int) -> None:
        seen = lab.send(outgoing(protocol))
        assert where(seen) == [("ppp0", HOST_A, PEER)]
        assert seen.arrival.protocol == protocol
        assert seen.arrival.checksum_ok
        assert seen.arrival.ttl == 63
        assert not seen.local and not seen.icmp and not seen.answers and not seen.dropped

    @pytest.mark.parametrize(
        "protocol", ["tcp", "udp", "esp", "ah", "gre", "icmpv6", "ipip", "6in4", 132, 253]
    )
    @pytest.mark.parametrize("extensions", [(), ("dstopts",), ("hopopts", "dstopts")])
    def test_ipv6_protocols(
        self, lab: Lab, protocol: str | int, extensions: tuple[str, ...]
    ) -> None:
        arrival = lab.send(outgoing6(protocol, extensions=extensions)).arrival
        assert (arrival.wire, arrival.source, arrival.destination) == ("ppp0", HOST_6, PEER_6)
        assert (arrival.protocol, arrival.extensions) == (protocol, extensions)
        assert arrival.checksum_ok is not False
        assert arrival.icv_ok is (True if protocol == "ah" else None)

    def test_header_fields(self, lab: Lab) -> None:
        assert lab.send(outgoing(sport=4500, dport=4501)).arrival.dport == 4501
        assert lab.send(outgoing("tcp", flags="FA")).arrival.flags == "FA"
        assert lab.send(outgoing("esp", spi=0xABCDEF01)).arrival.spi == 0xABCDEF01
        assert lab.send(outgoing("ah", spi=7, inner="udp")).arrival.inner == "udp"
        assert lab.send(outgoing("gre", key=9)).arrival.key == 9
        pptp = lab.send(outgoing("gre", call_id=0)).arrival
        assert (pptp.call_id, pptp.key) == (0, None)
        assert lab.send(outgoing("icmp", icmp_id=5)).arrival.icmp_id == 5
        assert lab.send(outgoing(50, spi=3)).arrival.spi == 3

    def test_routes_follow_the_wires(self, lab: Lab) -> None:
        assert where(lab.send(Probe("ppp0", PEER, "10.9.8.7"))) == [("lan0", PEER, "10.9.8.7")]
        assert where(lab.send(Probe("lan0", HOST_A, "192.0.2.5")))[0][0] == "dmz"
        assert where(lab.send(Probe("ppp0", PEER, HOST_B)))[0][0] == "lan0"
        assert where(lab.send(Probe("lan0", HOST_A, "203.0.113.77")))[0][0] == "ppp0"

    def test_any_source_may_be_claimed(self, lab: Lab) -> None:
        assert where(lab.send(Probe("ppp0", HOST_B, HOST_A))) == [("lan0", HOST_B, HOST_A)]

    def test_ttl_and_mtu_errors(self, lab: Lab) -> None:
        (expired,) = lab.send(outgoing(ttl=1)).icmp
        assert (expired.wire, expired.icmp_type, expired.icmp_code) == ("lan0", 11, 0)
        (too_big,) = lab.send(Probe("lan0", HOST_A, "192.0.2.5", size=1300)).icmp
        assert (too_big.icmp_type, too_big.icmp_code, too_big.mtu) == (3, 4, 1280)
        whole = lab.send(Probe("lan0", HOST_A, "192.0.2.5", size=1300, df=False)).arrival
        assert (whole.fragments, whole.complete, whole.checksum_ok) == (2, True, True)


class TestTranslation:
    def test_masquerade_udp_both_ways(self, lab: Lab) -> None:
        lab.load_nft(MASQUERADE)
        first = lab.send(outgoing(sport=500))
        assert where(first) == [("ppp0", PUBLIC, PEER)]
        assert (first.arrival.sport, first.arrival.checksum_ok) == (500, True)
        second = lab.send(Probe("lan0", HOST_B, PEER, sport=500))
        assert 1 <= (second.arrival.sport or 0) < 512
        for seen, host in ((first, HOST_A), (second, HOST_B)):
            back = lab.reply(seen).arrival
            assert (back.wire, back.destination, back.dport) == ("lan0", host, 500)
        assert len(lab.conntrack()) == 2

    @pytest.mark.parametrize("protocol", ["tcp", "esp", "gre", "icmp", "ipip", "6in4", 253])
    def test_masquerade_and_answer(self, lab: Lab, protocol: str | int) -> None:
        lab.load_nft(MASQUERADE)
        seen = lab.send(outgoing(protocol))
        assert where(seen) == [("ppp0", PUBLIC, PEER)]
        assert where(lab.reply(seen)) == [("lan0", PEER, HOST_A)]

    def test_ah_does_not_survive_masquerade(self, lab: Lab) -> None:
        lab.load_nft(MASQUERADE)
        seen = lab.send(outgoing("ah"))
        assert (seen.arrival.source, seen.arrival.icv_ok) == (PUBLIC, False)
        assert lab.reply(seen).arrival.icv_ok is False

    def test_second_esp_host_to_the_same_peer_vanishes(self, lab: Lab) -> None:
        lab.load_nft(MASQUERADE)
        first = lab.send(outgoing("esp", spi=0x1001))
        second = lab.send(Probe("lan0", HOST_B, PEER, "esp", spi=0x1002))
        assert second.dropped and not second.icmp and not second.rejected
        assert not lab.send(Probe("lan0", HOST_B, OTHER_PEER, "esp")).dropped
        assert where(lab.reply(first, spi=0x1002)) == [("lan0", PEER, HOST_A)]
        lab.flush_conntrack()
        assert not lab.send(Probe("lan0", HOST_B, PEER, "esp", spi=0x1002)).dropped

    def test_dnat(self, lab: Lab) -> None:
        lab.load_nft(dnat(f"udp dport 500 dnat to {HOST_B}:4500"))
        seen = lab.send(Probe("ppp0", PEER, PUBLIC, dport=500))
        assert where(seen) == [("lan0", PEER, HOST_B)]
        assert seen.arrival.dport == 4500
        assert lab.reply(seen).arrival.source == PUBLIC

    def test_masquerade_takes_the_first_address_of_the_wire(self, lab: Lab) -> None:
        lab.load_nft(MASQUERADE.replace("ppp0", "dmz"))
        assert where(lab.send(Probe("lan0", HOST_A, "192.0.2.9")))[0][1] == "192.0.2.1"


class TestRefusal:
    def test_drop_is_proven(self, lab: Lab) -> None:
        lab.load_nft(filter_rule("udp dport 500 drop"))
        seen = lab.send(outgoing())
        assert seen.dropped and not seen.rejected
        assert not lab.send(outgoing(dport=501)).dropped

    def test_reject(self, lab: Lab) -> None:
        lab.load_nft(filter_rule("meta l4proto esp reject with icmp type admin-prohibited"))
        seen = lab.send(outgoing("esp"))
        (error,) = seen.icmp
        assert seen.dropped and seen.rejected
        assert (error.wire, error.destination) == ("lan0", HOST_A)
        assert (error.icmp_type, error.icmp_code) == (3, 13)
        assert error.quoted is not None
        assert (error.quoted.protocol, error.quoted.spi) == ("esp", 0x1000)

    def test_reject_ipv6(self, lab: Lab) -> None:
        lab.load_nft(filter_rule("udp dport 500 reject"))
        (error,) = lab.send(outgoing6()).icmp
        assert (error.protocol, error.icmp_type, error.icmp_code) == ("icmpv6", 1, 4)
        assert error.quoted is not None and error.quoted.dport == 500

    def test_tcp_reset(self, lab: Lab) -> None:
        lab.load_nft(filter_rule("meta l4proto tcp reject with tcp reset"))
        seen = lab.send(outgoing("tcp"))
        assert seen.rejected and not seen.icmp
        assert [answer.flags for answer in seen.answers] == ["RA"]

    def test_icmp_error_about_a_translated_packet(self, lab: Lab) -> None:
        lab.load_nft(MASQUERADE)
        seen = lab.send(outgoing("esp"))
        error = Probe(
            "ppp0",
            "198.51.100.1",
            PUBLIC,
            "icmp",
            icmp_type=3,
            icmp_code=4,
            mtu=1400,
            quote=seen.arrival.packet,
        )
        back = lab.send(error).arrival
        assert (back.wire, back.destination, back.mtu) == ("lan0", HOST_A, 1400)
        assert back.quoted is not None
        assert (back.quoted.source, back.quoted.protocol) == (HOST_A, "esp")


class TestFragments:
    def test_untracked_fragments_pass_one_by_one(self) -> None:
        with Lab(WIRES) as lab:
            lab.send(outgoing())  # on a busy machine the first packet of a laboratory may be late
            for probe in (outgoing(fragment=400, size=1000), outgoing6(fragment=400, size=1000)):
                arrival = lab.send(probe).arrival
                assert (arrival.fragments, arrival.complete, arrival.dport) == (3, True, 500)
                assert arrival.checksum_ok
            lab.load_nft(filter_rule("udp dport 500 drop"))
            for probe in (outgoing(fragment=400, size=1000), outgoing6(fragment=400, size=1000)):
                arrival = lab.send(probe).arrival
                assert (arrival.fragments, arrival.complete, arrival.dport) == (2, False, None)

    def test_tracked_fragments_are_judged_as_one_packet(self, lab: Lab) -> None:
        lab.load_nft(filter_rule("udp dport 500 ct state new drop"))
        for options in ((), ("hopopts",), ("dstopts",), ("hopopts", "dstopts")):
            for probe in (outgoing, outgoing6):
                packet = probe(fragment=400, size=1000, extensions=options)
                assert lab.send(packet).dropped
                arrival = lab.send(dataclasses.replace(packet, dport=501)).arrival
                assert arrival.complete and arrival.checksum_ok

    def test_atomic_fragments(self, lab: Lab) -> None:
        lab.load_nft(filter_rule("udp dport 500 ct state new drop"))
        options = ("dstopts", "fragment")
        assert lab.send(outgoing6(extensions=options)).dropped
        for protocol in ("udp", "ah"):
            arrival = lab.send(outgoing6(protocol, extensions=options, dport=501)).arrival
            assert arrival.extensions == ("dstopts",)
            assert arrival.icv_ok is not False

    def test_ah_survives_fragmentation(self, lab: Lab) -> None:
        for probe in (outgoing, outgoing6):
            packet = probe("ah", fragment=400, size=1000, extensions=("dstopts",))
            arrival = lab.send(packet).arrival
            assert arrival.complete and arrival.icv_ok


class TestTheGatewayItself:
    @pytest.mark.parametrize("protocol", ["tcp", "udp", "esp", "ah", "gre", "icmp", "ipip", 132])
    def test_local_delivery(self, lab: Lab, protocol: str | int) -> None:
        seen = lab.send(Probe("ppp0", PEER, PUBLIC, protocol))
        assert [each.protocol for each in seen.local] == [protocol]
        assert not seen.arrivals and not seen.icmp and not seen.dropped

    @pytest.mark.parametrize("protocol", ["tcp", "udp", "esp", "ah", "gre", "icmpv6", "6in4", 200])
    def test_local_delivery_ipv6(self, lab: Lab, protocol: str | int) -> None:
        seen = lab.send(Probe("ppp0", PEER_6, "2001:db8::1", protocol, extensions=("dstopts",)))
        assert [(each.source, each.protocol) for each in seen.local] == [(PEER_6, protocol)]
        assert not seen.arrivals and not seen.icmp and not seen.dropped

    def test_local_fragments(self, lab: Lab) -> None:
        for probe in (
            Probe("ppp0", PEER, PUBLIC, fragment=400, size=1000),
            Probe("ppp0", PEER_6, "2001:db8::1", fragment=400, size=1000),
        ):
            (received,) = lab.send(probe).local
            assert received.dport == 500

    def test_input_rules(self, lab: Lab) -> None:
        lab.load_nft(filter_rule("udp dport 500 drop\nudp dport 501 reject", "input"))
        assert lab.send(Probe("ppp0", PEER, PUBLIC, dport=500)).dropped
        refused = lab.send(Probe("ppp0", PEER, PUBLIC, dport=501))
        assert refused.rejected and len(refused.icmp) == 1
        assert lab.send(Probe("ppp0", PEER, PUBLIC, dport=502)).local

    def test_own_packets(self, lab: Lab) -> None:
        for probe in (
            Probe(None, PUBLIC, PEER, "esp"),
            Probe(None, "2001:db8::1", PEER_6, "esp", extensions=("dstopts",)),
            Probe(None, "2001:db8::1", PEER_6, "tcp"),
            Probe(None, PUBLIC, PEER, "udp", fragment=400, size=1000),
        ):
            assert where(lab.send(probe)) == [("ppp0", probe.source, probe.destination)]

    def test_own_packets_refused(self, lab: Lab) -> None:
        lab.load_nft(filter_rule("meta l4proto esp drop", "output"))
        for source, peer in ((PUBLIC, PEER), ("2001:db8::1", PEER_6)):
            seen = lab.send(Probe(None, source, peer, "esp"))
            assert seen.dropped and seen.send_error == "EPERM"

    def test_gateway_answers_what_it_received(self, lab: Lab) -> None:
        lab.load_nft(filter_rule("udp sport 500 ct state new drop", "output"))
        seen = lab.send(Probe("ppp0", PEER, PUBLIC, sport=500))
        assert where(lab.reply(seen)) == [("ppp0", PUBLIC, PEER)]
        assert lab.send(Probe(None, PUBLIC, OTHER_PEER, sport=500)).dropped


class TestLoading:
    @pytest.mark.parametrize("legacy", [False, True])
    def test_iptables_with_ipset(self, lab: Lab, legacy: bool) -> None:
        lab.load_iptables(IPTABLES, IP6TABLES, IPSET, legacy=legacy)
        seen = lab.send(outgoing("esp"))
        assert where(seen) == [("ppp0", PUBLIC, PEER)]
        assert where(lab.reply(seen)) == [("lan0", PEER, HOST_A)]
        assert lab.send(Probe("lan0", HOST_B, OTHER_PEER, "esp")).dropped
        assert not lab.send(outgoing6("esp")).dropped
        assert lab.send(outgoing6("udp")).dropped

    def test_reset_forgets_everything(self, lab: Lab) -> None:
        for _ in range(5):
            lab.load_nft(filter_rule("drop"))
            for legacy in (False, True):
                ipset = None if legacy else IPSET
                lab.load_iptables(IPTABLES, IP6TABLES, ipset, legacy=legacy)
            lab.sysctl("net.ipv4.ip_forward", 0)
            assert lab.send(outgoing()).dropped
            lab.reset()
            assert where(lab.send(outgoing())) == [("ppp0", HOST_A, PEER)]
            assert not lab.send(outgoing6()).dropped
            assert lab.run(["nft", "list", "ruleset"]).stdout == ""
            assert lab.run(["ipset", "list", "-n"]).stdout == ""
            assert "DROP" not in lab.run(["iptables-legacy", "-S"]).stdout

    def test_reset_forgets_connections(self, lab: Lab) -> None:
        lab.load_nft(MASQUERADE)
        lab.send(outgoing())
        assert len(lab.conntrack()) == 1
        lab.reset()
        assert lab.conntrack() == []

    def test_refused_rulesets(self, lab: Lab) -> None:
        with pytest.raises(LoadError, match="syntax error"):
            lab.load_nft("table ip {")
        with pytest.raises(LoadError, match="nonsense"):
            lab.load_iptables("*filter\n-A FORWARD -j nonsense\nCOMMIT\n")
        with pytest.raises(LoadError, match="ipset"):
            lab.load_iptables(ipset="create hosts no:type\n")

    def test_programs_run_in_the_gateway(self, lab: Lab) -> None:
        assert lab.run(["cat"], stdin="text").stdout == "text"
        assert "ppp0" in lab.run(["ip", "-o", "link"]).stdout
        assert lab.run(["false"]).returncode == 1

    def test_tools_count_what_passed(self, lab: Lab) -> None:
        lab.load_nft(filter_rule("counter"))
        lab.send(outgoing())
        assert "packets 1 " in lab.run(["nft", "list", "ruleset"]).stdout


CLIENT = Endpoint("lan0", HOST_A, 40001)
SERVER = Endpoint("ppp0", PEER, 80)


class TestTcp:
    def test_conversation_through_masquerade(self, lab: Lab) -> None:
        lab.load_nft(MASQUERADE)
        talk = lab.tcp(CLIENT, SERVER)
        assert talk.connect()
        assert talk.server_saw == (PUBLIC, 40001)
        assert talk.client_saw == (PEER, 80)
        long = bytes(range(256)) * 20
        assert talk.client_sends(long) == long
        assert talk.server_sends(long) == long
        assert talk.client_sends(b"more") == b"more"
        assert any("ESTABLISHED" in line and "ASSURED" in line for line in lab.conntrack())
        assert talk.close()
        assert any("TIME_WAIT" in line for line in lab.conntrack())

    def test_server_behind_dnat(self, lab: Lab) -> None:
        lab.load_nft(dnat(f"tcp dport 80 dnat to {HOST_B}:80"))
        client, server = Endpoint("ppp0", PEER, 40001), Endpoint("lan0", HOST_B, 80)
        talk = lab.tcp(client, server, dial=PUBLIC)
        assert talk.connect() and talk.client_saw == (PUBLIC, 80)
        assert talk.client_sends(b"hello") == b"hello"

    def test_ipv6(self, lab: Lab) -> None:
        talk = lab.tcp(Endpoint("lan0", HOST_6, 40001), Endpoint("ppp0", PEER_6, 80))
        assert talk.connect() and talk.client_sends(b"hello") == b"hello"
        assert talk.server_sends(b"hello") == b"hello"

    def test_ends_on_the_gateway(self, lab: Lab) -> None:
        lab.load_nft(MASQUERADE)
        outward = lab.tcp(Endpoint(None, PUBLIC, 40001), SERVER)
        inward = lab.tcp(Endpoint("lan0", HOST_6, 40001), Endpoint(None, GATEWAY_6, 80))
        for talk in (outward, inward):
            assert talk.connect()
            assert talk.client_sends(b"hello") == b"hello"
            assert talk.server_sends(b"hello") == b"hello"
            assert talk.close()
        lab.reset()
        seen = lab.send(Probe("lan0", HOST_A, GATEWAY, "tcp", dport=80))
        assert [answer.flags for answer in seen.answers] == ["RA"]

    def test_blocked(self, lab: Lab) -> None:
        lab.load_nft(filter_rule("tcp dport 80 drop"))
        talk = lab.tcp(CLIENT, SERVER)
        assert not talk.connect() and talk.server_saw is None

    def test_blocked_later(self, lab: Lab) -> None:
        talk = lab.tcp(CLIENT, SERVER)
        assert talk.connect()
        lab.load_nft(filter_rule("tcp dport 80 drop"))
        assert talk.client_sends(b"lost") == b""

    def test_a_helper_that_changes_the_length(self, lab: Lab) -> None:
        helper = PPTP_HELPER.replace('"pptp"', '"ftp"').replace("1723", "21")
        lab.load_nft(MASQUERADE + helper)
        talk = lab.tcp(CLIENT, Endpoint("ppp0", PEER, 21))
        assert talk.connect()
        assert talk.client_sends(b"USER x\r\n")
        for port in (80, 81):
            command = f"PORT 192,168,1,10,156,{port}\r\n".encode()
            seen = talk.client_sends(command)
            assert seen == command.replace(b"192,168,1,10", b"203,0,113,1")
            assert len(seen) != len(command)
            assert talk.server_sends(b"200 done\r\n") == b"200 done\r\n"
        assert talk.client.damaged == talk.server.damaged == 0


class TestPptp:
    def sessions(self, lab: Lab) -> list[bool]:
        server = Endpoint("ppp0", PEER, 1723)
        calls = [
            lab.pptp(Endpoint("lan0", host, 40002), server, server_call_id=call_id)
            for host, call_id in ((HOST_A, 100), (HOST_B, 101))
        ]
        assert [call.connect() for call in calls] == [True, True]
        assert all(call.client_saw_own_call_id == call.client_call_id for call in calls)
        return [call.carries_data() for call in calls]

    def test_two_clients_with_helper(self, lab: Lab) -> None:
        lab.load_nft(MASQUERADE + STRICT_PPTP + PPTP_HELPER)
        assert self.sessions(lab) == [True, True], "is the kernel module nf_nat_pptp loaded?"

    def test_two_clients_without_helper(self, lab: Lab) -> None:
        lab.load_nft(MASQUERADE)
        assert self.sessions(lab) == [False, False]

    def test_server_behind_dnat(self, lab: Lab) -> None:
        lab.load_nft(dnat(f"tcp dport 1723 dnat to {HOST_B}") + PPTP_HELPER)
        client, server = Endpoint("ppp0", PEER, 40002), Endpoint("lan0", HOST_B, 1723)
        call = lab.pptp(client, server, dial=PUBLIC)
        assert call.connect()
        up, down = call.data()
        assert up.arrival.destination == HOST_B and down.arrival.source == PUBLIC
        assert call.carries_data()

    def test_client_on_the_gateway(self, lab: Lab) -> None:
        own = PPTP_HELPER.replace("hook prerouting", "hook output")
        rule = filter_rule("ct state established,related accept\ndrop", "input")
        client, server = Endpoint(None, PUBLIC, 40002), Endpoint("ppp0", PEER, 1723)
        for rules, works in ((rule, False), (rule + own, True)):
            lab.reset()
            lab.load_nft(rules)
            call = lab.pptp(client, server)
            assert call.connect()
            assert (not call.data_down().dropped) is works
            assert not works or call.carries_data()

    def test_a_worker_that_dies(self) -> None:
        with Lab(WIRES[:1]) as lab:
            with pytest.raises(LabError, match="died"):
                lab.run(["sh", "-c", "kill -9 $PPID"])
            with pytest.raises(LabError, match="closed"):
                lab.reset()


class TestTheLaboratory:
    def test_nothing_to_answer(self, lab: Lab) -> None:
        lab.load_nft(filter_rule("drop"))
        with pytest.raises(LookupError):
            lab.reply(lab.send(outgoing()))

    def test_failures_are_told_apart(self, lab: Lab) -> None:
        with pytest.raises(LabError, match="KeyError"):
            lab.send(Probe("no-such-wire", HOST_A, PEER))
        assert not lab.send(outgoing()).dropped
        with pytest.raises(LabError, match="interface name"):
            Lab([Wire("a-name-that-is-too-long")])

    def test_closed(self) -> None:
        lab = Lab(WIRES[:1])
        lab.close()
        with pytest.raises(LabError, match="closed"):
            lab.send(outgoing())

    def test_texts_are_brief(self) -> None:
        assert repr(Arrival("a", "b", "c", "esp", spi=1)) == (
            "Arrival(wire='a', source='b', destination='c', protocol='esp', spi=1)"
        )
