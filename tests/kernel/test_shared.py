"""The shared layout beside rulesets in the shape of Docker's, firewalld's and an own one.

Nothing of theirs is changed, their traffic flows as before, and between the policy's zones the
policy decides. The files in `neighbours/` are what stands there already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from gateway import LOADERS, run_commands
from lab import Lab, LoadError, Observation, Probe, Wire

import tunnelgate
from tunnelgate.target import Output

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples" / "beside-docker" / "edge.tg"
NEIGHBOURS = ("docker-nft", "docker-legacy", "firewalld", "own")
HQ, PUBLIC, ALICE, PRINTER, CONTAINER = (
    "192.0.2.10",
    "203.0.113.1",
    "192.168.1.20",
    "192.168.1.60",
    "172.17.0.2",
)
WIRES = (
    Wire("eth0", (f"{PUBLIC}/24",), ("0.0.0.0/0",)),
    Wire("eth1", ("192.168.1.1/24",)),
    Wire("docker0", ("172.17.0.1/16",)),
)
#: The tables of iptables-nft, which its own program lists.
OF_IPTABLES = r"^table ip6? (raw|mangle|nat|filter) \{\n.*?^\}\n"
#: What an administrator says to Docker, whose FORWARD drops what it does not know.
DOCKER_USER = (("eth0", "eth1"), ("eth1", "eth0"))


@dataclass(frozen=True)
class Host:
    """The laboratory with what others have loaded there, and one way to load ours."""

    lab: Lab
    loader: str

    def compile(self, policy: Path | str = EXAMPLE) -> Output:
        name = self.loader.partition("-")[0]
        made = tunnelgate.compile(policy, name, layout="shared")
        return Output(made.files, made.requirements)

    def load(self, output: Output | None = None) -> None:
        self.run(output or self.compile(), "load")

    def run(self, output: Output, what: str) -> None:
        flavour = self.loader.partition("-")[2]
        run_commands(self.lab, output, getattr(output.requirements, what), flavour)

    def neighbour(self, name: str) -> None:
        self.lab.reset()
        kind, _, flavour = name.partition("-")
        if kind == "docker":
            self.lab.load_iptables(
                (HERE / "neighbours/docker.v4").read_text(), legacy=flavour == "legacy"
            )
        else:
            self.lab.load_nft((HERE / f"neighbours/{name}.nft").read_text())

    def let_through_docker(self, name: str) -> None:
        kind, _, flavour = name.partition("-")
        for arrival, departure in DOCKER_USER if kind == "docker" else ():
            rule = f"-I DOCKER-USER -i {arrival} -o {departure} -j ACCEPT".split()
            assert self.lab.run([f"iptables-{flavour}", *rule]).returncode == 0

    def listing(self) -> str:
        """Everything that is loaded, without what counts."""
        parts = [
            self.lab.run([f"{program}-{flavour}-save"]).stdout
            for flavour in ("nft", "legacy")
            for program in ("iptables", "ip6tables")
        ]
        tables = self.lab.run(["nft", "list", "ruleset"]).stdout
        parts.append(re.sub(OF_IPTABLES, "", tables, flags=re.M | re.S))
        parts.append(self.lab.run(["ipset", "save", "-sorted"]).stdout)
        return re.sub(r"\[\d+:\d+\]|packets \d+ bytes \d+|^#.*\n", "", "\n".join(parts), flags=re.M)

    def send(
        self, wire: str, source: str, destination: str, protocol: str, port: int = 0
    ) -> Observation:
        self.lab.flush_conntrack()
        return self.lab.send(Probe(wire, source, destination, protocol, dport=port))


def theirs(listing: str) -> list[str]:
    """A listing without our table, chains and jumps, and without tables that hold nothing."""
    listing = re.sub(r"^table inet tunnelgate \{\n.*?^\}\n", "", listing, flags=re.M | re.S)
    text = "\n".join(line for line in listing.splitlines() if "tg-" not in line)
    # a table of iptables that we were the first to use stays, and is empty
    text = re.sub(r"^\*\w+\n(:\w+ ACCEPT \n)+COMMIT$", "", text, flags=re.M)
    return [line for line in text.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(WIRES) as made:
        yield made


@pytest.fixture(params=LOADERS)
def host(lab: Lab, request: pytest.FixtureRequest) -> Host:
    return Host(lab, request.param)


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_nothing_of_theirs_changes(host: Host, neighbour: str) -> None:
    host.neighbour(neighbour)
    before = host.listing()
    output = host.compile()
    host.load(output)
    once = host.listing()
    assert "tg-" in once or "tunnelgate" in once
    assert theirs(once) == theirs(before)
    host.load(output)
    assert host.listing() == once
    host.run(output, "unload")
    after = host.listing()
    assert "tg-" not in after and "tunnelgate" not in after
    assert theirs(after) == theirs(before)


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_their_traffic_flows(host: Host, neighbour: str) -> None:
    host.neighbour(neighbour)
    for is_loaded in (False, True):
        if is_loaded:
            host.load()
        published = host.send("eth0", HQ, PUBLIC, "tcp", 8080)
        assert (published.arrival.wire, published.arrival.destination) == ("docker0", CONTAINER)
        assert host.lab.reply(published).arrival.source == PUBLIC
        going_out = host.send("docker0", CONTAINER, HQ, "tcp", 443)
        assert (going_out.arrival.wire, going_out.arrival.source) == ("eth0", PUBLIC)
        assert host.lab.reply(going_out).arrival.destination == CONTAINER
        assert (
            host.send("docker0", CONTAINER, "172.17.0.1", "udp", 53).local
            or neighbour == "firewalld"
        )


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_between_the_zones_the_policy_decides(host: Host, neighbour: str) -> None:
    host.neighbour(neighbour)
    host.let_through_docker(neighbour)
    host.load()
    web = host.send("eth1", ALICE, HQ, "tcp", 443)
    assert (web.arrival.wire, web.arrival.source) == ("eth0", PUBLIC)
    assert host.lab.reply(web).arrival.destination == ALICE
    printing = host.send("eth0", HQ, PUBLIC, "tcp", 9100)
    assert (printing.arrival.wire, printing.arrival.destination) == ("eth1", PRINTER)
    assert host.lab.reply(printing).arrival.source == PUBLIC
    assert host.send("eth0", HQ, PUBLIC, "udp", 51820).local
    for refused in (
        host.send("eth1", ALICE, HQ, "tcp", 25),
        host.send("eth1", ALICE, HQ, "tcp", 8443),
        host.send("eth1", ALICE, HQ, "ah"),
        host.send("eth1", "10.0.0.1", HQ, "tcp", 443),
        host.send("eth0", HQ, PUBLIC, "tcp", 22),
        host.send("eth0", "198.51.100.7", PUBLIC, "tcp", 9100),
    ):
        assert refused.dropped, refused


def test_nothing_is_in_clear_whoever_sends_it(host: Host) -> None:
    """A network of the gateway's own IPsec, by an interface of a zone: the one thing that a policy
    says about containers.
    """
    tunnel = "zone site {\n  ipsec over wan\n  network 10.20.0.0/16\n}\n"
    host.neighbour("own")
    assert not host.send("docker0", CONTAINER, "10.20.0.5", "tcp", 80).dropped
    assert not host.send("eth0", "10.20.0.5", PUBLIC, "tcp", 8080).dropped
    host.load(host.compile(EXAMPLE.read_text() + tunnel))
    assert host.send("docker0", CONTAINER, "10.20.0.5", "tcp", 80).dropped
    assert host.send("eth0", "10.20.0.5", PUBLIC, "tcp", 8080).dropped
    assert not host.send("docker0", CONTAINER, "10.21.0.5", "tcp", 80).dropped


def test_what_the_gateway_sends_is_its_zones_business_alone(host: Host) -> None:
    host.neighbour("own")
    host.load(host.compile(EXAMPLE.read_text() + "set gateway-output deny\n"))
    assert host.lab.send(Probe(None, PUBLIC, HQ, "tcp", dport=443)).send_error == "EPERM"
    assert host.lab.send(Probe(None, "172.17.0.1", CONTAINER, "tcp", dport=80)).arrival


@pytest.mark.parametrize("neighbour", ["firewalld", "own"])
def test_nobody_else_translates_what_the_policy_does_not(lab: Lab, neighbour: str) -> None:
    """Both masquerade whatever leaves for the inside; ours stands before them."""
    host = Host(lab, "nftables")
    host.neighbour(neighbour)
    before = host.send("eth0", HQ, PRINTER, "tcp", 9100)
    assert neighbour == "firewalld" or before.arrival.source == "192.168.1.1"
    host.load()
    assert host.send("eth0", HQ, PUBLIC, "tcp", 9100).arrival.source == HQ


@pytest.mark.parametrize("loader", ["iptables-nft", "iptables-legacy"])
def test_the_same_table_leaves_untranslated_what_comes_from_inside(lab: Lab, loader: str) -> None:
    host, flavour = Host(lab, loader), loader.partition("-")[2]
    lab.reset()
    masquerade = ["-t", "nat", "-A", "POSTROUTING", "-o", "eth1", "-j", "MASQUERADE"]
    assert lab.run([f"iptables-{flavour}", *masquerade]).returncode == 0
    text = EXAMPLE.read_text().replace("eth1", "eth1, docker0")
    host.load(host.compile(text + "\nallow http from lan to lan\n"))
    assert host.send("docker0", ALICE, PRINTER, "tcp", 80).arrival.source == ALICE


def test_a_drop_of_theirs_is_final(host: Host) -> None:
    """What cannot be promised: firewalld's policy rejects what ours allows."""
    host.neighbour("firewalld")
    host.load()
    assert host.send("eth1", ALICE, HQ, "udp", 500).arrival.wire == "eth0"
    assert host.send("eth1", ALICE, HQ, "udp", 4500).rejected


