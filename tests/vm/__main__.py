"""Gateways that are endpoints, with IPsec and the modules of Debian's kernel: `make test-vm`.

Policies are compiled here. An emulated machine loads the rulesets and runs what is in guest/, and
packet tests of tests/kernel, which compile their own. All that it needs is downloaded by apt into
build/vm and unpacked there; nothing is installed. Arguments are those of pytest in the machine.
"""

from __future__ import annotations

import pickle
import platform
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import trials
from debian import Unavailable, Unpacked, needed, unpack
from emulator import Lost, run
from gateway import read
from initramfs import Initramfs
from sample_policies import MIXTURE

from tunnelgate.plan import build
from tunnelgate.target import Layout, Setup, find

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LABORATORY = ROOT / "tests/kernel"
BUILD = ROOT / "build/vm"
POLICIES = (
    ROOT / "examples/gateway-endpoint/office.tg",
    ROOT / "examples/overlapping-networks/annex.tg",
    ROOT / "examples/l2tp-and-pptp/town-hall.tg",
    ROOT / "examples/branch-office/branch.tg",
    ROOT / "examples/servers-by-spi/hub.tg",
    HERE / "policies/head.tg",
    HERE / "policies/clients.tg",
)
#: Of the packet tests: those of what no other kernel was asked.
PACKET_TESTS = ("test_tracking*.py", "test_spi.py")
#: What they compile with: packages of this Python that are, or can do as, Python alone.
COMPILER = (
    "tunnelgate",
    "tunnelgate_grammar",
    "tunnelgate_targets",
    "lark",
    "jinja2",
    "markupsafe",
)
LAYOUTS: tuple[Layout, ...] = ("whole", "shared")
KERNEL = "linux-image-cloud-amd64"
TOOLS = (
    *("python3-pytest", "nftables", "iptables", "ipset", "iproute2", "conntrack", "kmod"),
    *("dash", "coreutils", "grep", "sed"),  # for shared.sh
)
#: Of the kernel's modules: where those of networks and ciphers are.
MODULES = ("kernel/net", "kernel/crypto", "kernel/lib", "kernel/arch", "kernel/drivers/net/veth.ko")
#: Seconds after which the machine hangs; it takes some 150 where nobody else computes.
PATIENCE = 1200
LAST_LINES = 60
TABLE = re.compile(r"^=+ what was shown =+.*?(?=^exit status)", re.MULTILINE | re.DOTALL)


def main() -> int:
    """The exit status: that of the tests, or 2 where they could not run."""
    BUILD.mkdir(parents=True, exist_ok=True)
    console = BUILD / "console.log"
    console.unlink(missing_ok=True)
    try:
        if platform.machine() != "x86_64":
            raise Unavailable("the machine that is emulated runs programs of Debian on amd64")
        compile_policies(BUILD / "policies")
        qemu = unpack(needed("qemu-system-x86"), BUILD / "qemu")
        guest = unpack(needed(*TOOLS), BUILD / "guest")
        images = [one for one in needed(KERNEL) if re.match(r"linux-image-\d", one)]
        kernel = unpack(images, BUILD / "kernel")
        (image,) = kernel.folder.glob("boot/vmlinuz-*")
        pack(guest, kernel, image.name.removeprefix("vmlinuz-"), BUILD / "initramfs")
        print(f"booting {image.name}; its console is {console.relative_to(ROOT)}", flush=True)
        status = run(qemu, image, BUILD / "initramfs", console, PATIENCE, sys.argv[1:])
    except Unavailable as error:
        print(f"not here: {error}", file=sys.stderr)
        return 2
    except Lost as error:
        print(f"the machine is lost: {error}", file=sys.stderr)
        status = 2
    said = console.read_text(errors="replace").replace("\r", "")
    table = TABLE.search(said)
    if status:
        print("\n".join(said.splitlines()[-LAST_LINES:]))
        print(f"failed with status {status}; all of it is in {console}", file=sys.stderr)
    elif table is not None:
        print(table[0], end="")
    return status


def compile_policies(folder: Path) -> None:
    """For each gateway a folder: one for each layout and target that takes it, and what the model
    says where no verdict hangs on what is learned.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for policy in [*map(read, POLICIES), read(MIXTURE)]:
        plan = build(policy)
        for layout, name in product(LAYOUTS, ("nftables", "iptables")):
            target, setup = find(name), Setup(layout)
            if target.refuse(plan, setup):
                continue
            place = folder / policy.name / layout / name
            place.mkdir(parents=True)
            for file, text in target.emit(plan, setup).files.items():
                (place / file).write_text(text)
        if any(zone.over for zone in policy.zones) and not plan.trackings:
            (folder / policy.name / "trials").write_bytes(pickle.dumps(trials.made(policy)))


def pack(guest: Unpacked, kernel: Unpacked, version: str, file: Path) -> None:
    """The first file system of the machine: Debian's tools, its modules, the tests."""
    modules = Path("lib/modules", version)
    subprocess.run(guest.command("sbin/depmod", "-b", str(kernel.folder), version), check=True)
    with file.open("wb") as out:
        image = Initramfs(out)
        image.console()
        image.tree("", guest.folder, without=("usr/share",))
        for index in (kernel.folder / modules).glob("modules.*"):
            image.add(str(modules / index.name), index)
        for name in MODULES:
            image.tree(str(modules / name), kernel.folder / modules / name)
        image.tree("tests", HERE / "guest", without=("__pycache__",))
        for file in LABORATORY.glob("*.py"):
            if not file.name.startswith("test_") or any(map(file.match, PACKET_TESTS)):
                image.add(f"tests/{file.name}", file)
        image.tree("tests/lab", LABORATORY / "lab", without=("__pycache__",))
        image.tree("tests/generator", ROOT / "tests/generate/generator", without=("__pycache__",))
        for name in COMPILER:
            image.tree(f"compiler/{name}", _package(name))
        image.tree("policies", BUILD / "policies")
        image.add("init", HERE / "guest/init.py")
        image.close()


def _package(name: str) -> Path:
    """The folder of a package that is installed here."""
    spec = find_spec(name)
    assert spec is not None and spec.submodule_search_locations
    return Path(*spec.submodule_search_locations)


if __name__ == "__main__":
    sys.exit(main())
