"""Settings as they are written, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from conclint.config.api import ApiRow
from conclint.config.words import ConfigError, check_words, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    target_version: Annotated[
        str | None,
        Meta(
            description='The oldest Python version that the code should run on, such as "3.12".',
            extra={"otherwise": "what `requires-python` says"},
        ),
    ] = None
    gil: Annotated[
        bool | None,
        Meta(
            description="Whether Python has its global interpreter lock; `false` turns the rules CON8xx on.",
            extra={"otherwise": "true, unless the classifiers name Free Threading"},
        ),
    ] = None
    default_timeout: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(
            description="The seconds that advice about missing timeouts should name, and that fixes write.",
            extra={"otherwise": "none; fixes write 10"},
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
    fixable: Annotated[
        tuple[str, ...] | None,
        Meta(description="The rules whose alarms may be fixed.", extra={"otherwise": "all"}),
    ] = None
    unfixable: Annotated[tuple[str, ...], Meta(description="Rules whose alarms are not to be fixed.")] = ()
    api: Annotated[
        tuple[ApiRow, ...] | None,
        Meta(description="What functions and classes of libraries do: a table each, `[[tool.conclint.api]]`."),
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
class Metadata:
    """What `[project]` in a pyproject.toml tells."""

    requires_python: str = ""
    is_free_threaded: bool = False
    """Whether its classifiers say that it supports Python without the GIL."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All layers of a run, the first one weakest. `source` is the settings file, `project` the project's directory."""

    layers: tuple[Layer, ...] = ()
    source: str | None = None
    project: str | None = None
    metadata: Metadata = Metadata()

    @property
    def has_api(self) -> bool:
        """Whether any layer tells of libraries, so that the catalog alone cannot say which files matter."""
        return any(layer.options.api for layer in self.layers)


def split_list(text: str) -> tuple[str, ...]:
    """Split a comma-separated list, as flags and environment variables write it."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def convert_table(table: Mapping[str, object], origin: str) -> Options:
    """Turn what TOML gave into Options. Raises ConfigError for an unknown key and for a wrong type."""
    for key in table:
        if key not in _KEYS:
            raise ConfigError(f"{origin}: unknown setting `{key}`; {suggest(key, _KEYS)}")
    if "api" in table:
        check_words(table["api"], msgspec.inspect.type_info(tuple[ApiRow, ...]), origin, "api")
    try:
        return msgspec.convert(table, Options)
    except msgspec.ValidationError as error:
        # "Expected `array | null`, got `str` - at `$.select`": TOML knows no null.
        expectation, _, place = str(error).replace(" | null", "").partition(" - at `$.")
        raise ConfigError(f"{origin}: `{place.rstrip('`')}`: {expectation[0].lower()}{expectation[1:]}") from error


def name_variable(key: str) -> str:
    """Return the environment variable of a setting."""
    return f"CONCLINT_{key.upper().replace('-', '_')}"
