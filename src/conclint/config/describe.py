"""What there is to set, derived from `Options`: for people, and as a JSON schema for editors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from conclint.config.options import ENVIRONMENT_KEYS, Options, name_variable

SCHEMA_NAME = "conclint.schema.json"

_Json = None | bool | int | float | str | list["_Json"] | dict[str, "_Json"]
_TYPES: Mapping[object, str] = {
    "boolean": "true or false",
    "integer": "a number",
    "string": "a string",
    "array": "a list of strings",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: its type and default in words, and the environment variable that may give it, or ""."""

    key: str
    type: str
    default: str
    description: str
    variable: str


def describe_settings() -> tuple[Setting, ...]:
    """Return all settings, in the order of `Options`."""
    return tuple(
        Setting(
            key,
            _TYPES.get(schema["type"], "a table of lists of strings"),
            _say_default(schema, _extras()[key]),
            str(schema["description"]),
            name_variable(key) if key in ENVIRONMENT_KEYS else "",
        )
        for key, schema in _properties().items()
    )


def make_schema() -> dict[str, _Json]:
    """Return the JSON schema of `conclint.toml`, and of `[tool.conclint]` in pyproject.toml."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://conclint.readthedocs.io/{SCHEMA_NAME}",
        "title": "Settings of conclint",
        "type": "object",
        "properties": dict(_properties()),
        "additionalProperties": False,
    }


def _properties() -> dict[str, dict[str, _Json]]:
    _, components = msgspec.json.schema_components([Options])
    extras = _extras()
    return {key: _simplify(schema, extras[key]) for key, schema in components["Options"]["properties"].items()}


def _simplify(schema: dict[str, _Json], extra: Mapping[str, _Json]) -> dict[str, _Json]:
    """Drop null, which TOML does not know, and give the default that holds in the end."""
    simple: dict[str, _Json] = {"description": schema["description"]}
    options = schema.get("anyOf")
    for option in options if isinstance(options, list) else [schema]:
        if isinstance(option, dict) and option.get("type") != "null":
            simple.update(option)
    if extra.keys() & {"default", "otherwise"}:
        simple.pop("default", None)
        simple.update((key, value) for key, value in extra.items() if key == "default")
    return simple


def _say_default(schema: Mapping[str, _Json], extra: Mapping[str, _Json]) -> str:
    if "otherwise" in extra:
        return str(extra["otherwise"])
    default = schema.get("default")
    return str(default).lower() if isinstance(default, int) else "none"


def _extras() -> dict[str, Mapping[str, _Json]]:
    info = msgspec.inspect.type_info(Options)
    assert isinstance(info, msgspec.inspect.StructType)
    return {
        field.encode_name: (field.type.extra or {}) if isinstance(field.type, msgspec.inspect.Metadata) else {}
        for field in info.fields
    }
