"""Which Python versions the code is written for: from the setting, or from what the project says to installers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conclint.config.options import Metadata
from conclint.config.words import ConfigError, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conclint.config.options import Layer

VERSIONS = tuple((3, minor) for minor in range(10, 16))
"""The versions that conclint knows about, the oldest first."""

_CLAUSE = re.compile(r"\s*(~=|==|!=|<=|>=|<|>)\s*(\d+)(?:\.(\d+))?((?:\.\d+)*)(\.\*)?\s*")
_FREE_THREADING = "Programming Language :: Python :: Free Threading"


def read_metadata(project: Mapping[str, object]) -> Metadata:
    """Read the table `[project]`; what is wrong in it is not for us to say."""
    requires = project.get("requires-python")
    classifiers = project.get("classifiers")
    named = classifiers if isinstance(classifiers, list) else ()
    return Metadata(
        requires if isinstance(requires, str) else "",
        any(isinstance(one, str) and one.startswith(_FREE_THREADING) for one in named),
    )


def resolve_versions(layers: Iterable[Layer], metadata: Metadata) -> tuple[tuple[int, int], ...]:
    """Return the versions that the code should run on, the oldest first."""
    for layer in reversed(tuple(layers)):
        written = layer.options.target_version
        if written is not None:
            return VERSIONS[_find_version(written, layer.label("target-version")) :]
    return _select_versions(metadata.requires_python)


def _find_version(written: str, label: str) -> int:
    known = [f"{major}.{minor}" for major, minor in VERSIONS]
    if written not in known:
        raise ConfigError(f"{label}: unknown version `{written}`; {suggest(written, known)}")
    return known.index(written)


def _select_versions(requires: str) -> tuple[tuple[int, int], ...]:
    """Return the versions that meet a specifier (PEP 440) with one of their releases; all, where it cannot be read."""
    clauses = [_CLAUSE.fullmatch(clause) for clause in requires.split(",") if clause.strip()]
    if None in clauses:
        return VERSIONS
    return tuple(one for one in VERSIONS if all(_meets(one, clause) for clause in clauses if clause)) or VERSIONS


def _meets(version: tuple[int, int], clause: re.Match[str]) -> bool:
    operator, major, minor, patch, star = clause.groups()
    if minor is None:
        # `>=3`, `<4`, `==3.*`: of the whole major version.
        bound = (int(major), 0 if operator in (">=", ">", "<", "~=") else version[1])
    else:
        bound = (int(major), int(minor))
    match operator:
        case "==":
            return version == bound
        case "!=":
            return version != bound or not star
        case ">=" | ">":
            return version >= bound
        case "<=":
            return version <= bound
        case "<":
            return version < bound or (version == bound and patch.strip(".0") != "")
    # `~=3.10` is any later 3.x, `~=3.10.2` any later 3.10.x.
    return version == bound if patch else version >= bound and version[0] == bound[0]
