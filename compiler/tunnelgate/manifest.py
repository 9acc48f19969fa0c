"""`manifest.json`: what stands in a target's folder, what it needs, and where it comes from.

The ruleset itself names neither the tool's version nor a line of the policy, so that neither
rewrites it; both stand here. The bytes depend on the policy and the tool alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tunnelgate import __version__
from tunnelgate.plan import Plan
from tunnelgate.policy import Policy
from tunnelgate.proof import Certificate
from tunnelgate.target import Layout, Requirements, Setup, Target

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A name in the folder of the manifest: never a path, since what is stale is deleted by it."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 of UTF-8 text, in hexadecimal."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(_Part):
    """A file that the policy was read from, by its path from the policy's folder."""

    file: str
    sha256: Digest


class Statement(_Part):
    """A statement as the ruleset's comments call it, and where it stands."""

    text: str
    file: str
    line: Annotated[int, Field(ge=1)]


class Proof(_Part):
    """What was shown of the files, for all packets at once, by reading them back.

    Attributes:
        model: the version of the packet model under which it was shown.
        obligations: what was shown, a sentence each without its full stop.
        caveats: which packets were left out, in the same form.
    """

    model: int
    obligations: list[str]
    caveats: list[str]


class Manifest(_Part):
    """What `manifest.json` says; the contract is schemas/manifest.schema.json.

    Attributes:
        version: of this contract; within one, fields are never renamed or given another meaning.
        gateway: the policy's gateway.
        target: the name of the target.
        layout: `shared` where the ruleset stands side by side with those of others.
        minimum_version: the oldest version of the target's software that has to take it, if stated.
        tunnelgate: the version that wrote the files.
        format_revision: of the target's output; it changes when the same policy gives other bytes.
        policy: the files of the policy, its own first.
        parameters: the values of the policy's parameters.
        files: the digest of each file in the folder, by name.
        modules: kernel modules that nothing loads by itself.
        sysctls: kernel parameters and the values they need.
        load: the commands that load the ruleset, in order, in this folder.
        unload: the commands that take all of it away again; empty where others' rules would go too.
        caveats: what the ruleset cannot promise.
        autoloaded: kernel modules that the kernel loads by itself with the ruleset, where it has
            them as modules; one that was made small has to have them.
        versions: the oldest versions that take this ruleset, by the name of the software or system.
        connections: how many connections its hosts have at once at the least, where the gateway
            keeps them in a table of fixed size (net.netfilter.nf_conntrack_max); 0 elsewhere.
        notes: how it does what takes a time or has a limit.
        proof: what was proved of these files; null where nothing was.
        statements: where each statement stands.
    """

    version: Literal[1] = 1
    gateway: str
    target: str
    layout: Layout = "whole"
    minimum_version: str | None = None
    tunnelgate: str
    format_revision: int
    policy: list[Source]
    parameters: dict[str, list[str]] = {}
    files: dict[FileName, Digest]
    modules: list[str]
    sysctls: dict[str, str]
    load: list[str]
    unload: list[str] = []
    caveats: list[str] = []
    autoloaded: list[str] = []
    versions: dict[str, str] = {}
    connections: Annotated[int, Field(ge=0)] = 0
    notes: list[str] = []
    proof: Proof | None = None
    statements: list[Statement]


def describe(
    policy: Policy,
    plan: Plan,
    target: Target,
    setup: Setup,
    files: Mapping[str, str],
    requirements: Requirements,
    certificate: Certificate | None,
) -> str:
    """The text of a manifest."""
    manifest = Manifest(
        gateway=policy.name,
        target=target.name,
        layout=setup.layout,
        minimum_version=setup.version,
        tunnelgate=__version__,
        format_revision=target.format_revision,
        policy=[Source(file=file.name, sha256=_digest(file.text)) for file in policy.files],
        parameters={one.name: list(one.values) for one in policy.parameters},
        files={name: _digest(text) for name, text in sorted(files.items())},
        modules=list(requirements.modules),
        sysctls=dict(requirements.sysctls),
        load=list(requirements.load),
        unload=list(requirements.unload),
        caveats=list(requirements.caveats),
        autoloaded=list(requirements.autoloaded),
        versions=dict(requirements.versions),
        connections=requirements.connections,
        notes=list(requirements.notes),
        proof=None
        if certificate is None
        else Proof(
            model=certificate.model,
            obligations=list(certificate.obligations),
            caveats=list(certificate.caveats),
        ),
        statements=_statements(plan),
    )
    return manifest.model_dump_json(indent=2) + "\n"


def _statements(plan: Plan) -> list[Statement]:
    """The statements of a plan's nodes, each once, as they stand in the policy."""
    places = {
        (origin.span.file.name, origin.span.position.line, origin.text) for origin in plan.origins()
    }
    return [Statement(text=text, file=name, line=line) for name, line, text in sorted(places)]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
