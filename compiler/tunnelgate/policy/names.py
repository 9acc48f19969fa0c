"""The names of a policy: its parameters, places and protocols, looked up by whoever resolves."""

from __future__ import annotations

from typing import TypeVar

from tunnelgate.policy.model import Unused
from tunnelgate.policy.params import Params
from tunnelgate.policy.protocols import ProtocolResolver
from tunnelgate.policy.reporter import Reporter
from tunnelgate.policy.zones import ZoneResolver
from tunnelgate.records import record
from tunnelgate.syntax import ast
from tunnelgate.variables import Variables

_T = TypeVar("_T", bound=ast.Statement)


@record
class Names:
    """What the names of one policy mean."""

    params: Params
    zones: ZoneResolver
    protocols: ProtocolResolver

    @classmethod
    def of(cls, tree: ast.Policy, reporter: Reporter, variables: Variables) -> Names:
        """Take in what a policy declares; findings go to the reporter."""

        def all_of(kind: type[_T]) -> list[_T]:
            return [node for node in tree.statements if isinstance(node, kind)]

        params = Params(reporter, all_of(ast.Param), variables)
        zones = ZoneResolver(reporter, tree.file, params)
        zones.resolve(all_of(ast.Zone))
        protocols = ProtocolResolver(reporter, params)
        protocols.define(all_of(ast.Protocol))
        return cls(params, zones, protocols)

    def unused(self) -> tuple[Unused, ...]:
        """The names that nothing has asked for so far."""
        parameters = (
            Unused("parameter", one.name, one.span)
            for one in self.params.parameters()
            if not one.is_used
        )
        return (*self.zones.unused(), *self.protocols.unused(), *parameters)

    def telling(self, reporter: Reporter) -> Names:
        """The same names, with findings about their use going elsewhere."""
        params = self.params.telling(reporter)
        return Names(params, self.zones, self.protocols.telling(reporter, params))
