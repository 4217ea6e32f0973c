"""What the protocol clients of the standard library mean: HTTP, mail, FTP, news, telnet, XML-RPC."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind, Role, Timeout, Wait

_HTTP = "http.client.HTTPConnection"
_OPENER = "urllib.request.OpenerDirector"


def _client(name: str, *bases: str, until: tuple[int, int] | None = None) -> ClassRow:
    return ClassRow(names=(name,), kind=Kind.SESSION, bases=bases, until=until)


CLASSES: tuple[ClassRow, ...] = (
    _client(_HTTP),
    _client("http.client.HTTPSConnection", _HTTP),
    ClassRow(names=("http.client.HTTPResponse",), kind=Kind.OTHER),
    _client(_OPENER),
    _client("ftplib.FTP"),
    _client("ftplib.FTP_TLS", "ftplib.FTP"),
    _client("smtplib.SMTP"),
    _client("smtplib.SMTP_SSL", "smtplib.SMTP"),
    _client("smtplib.LMTP", "smtplib.SMTP"),
    _client("poplib.POP3"),
    _client("poplib.POP3_SSL", "poplib.POP3"),
    _client("imaplib.IMAP4"),
    _client("imaplib.IMAP4_SSL", "imaplib.IMAP4"),
    _client("nntplib.NNTP", until=(3, 13)),
    _client("nntplib.NNTP_SSL", "nntplib.NNTP", until=(3, 13)),
    _client("telnetlib.Telnet", until=(3, 13)),
    ClassRow(names=("xmlrpc.client.ServerProxy", "xmlrpc.client.Server"), kind=Kind.SESSION),
    ClassRow(names=("urllib.robotparser.RobotFileParser",), kind=Kind.OTHER),
)


def _timeout(position: int) -> Timeout:
    return Timeout(position=position, default=Wait.SOCKET_DEFAULT)


# The TLS variants lost `keyfile` and `certfile` in 3.12, and with them the positional form of `timeout`: a call that
# passes it by position is written for an older Python.
_CONNECTING = (
    ("ftplib.FTP_TLS", _timeout(7)),
    ("smtplib.SMTP", _timeout(3)),
    ("smtplib.SMTP_SSL", _timeout(5)),
    ("smtplib.LMTP", _timeout(4)),
    ("poplib.POP3", _timeout(2)),
    ("poplib.POP3_SSL", _timeout(4)),
    ("imaplib.IMAP4", Timeout(position=2)),
    ("imaplib.IMAP4_SSL", Timeout(position=5)),
    ("ftplib.FTP", _timeout(4)),
)
"""Clients that connect in their constructor (FTP and SMTP only when they are given a host)."""

_METHODS = {
    _HTTP: ("request", "connect", "endheaders", "send"),
    "http.client.HTTPResponse": ("read", "readinto", "readline"),
    "ftplib.FTP": (
        "login",
        "cwd",
        "delete",
        "dir",
        "mkd",
        "nlst",
        "ntransfercmd",
        "pwd",
        "quit",
        "rename",
        "retrbinary",
        "retrlines",
        "rmd",
        "sendcmd",
        "size",
        "storbinary",
        "storlines",
        "transfercmd",
        "voidcmd",
    ),
    "smtplib.SMTP": (
        "connect",
        "docmd",
        "ehlo",
        "helo",
        "login",
        "noop",
        "quit",
        "sendmail",
        "send_message",
        "starttls",
    ),
    "poplib.POP3": ("dele", "list", "pass_", "quit", "retr", "stat", "stls", "top", "uidl", "user"),
    "imaplib.IMAP4": (
        "append",
        "copy",
        "create",
        "delete",
        "expunge",
        "fetch",
        "list",
        "login",
        "logout",
        "noop",
        "search",
        "select",
        "starttls",
        "status",
        "store",
        "uid",
    ),
}

_CLOSING = (_HTTP, "http.client.HTTPResponse", "ftplib.FTP", "smtplib.SMTP", "poplib.POP3")

CALLS: tuple[CallRow, ...] = (
    CallRow(
        names=("urllib.request.urlopen",),
        effects=Effect.NETWORK,
        timeout=_timeout(2),
        returns="http.client.HTTPResponse",
        keeps=False,
    ),
    CallRow(
        names=("urllib.request.urlretrieve",),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="", default=Wait.SOCKET_DEFAULT),
        keeps=False,
        bounded="urllib.request.urlopen",
    ),
    CallRow(
        names=("urllib.robotparser.RobotFileParser.read",),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="", default=Wait.SOCKET_DEFAULT),
        bounded="urllib.request.urlopen",
    ),
    CallRow(
        names=(f"{_OPENER}.open",),
        effects=Effect.NETWORK,
        timeout=_timeout(2),
        returns="http.client.HTTPResponse",
        keeps=False,
    ),
    CallRow(names=("urllib.request.build_opener",), returns=_OPENER),
    # The constructors of the HTTP connections do not connect, but only they take the timeout.
    CallRow(names=(_HTTP,), timeout=_timeout(2)),
    CallRow(names=("http.client.HTTPSConnection",), timeout=_timeout(4)),
    CallRow(names=(f"{_HTTP}.getresponse",), effects=Effect.NETWORK, returns="http.client.HTTPResponse"),
    *(CallRow(names=(name,), effects=Effect.NETWORK, timeout=timeout) for name, timeout in _CONNECTING),
    CallRow(names=("ftplib.FTP.connect",), effects=Effect.NETWORK, timeout=Timeout(position=2, default=Wait.FINITE)),
    CallRow(names=("nntplib.NNTP",), effects=Effect.NETWORK, timeout=_timeout(6), until=(3, 13)),
    CallRow(names=("nntplib.NNTP_SSL",), effects=Effect.NETWORK, timeout=_timeout(7), until=(3, 13)),
    CallRow(names=("telnetlib.Telnet",), effects=Effect.NETWORK, timeout=_timeout(2), until=(3, 13)),
    # Each attribute of the proxy is a method of the server.
    CallRow(names=("xmlrpc.client.ServerProxy",), timeout=Timeout(keyword="", default=Wait.SOCKET_DEFAULT)),
    *(
        CallRow(
            names=(f"telnetlib.Telnet.{name}",),
            effects=Effect.NETWORK,
            timeout=Timeout(position=position, default=default),
            until=(3, 13),
        )
        for name, position, default in (
            ("open", 2, Wait.SOCKET_DEFAULT),
            ("read_until", 1, Wait.FOREVER),
            ("expect", 1, Wait.FOREVER),
        )
    ),
    CallRow(names=("telnetlib.Telnet.read_all",), effects=Effect.NETWORK, until=(3, 13)),
    CallRow(names=("telnetlib.Telnet.close",), role=Role.CLOSE, until=(3, 13)),
    *(
        CallRow(names=(f"nntplib.NNTP.{name}",), effects=Effect.NETWORK, until=(3, 13))
        for name in ("article", "body", "group", "head", "list", "login", "over", "post", "quit", "starttls", "stat")
    ),
    *(
        CallRow(names=(f"{name}.{method}",), effects=Effect.NETWORK)
        for name, methods in _METHODS.items()
        for method in methods
    ),
    *(CallRow(names=(f"{name}.close",), role=Role.CLOSE) for name in _CLOSING),
    *(
        CallRow(names=(f"{name}.__exit__",), effects=Effect.NETWORK, role=Role.CLOSE)
        for name in ("ftplib.FTP", "smtplib.SMTP", "imaplib.IMAP4")
    ),
)