@pytest.mark.parametrize("flavour", ["nft", "legacy"])
def test_docker_drops_what_it_does_not_know_unless_ours_is_in_its_table(
    host: Host, flavour: str
) -> None:
    host.neighbour(f"docker-{flavour}")
    host.load()
    passed = not host.send("eth1", ALICE, HQ, "tcp", 443).dropped
    assert passed is (host.loader == f"iptables-{flavour}")


class TestScript:
    """`shared.sh`, which loads what iptables needs."""

    @pytest.fixture(params=["iptables-nft", "iptables-legacy"])
    def host(self, lab: Lab, request: pytest.FixtureRequest) -> Host:
        lab.reset()
        return Host(lab, request.param)

    def test_what_an_older_policy_had_is_gone(self, host: Host) -> None:
        old = EXAMPLE.read_text() + (
            "allow pptp, ftp from lan to wan with helper\n"
            "allow tcp/7000 from 192.168.1.1-192.168.1.77, 192.168.1.90-192.168.1.93 to wan\n"
            "set log-denied on\nset gateway-output deny\n"
        )
        host.load()
        fresh = host.listing()
        host.load(host.compile(old))
        assert "tg4-" in host.listing()
        host.load()
        assert host.listing() == fresh

    def test_removal_takes_the_sets_too(self, host: Host) -> None:
        many = EXAMPLE.read_text() + "allow ssh from 192.168.1.3, 192.168.1.9 to wan\n"
        output = host.compile(many)
        host.load(output)
        assert "tg4-" in host.listing()
        host.run(output, "unload")
        assert "tg" not in host.listing()

    def test_a_rule_that_others_put_first_stays_first(self, host: Host) -> None:
        host.load()
        program = f"iptables-{host.loader.partition('-')[2]}"
        host.lab.run([program, "-I", "INPUT", "-s", HQ, "-j", "DROP"])
        host.load()
        rules = host.lab.run([program, "-S", "INPUT"]).stdout.splitlines()
        assert rules[1:] == [f"-A INPUT -s {HQ}/32 -j DROP", "-A INPUT -j tg-INPUT"]
        assert host.send("eth0", HQ, PUBLIC, "udp", 51820).dropped

    def test_rules_of_the_whole_layout_are_not_mixed_with_it(self, host: Host) -> None:
        whole = tunnelgate.compile(EXAMPLE, "iptables")
        legacy = host.loader.endswith("legacy")
        host.lab.load_iptables(whole.files["rules.v4"], whole.files["rules.v6"], legacy=legacy)
        before = host.listing()
        with pytest.raises(LoadError, match="whole layout"):
            host.load()
        assert host.listing() == before

    def test_a_file_that_is_not_taken_is_said(self, host: Host) -> None:
        output = host.compile()
        broken = output.files["rules.v4"].replace("-j MASQUERADE", "-j NOWHERE")
        with pytest.raises(LoadError, match="NOWHERE"):
            host.load(Output({**output.files, "rules.v4": broken}, output.requirements))

    @pytest.mark.parametrize("word", ["", "reload"])
    def test_other_words_are_wrong_usage(self, host: Host, word: str) -> None:
        with pytest.raises(LoadError, match="usage: "):
            run_commands(host.lab, host.compile(), [f"sh shared.sh {word}"])
