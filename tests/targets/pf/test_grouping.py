"""Rules do not grow with hosts, and the bytes do not depend on the order of statements."""

from __future__ import annotations

import random

from emitted import ZONES, lines

NAT = ZONES + "nat from lan to wan\n"


def test_statements_that_differ_in_a_host_are_one_rule(target: str) -> None:
    def count(hosts: int) -> int:
        text = NAT + "".join(
            f"allow ipsec-nat-t from 192.168.1.{number} to wan\n"
            f"allow https from box to 198.51.100.{number}\n"
            f"deny tcp/25 from 192.168.1.{number} to wan\n"
            for number in range(100, 100 + hosts)
        )
        made = lines(text, target)
        return sum(line.startswith(("pass", "block", "match", "nat")) for line in made)

    assert count(5) == count(100)


def test_few_statements_keep_their_labels(target: str) -> None:
    text = ZONES + "allow ssh from box to wan\nallow ssh from alice to wan\n"
    made = "\n".join(lines(text, target))
    assert 'label "allow ssh from box to wan"' in made
    assert 'label "allow ssh from alice to wan"' in made


def test_many_statements_are_counted(target: str) -> None:
    text = ZONES + "".join(f"allow ssh from 192.168.1.{n} to wan\n" for n in range(1, 9))
    made = "\n".join(lines(text, target))
    assert 'label "allow: 8 statements"' in made


def test_a_statement_that_logs_stays_apart(target: str) -> None:
    text = ZONES + "".join(f"allow ssh from 192.168.1.{n} to wan\n" for n in range(1, 9))
    text += "allow ssh from 192.168.1.100 to wan with log\n"
    made = [line for line in lines(text, target) if "ssh" in line or "statements" in line]
    assert ["log" in line.split(" quick")[0] for line in made] == [True, False]


def test_the_order_of_statements_gives_the_same_bytes(target: str) -> None:
    statements = [
        "nat from box to wan as 203.0.113.1",
        "forward https from wan to box with hairpin",
        "allow ipsec-nat-t from lan to wan",
        "allow ssh from alice to hq with log",
        "allow esp from box to wan",
        "deny tcp/25 from lan to wan",
        *(f"allow ssh from 192.168.1.{n} to wan" for n in range(30, 36)),
    ]
    expected = lines(NAT + "\n".join(statements) + "\n", target)
    for seed in range(5):
        random.Random(seed).shuffle(statements)
        assert lines(NAT + "\n".join(statements) + "\n", target) == expected
