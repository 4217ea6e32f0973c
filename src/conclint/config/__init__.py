"""Settings: TOML, environment and flags → `Options` (as written) → `Config` (resolved).

The only reader of settings and of the environment. Layers come in the order settings file, `CONCLINT_*`, `--config
KEY=VALUE`, flags; a later one wins. Rules come in as data, so that settings can be read before any rule is imported.
"""

from conclint.config.options import Options, Settings, split_list
from conclint.config.patterns import Patterns, absolute_path, compile_patterns, path_below
from conclint.config.read import is_colour_wanted, read_settings
from conclint.config.resolve import Config, find_rule, resolve
from conclint.config.words import ConfigError, suggest

__all__ = [
    "Config",
    "ConfigError",
    "Options",
    "Patterns",
    "Settings",
    "absolute_path",
    "compile_patterns",
    "find_rule",
    "is_colour_wanted",
    "path_below",
    "read_settings",
    "resolve",
    "split_list",
    "suggest",
]
