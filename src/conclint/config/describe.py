"""What there is to set, derived from `Options`: for people, and as a JSON schema for editors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from conclint.config.api import ApiArgument, ApiRow, ApiSpawn, ApiTimeout
from conclint.config.options import ENVIRONMENT_KEYS, Options, name_variable

SCHEMA_NAME = "conclint.schema.json"

_Json = None | bool | int | float | str | list["_Json"] | dict[str, "_Json"]
_TYPES: Mapping[object, str] = {
    "boolean": "true or false",
    "integer": "a number",
    "number": "a number",
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
            "tables" if key == "api" else _TYPES.get(schema["type"], "a table of lists of strings"),
            _say_default(schema, _extras()[key]),
            str(schema["description"]),
            name_variable(key) if key in ENVIRONMENT_KEYS else "",
        )
        for key, schema in _properties().items()
    )


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table that a setting is made of; `words` are those that alone are allowed."""

    key: str
    type: str
    default: str
    description: str
    words: tuple[str, ...]


def describe_tables() -> dict[str, tuple[Key, ...]]:
    """Return the keys of the tables that `api` is made of, by the key under which they stand."""
    tables: dict[str, type[msgspec.Struct]] = {
        "api": ApiRow,
        "timeout": ApiTimeout,
        "nonblocking": ApiArgument,
        "spawns": ApiSpawn,
    }
    return {name: tuple(_iter_keys(_components()[struct.__name__])) for name, struct in tables.items()}


def _iter_keys(schema: Mapping[str, _Json]) -> Iterator[Key]:
    for key, value in _as_table(schema["properties"]).items():
        described = _simplify(_as_table(value), {})
        default = described.get("default")
        # Where there is nothing to say, nothing is said.
        shown = json.dumps(default) if default not in ("", None, []) else ""
        yield Key(key, _name_type(described), shown, str(described["description"]), _list_words(described))


def _name_type(schema: Mapping[str, _Json]) -> str:
    options = schema.get("anyOf")
    if isinstance(options, list):
        return " or ".join(dict.fromkeys(_name_type(_as_table(option)) for option in options))
    if schema.get("type") == "array":
        return f"list of {_name_type(_as_table(schema['items']))}s"
    if _list_words(schema):
        return "word"
    return "table" if "$ref" in schema else _TYPES[schema["type"]].removeprefix("a ")


def _list_words(schema: Mapping[str, _Json]) -> tuple[str, ...]:
    """Return the words that a key, or the list that is its value, may hold."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        schema = _components()[reference.rpartition("/")[2]]
    options = schema.get("anyOf", schema.get("items", []))
    inner = options if isinstance(options, list) else [options]
    enum = schema.get("enum")
    words = [str(word) for word in enum] if isinstance(enum, list) else []
    return tuple(dict.fromkeys([*words, *(word for one in inner for word in _list_words(_as_table(one)))]))


def _as_table(value: _Json) -> dict[str, _Json]:
    assert isinstance(value, dict)
    return value


def make_schema() -> dict[str, _Json]:
    """Return the JSON schema of `conclint.toml`, and of `[tool.conclint]` in pyproject.toml."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://conclint.readthedocs.io/{SCHEMA_NAME}",
        "title": "Settings of conclint",
        "type": "object",
        "properties": dict(_properties()),
        "additionalProperties": False,
        "$defs": {name: _define(schema) for name, schema in _components().items() if name != Options.__name__},
    }


def _components() -> dict[str, dict[str, _Json]]:
    return dict(msgspec.json.schema_components([Options], ref_template="#/$defs/{name}")[1])


def _properties() -> dict[str, dict[str, _Json]]:
    extras = _extras()
    properties = _components()[Options.__name__]["properties"]
    assert isinstance(properties, dict)
    return {key: _simplify(schema, extras[key]) for key, schema in properties.items() if isinstance(schema, dict)}


def _define(schema: dict[str, _Json]) -> dict[str, _Json]:
    """Drop null from a table's keys, and the descriptions of Python types, which are not meant for users."""
    properties = schema.get("properties")
    defined = {key: value for key, value in schema.items() if key not in ("title", "description")}
    if isinstance(properties, dict):
        defined["properties"] = {
            key: _simplify(value, {}) for key, value in properties.items() if isinstance(value, dict)
        }
    return defined


def _simplify(schema: dict[str, _Json], extra: Mapping[str, _Json]) -> dict[str, _Json]:
    """Drop null, which TOML does not know, and give the default that holds in the end."""
    simple: dict[str, _Json] = {"description": schema["description"]}
    written = schema.get("anyOf")
    options = [
        option
        for option in (written if isinstance(written, list) else [schema])
        if isinstance(option, dict) and option.get("type") != "null"
    ]
    if len(options) == 1:
        simple.update(options[0])
    else:
        simple["anyOf"] = list[_Json](options)
        simple.update((key, value) for key, value in schema.items() if key == "default")
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
