"""What clients of remote machines and devices mean: SSH, LDAP, DNS, HTTP with httplib2, serial lines, browsers."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind, Role, Timeout, Wait

_SSH = "paramiko.SSHClient"
_CHANNEL = "paramiko.Channel"
_LDAP = "ldap3.Connection"

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_SSH, "paramiko.client.SSHClient"), kind=Kind.SESSION),
    ClassRow(names=(_CHANNEL, "paramiko.channel.Channel"), kind=Kind.SESSION),
    ClassRow(names=(_LDAP, "ldap3.core.connection.Connection"), kind=Kind.SESSION),
    ClassRow(names=("httplib2.Http",), kind=Kind.SESSION),
    ClassRow(names=("serial.Serial",), kind=Kind.SESSION),
    ClassRow(names=("pexpect.spawn", "pexpect.pty_spawn.spawn"), kind=Kind.POPEN),
)

_QUERY = Timeout(position=2)

CALLS: tuple[CallRow, ...] = (
    CallRow(names=(f"{_SSH}.connect",), effects=Effect.NETWORK, timeout=Timeout(position=6)),
    CallRow(names=(f"{_SSH}.exec_command",), effects=Effect.NETWORK, timeout=Timeout(position=2, default=Wait.NONE)),
    CallRow(names=(f"{_SSH}.open_sftp",), effects=Effect.NETWORK),
    CallRow(names=(f"{_SSH}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_CHANNEL}.recv_exit_status",), effects=Effect.WAIT, timeout=Timeout(keyword="")),
    CallRow(names=(f"{_CHANNEL}.recv",), effects=Effect.NETWORK),
    CallRow(names=(f"{_CHANNEL}.send",), effects=Effect.NETWORK),
    CallRow(names=(f"{_CHANNEL}.close",), role=Role.CLOSE),
    # The server object holds the limit for connecting; each connection one for answers.
    CallRow(names=("ldap3.Server",), timeout=Timeout(keyword="connect_timeout")),
    CallRow(
        names=(_LDAP,),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="receive_timeout"),
    ),
    *(
        CallRow(names=(f"{_LDAP}.{name}",), effects=Effect.NETWORK)
        for name in ("add", "bind", "delete", "modify", "search", "start_tls")
    ),
    CallRow(names=(f"{_LDAP}.unbind",), effects=Effect.NETWORK, role=Role.CLOSE),
    *(
        CallRow(names=(f"dns.query.{name}",), effects=Effect.NETWORK, timeout=_QUERY, keeps=False)
        for name in ("udp", "tcp", "tls", "https", "udp_with_fallback")
    ),
    *(
        CallRow(
            names=(f"dns.resolver.{name}",),
            effects=Effect.NETWORK,
            timeout=Timeout(keyword="lifetime", default=Wait.FINITE, infinite=()),
            keeps=False,
        )
        for name in ("resolve", "resolve_address")
    ),
    CallRow(names=("httplib2.Http",), timeout=Timeout(position=1)),
    CallRow(names=("httplib2.Http.request",), effects=Effect.NETWORK, keeps=False),
    CallRow(names=("serial.Serial",), effects=Effect.FILE, timeout=Timeout(position=5, default=Wait.NONE)),
    *(
        CallRow(names=(f"serial.Serial.{name}",), effects=Effect.WAIT, keeps=False)
        for name in ("read", "readline", "read_until", "write", "flush")
    ),
    CallRow(names=("serial.Serial.close",), role=Role.CLOSE),
    CallRow(names=("pexpect.spawn",), effects=Effect.SUBPROCESS),
    CallRow(
        names=("pexpect.spawn.expect",),
        effects=Effect.SUBPROCESS | Effect.WAIT,
        timeout=Timeout(position=1, default=Wait.FINITE),
    ),
    CallRow(names=("pexpect.spawn.wait",), effects=Effect.SUBPROCESS | Effect.WAIT, role=Role.JOIN),
    CallRow(names=("pexpect.spawn.close",), role=Role.CLOSE),
    CallRow(names=("selenium.webdriver.Chrome",), effects=Effect.NETWORK | Effect.SUBPROCESS),
    CallRow(names=("selenium.webdriver.Firefox",), effects=Effect.NETWORK | Effect.SUBPROCESS),
)
