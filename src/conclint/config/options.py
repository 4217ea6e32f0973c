"""Settings as they are written, and what is wrong with them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MAX_LISTED = 8
"""How many allowed values a message lists when none of them resembles what was written."""


class ConfigError(Exception):
    """A mistake of the user's in a setting; `str()` is one line that names the file or flag, the key and the remedy."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The settings of one layer, as written; None where the layer is silent.

    `extend_ignore` does what `ignore` does: both take rules away from what the layers before selected. It is there
    because users of flake8 know it. `extra` has what holds where all layers are silent: the `default`, or, `otherwise`,
    words for it.
    """

    select: Annotated[
        tuple[str, ...] | None,
        Meta(
            description="The rules to apply: codes, prefixes, names or ALL.", extra={"otherwise": "those that are on"}
        ),
    ] = None
    ignore: Annotated[tuple[str, ...], Meta(description="Rules not to apply.")] = ()
    extend_select: Annotated[tuple[str, ...], Meta(description="Rules to apply besides the selected ones.")] = ()
    extend_ignore: Annotated[tuple[str, ...], Meta(description="The same as `ignore`, as flake8 calls it.")] = ()
    per_file_ignores: Annotated[
        dict[str, tuple[str, ...]], Meta(description="Rules not to apply to the files that are like a pattern.")
    ] = {}
    exclude: Annotated[
        tuple[str, ...] | None,
        Meta(
            description="Paths to leave out, as in a `.gitignore`.",
            extra={"otherwise": "`.venv`, `build`, `node_modules` and the like"},
        ),
    ] = None
    extend_exclude: Annotated[tuple[str, ...], Meta(description="Paths to leave out besides the others.")] = ()
    force_exclude: Annotated[
        bool | None,
        Meta(description="Whether to leave excluded files out even when they are named.", extra={"default": False}),
    ] = None
    respect_gitignore: Annotated[
        bool | None, Meta(description="Whether to leave out what git ignores.", extra={"default": True})
    ] = None
    src: Annotated[
        tuple[str, ...] | None,
        Meta(
            description="The directories where imports of the project's own modules begin.",
            extra={"otherwise": "found by its packages"},
        ),
    ] = None
    root_decorators: Annotated[
        tuple[str, ...] | None,
        Meta(description="Decorators, by qualified name, whose functions a framework runs in threads."),
    ] = None
    thread_safe_types: Annotated[
        tuple[str, ...] | None,
        Meta(description="Classes, by qualified name, whose objects threads may share without a lock."),
    ] = None
    lock_factories: Annotated[
        tuple[str, ...] | None, Meta(description="Functions, by qualified name, that return a lock.")
    ] = None
    jobs: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Processes that work at once, 0 for one per processor.", extra={"default": 0}),
    ] = None
    cache_dir: Annotated[
        str | None,
        Meta(
            description="The directory in which results are kept between runs.",
            extra={"otherwise": "`.conclint_cache` in the project"},
        ),
    ] = None
    flake8: Annotated[
        bool | None, Meta(description="Whether the flake8 plugin reports anything.", extra={"default": True})
    ] = None


_KEYS = tuple(field.encode_name for field in msgspec.structs.fields(Options))
ENVIRONMENT_KEYS = (
    "select",
    "ignore",
    "extend-select",
    "extend-ignore",
    "exclude",
    "extend-exclude",
    "jobs",
    "cache-dir",
)
"""The settings that environment variables may give."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Options, the directory that their paths are relative to, and where they come from.

    `origin` is a file's name, "--" for flags, or "CONCLINT_" for the environment.
    """

    options: Options
    base: str
    origin: str

    def label(self, key: str) -> str:
        """Return how the user wrote the setting `key`."""
        if self.origin == "--":
            return f"--{key}"
        if self.origin == "CONCLINT_":
            return name_variable(key)
        return f"{self.origin}: `{key}`"


@dataclass(frozen=True, slots=True)
class Settings:
    """All layers of a run, the first one weakest. `source` is the settings file, `project` the project's directory."""

    layers: tuple[Layer, ...] = ()
    source: str | None = None
    project: str | None = None


def suggest(written: str, allowed: Iterable[str]) -> str:
    """Return the end of a message about an unknown word: its nearest match, or what is allowed."""
    words = tuple(allowed)
    by_folded = {word.casefold(): word for word in words}
    nearest = difflib.get_close_matches(written.casefold(), by_folded, n=1)
    if nearest:
        return f"did you mean `{by_folded[nearest[0]]}`?"
    listed = ", ".join(words[:_MAX_LISTED])
    return f"allowed are {listed}{', …' if len(words) > _MAX_LISTED else ''}"


def split_list(text: str) -> tuple[str, ...]:
    """Split a comma-separated list, as flags and environment variables write it."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def convert_table(table: Mapping[str, object], origin: str) -> Options:
    """Turn what TOML gave into Options. Raises ConfigError for an unknown key and for a wrong type."""
    for key in table:
        if key not in _KEYS:
            raise ConfigError(f"{origin}: unknown setting `{key}`; {suggest(key, _KEYS)}")
    try:
        return msgspec.convert(table, Options)
    except msgspec.ValidationError as error:
        # "Expected `array | null`, got `str` - at `$.select`": TOML knows no null.
        expectation, _, place = str(error).replace(" | null", "").partition(" - at `$.")
        raise ConfigError(f"{origin}: `{place.rstrip('`')}`: {expectation[0].lower()}{expectation[1:]}") from error


def name_variable(key: str) -> str:
    """Return the environment variable of a setting."""
    return f"CONCLINT_{key.upper().replace('-', '_')}"
