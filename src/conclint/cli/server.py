"""`conclint server`: what `check` finds, in an editor."""

from __future__ import annotations

import click

from conclint.config import ConfigError

_EXTRA = ("pygls", "lsprotocol")


@click.command()
@click.option("--config", multiple=True, metavar="PATH|KEY=VALUE", help="A settings file, or one setting in TOML.")
@click.option("--isolated", is_flag=True, help="Read no settings file.")
@click.option("--stdio", is_flag=True, help="Talk on the standard streams, as it always does.")
def server(*, config: tuple[str, ...], isolated: bool, stdio: bool) -> int:
    """Start a language server, for editors.

    It checks the folders that the editor has open, unsaved files as they are, and offers fixes. Settings are read
    from files, as by `check`. Needs the extra `lsp`: pip install 'conclint[lsp]'.
    """
    del stdio
    try:
        from conclint.server import Flags, serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise ConfigError("server: needs the extra `lsp`: pip install 'conclint[lsp]'") from error
    return serve(Flags(config=config, isolated=isolated))
