"""The objects of SARIF 2.1.0 that are written here, as the specification has them.

What is not named is refused. The numbers are the sections of the OASIS Standard.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

Text = Annotated[str, StringConstraints(min_length=1)]
UriReference = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9._~/-]|%[0-9A-F]{2})+$")]
Uri = Annotated[str, StringConstraints(pattern=r"^[a-z]+://[A-Za-z0-9._~/%#-]*$")]
Level = Literal["none", "note", "warning", "error"]


class Object(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=False
    )


class PlainMessage(Object):
    """3.12 multiformatMessageString: `markdown` needs `text` beside it."""

    text: Text
    markdown: Text | None = None


class Message(Object):
    """3.11 message; links (3.11.6) and placeholders (3.11.5) are not used, so none may be there."""

    text: Annotated[str, StringConstraints(pattern=r"^([^\\\[\]{}]|\\[\\\[\]]|\{\{|\}\})+$")]


class ArtifactLocation(Object):
    """3.4: a relative reference is resolved by `uriBaseId`, an absolute one has none."""

    uri: UriReference | Uri
    uri_base_id: Literal["%SRCROOT%"] | None = None

    @model_validator(mode="after")
    def _is_resolved(self) -> ArtifactLocation:
        assert self.uri.startswith("file:///") is (self.uri_base_id is None)
        return self


class BaseLocation(Object):
    """3.4 as a value of 3.14.14 originalUriBaseIds."""

    description: PlainMessage


class Region(Object):
    """3.30, a text region by lines and columns; the end may not be before the start."""

    start_line: Annotated[int, Field(ge=1)]
    start_column: Annotated[int, Field(ge=1)]
    end_line: Annotated[int, Field(ge=1)]
    end_column: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _is_forward(self) -> Region:
        assert (self.start_line, self.start_column) <= (self.end_line, self.end_column)
        return self


class PhysicalLocation(Object):
    """3.29"""

    artifact_location: ArtifactLocation
    region: Region


class Location(Object):
    """3.28"""

    id: Annotated[int, Field(ge=0)] | None = None
    physical_location: PhysicalLocation
    message: Message | None = None


class Content(Object):
    """3.3 artifactContent"""

    text: str


class Replacement(Object):
    """3.57"""

    deleted_region: Region
    inserted_content: Content | None = None


class ArtifactChange(Object):
    """3.56"""

    artifact_location: ArtifactLocation
    replacements: Annotated[list[Replacement], Field(min_length=1)]


class FixBag(Object):
    """3.8 property bag of ours"""

    safety: Literal["safe", "unsafe", "shown"]


class Fix(Object):
    """3.55"""

    description: Message
    artifact_changes: Annotated[list[ArtifactChange], Field(min_length=1)]
    properties: FixBag


class Result(Object):
    """3.27"""

    rule_id: Annotated[str, StringConstraints(pattern=r"^TG[0-9]{3}$")]
    rule_index: Annotated[int, Field(ge=0)]
    level: Level
    message: Message
    locations: Annotated[list[Location], Field(min_length=1, max_length=1)]
    related_locations: list[Location] = []
    partial_fingerprints: Annotated[dict[str, str], Field(min_length=1)]
    fixes: list[Fix] = []


class Configuration(Object):
    """3.50 reportingConfiguration"""

    level: Level


class RuleBag(Object):
    """3.8 property bag; 3.8.2 tags"""

    tags: Annotated[list[Text], Field(min_length=1)]


class ReportingDescriptor(Object):
    """3.49"""

    id: Annotated[str, StringConstraints(pattern=r"^TG[0-9]{3}$")]
    name: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]+$")]
    short_description: PlainMessage
    full_description: PlainMessage
    help_uri: Uri | None = None
    help: PlainMessage
    default_configuration: Configuration
    properties: RuleBag


class Driver(Object):
    """3.19 toolComponent; 3.19.12 semanticVersion"""

    name: Literal["tunnelgate"]
    semantic_version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    rules: list[ReportingDescriptor]


class Tool(Object):
    """3.18"""

    driver: Driver


class Invocation(Object):
    """3.20"""

    execution_successful: bool


class Run(Object):
    """3.14; each `ruleIndex` leads to the rule of its result (3.52.5)."""

    tool: Tool
    invocations: list[Invocation]
    column_kind: Literal["utf16CodeUnits", "unicodeCodePoints"]
    original_uri_base_ids: dict[Literal["%SRCROOT%"], BaseLocation]
    results: list[Result]

    @model_validator(mode="after")
    def _rules_are_found(self) -> Run:
        rules = self.tool.driver.rules
        assert [rules[one.rule_index].id for one in self.results] == [
            one.rule_id for one in self.results
        ]
        assert len({rule.id for rule in rules}) == len(rules)
        return self


class Log(Object):
    """3.13 sarifLog"""

    schema_: Annotated[Uri, Field(alias="$schema")]
    version: Literal["2.1.0"]
    runs: Annotated[list[Run], Field(min_length=1)]
