"""Create the two network namespaces: the gateway, and the world at the far end of its wires.

The world has no addresses and answers nothing; it is reached only through packet sockets, so a
probe may claim any source and whatever the gateway sends is captured.  The gateway's interfaces
do not use ARP or neighbour discovery (NOARP, as on a PPP link), so it sends to any next hop.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
import subprocess
from pathlib import Path

from .fields import LabError, LabUnavailable, Wire
from .sockets import HARDWARE_ADDRESS

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCETHTOOL, ETHTOOL_STXCSUM = 0x8946, 0x17  # linux/sockios.h, linux/ethtool.h
NAMESPACE = "/proc/thread-self/ns/net"
INTERFACE_NAME_BYTES = 15
# Optional settings may be missing or, before some kernel version, not belong to the namespace.
SETTINGS = (
    ("net/ipv4/conf/{}/rp_filter", "0", True),
    ("net/ipv4/conf/{}/send_redirects", "0", True),
    ("net/ipv4/conf/{}/accept_redirects", "0", False),
    ("net/ipv6/conf/{}/accept_dad", "0", False),
    ("net/ipv6/conf/{}/accept_ra", "0", False),
    ("net/ipv6/conf/{}/accept_redirects", "0", False),
    ("net/ipv6/conf/{}/router_solicitations", "0", False),
    ("net/ipv6/conf/{}/addr_gen_mode", "1", False),
)
GATEWAY_SETTINGS = (
    ("net/ipv4/ip_forward", "1", True),
    ("net/ipv6/conf/all/forwarding", "1", True),
    ("net/ipv4/icmp_ratelimit", "0", True),
    ("net/ipv6/icmp/ratelimit", "0", False),
    ("net/ipv4/icmp_msgs_per_sec", "1000000", False),
    ("net/ipv4/icmp_msgs_burst", "100000", False),
)

_libc = ctypes.CDLL(None, use_errno=True)


def _unshare(flags: int) -> None:
    """unshare(2); the standard library has it only since Python 3.12."""
    if _libc.unshare(flags):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def enter_namespace(descriptor: int) -> None:
    """setns(2) to a network namespace."""
    if _libc.setns(descriptor, CLONE_NEWNET):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _unshare_first(user_namespace: bool) -> None:
    """Leave the machine's network namespace, through a user namespace if asked or needed."""
    user, group = os.geteuid(), os.getegid()
    if not user_namespace:
        try:
            _unshare(CLONE_NEWNET)
            return
        except PermissionError:
            pass
    try:
        _unshare(CLONE_NEWUSER | CLONE_NEWNET)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    except OSError as error:
        raise LabUnavailable(f"no network namespace for user {user}: {error}") from error


def write_sysctl(path: str, value: str, *, required: bool = True) -> None:
    """Write a setting below /proc/sys in the current namespace, checking that it took effect."""
    file = Path("/proc/sys", path)
    try:
        file.write_text(value)
    except OSError as error:
        if not required:
            return
        current = file.read_text().strip() if error.errno != errno.ENOENT else None
        if current != value:
            raise LabUnavailable(f"cannot set {path}: {error}") from error


def read_sysctl(path: str) -> str:
    """Read a setting below /proc/sys in the current namespace."""
    return Path("/proc/sys", path).read_text().strip()


def _quiet_namespace() -> None:
    """Settings for a fresh namespace, to be made before it has interfaces."""
    for path, value, required in SETTINGS:
        for scope in ("all", "default"):
            write_sysctl(path.format(scope), value, required=required)


def far_end(index: int) -> str:
    """The name of the far end of the wire with this index, in the world."""
    return f"wire{index}"


def _ip_batch(commands: list[str]) -> None:
    """Run commands of ip(8) in the current namespace."""
    text = "".join(command + "\n" for command in commands)
    argv = ["ip", "-batch", "-"]
    done = subprocess.run(argv, input=text, text=True, capture_output=True, check=False)
    if done.returncode:
        raise LabError(f"ip: {done.stderr}\n{text}")


def _gateway_commands(index: int, wire: Wire) -> list[str]:
    """Addresses and routes of one wire, in the gateway."""
    name = wire.interface
    commands = [f"link set {name} arp off mtu {wire.mtu} up"]
    for address in wire.addresses:
        option = " nodad" if ":" in address else ""
        commands.append(f"addr add {address} dev {name}{option}")
    for network in wire.networks:
        commands.append(f"route add {network} dev {name} metric {1000 + index}")
    return commands


def _no_checksum_offload(interface: str) -> None:
    """Have the kernel finish checksums before it sends, so that captured packets carry them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = bytearray(struct.pack("=II", ETHTOOL_STXCSUM, 0))
        address = ctypes.addressof(ctypes.c_char.from_buffer(request))
        fcntl.ioctl(control, SIOCETHTOOL, struct.pack("16sP16x", interface.encode(), address))


def create(wires: tuple[Wire, ...], user_namespace: bool) -> int:
    """Create the namespaces; the caller ends up in the gateway.

    Returns a descriptor of the world, where wire number i ends in far_end(i).
    """
    for wire in wires:
        if not 0 < len(wire.interface.encode()) <= INTERFACE_NAME_BYTES:
            raise LabError(f"not an interface name: {wire.interface!r}")
    _unshare_first(user_namespace)
    for scope in ("all", "default"):
        write_sysctl(f"net/ipv6/conf/{scope}/disable_ipv6", "1", required=False)
    _ip_batch(["link set lo up"])
    world = os.open(NAMESPACE, os.O_RDONLY)
    _unshare(CLONE_NEWNET)
    gateway = os.open(NAMESPACE, os.O_RDONLY)
    _quiet_namespace()
    for path, value, required in GATEWAY_SETTINGS:
        write_sysctl(path, value, required=required)
    enter_namespace(world)
    commands = []
    for index, wire in enumerate(wires):
        # Without ARP the gateway sends to its own hardware address, so the far end carries it too.
        far, mac = far_end(index), f"address {HARDWARE_ADDRESS.hex(':')}"
        commands.append(
            f"link add {far} {mac} type veth "
            f"peer name {wire.interface} {mac} netns /proc/{os.getpid()}/fd/{gateway}"
        )
        commands.append(f"link set {far} arp off mtu {wire.mtu} up")
    _ip_batch(commands)
    enter_namespace(gateway)
    os.close(gateway)
    commands = ["link set lo up"]
    for index, wire in enumerate(wires):
        commands += _gateway_commands(index, wire)
    _ip_batch(commands)
    for wire in wires:
        _no_checksum_offload(wire.interface)
    return world
