"""What clients of remote machines and devices mean: SSH, LDAP, DNS, HTTP with httplib2, serial lines, browsers."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, Timeout, Wait

_SSH = "paramiko.SSHClient"
_CHANNEL = "paramiko.Channel"
_TRANSPORT = "paramiko.Transport"
_SFTP = "paramiko.SFTPClient"
_LDAP = "ldap3.Connection"
_RESOLVER = "dns.resolver.Resolver"

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_SSH, "paramiko.client.SSHClient"), kind=Kind.SESSION),
    ClassRow(names=(_CHANNEL, "paramiko.channel.Channel"), kind=Kind.SESSION),
    ClassRow(names=(_TRANSPORT, "paramiko.transport.Transport"), kind=Kind.SESSION),
    ClassRow(names=(_SFTP, "paramiko.sftp_client.SFTPClient"), kind=Kind.SESSION),
    ClassRow(names=(_RESOLVER,), kind=Kind.OTHER),
    ClassRow(names=("dns.asyncresolver.Resolver",), kind=Kind.OTHER, domain=Domain.TASK),
    ClassRow(names=(_LDAP, "ldap3.core.connection.Connection"), kind=Kind.SESSION),
    ClassRow(names=("httplib2.Http",), kind=Kind.SESSION),
    ClassRow(names=("serial.Serial",), kind=Kind.SESSION),
    ClassRow(names=("pexpect.spawn", "pexpect.pty_spawn.spawn"), kind=Kind.POPEN),
)

_QUERY = Timeout(position=2)

CALLS: tuple[CallRow, ...] = (
    CallRow(names=(f"{_SSH}.connect",), effects=Effect.NETWORK, timeout=Timeout(position=6)),
    CallRow(names=(f"{_SSH}.exec_command",), effects=Effect.NETWORK, timeout=Timeout(position=2, default=Wait.NONE)),
    CallRow(names=(f"{_SSH}.open_sftp",), effects=Effect.NETWORK, returns=_SFTP),
    CallRow(names=(f"{_SSH}.get_transport",), returns=_TRANSPORT),
    # It connects when it is given a host, for as long as the system lets it.
    CallRow(names=(_TRANSPORT,), effects=Effect.NETWORK),
    *(
        CallRow(names=(f"{_TRANSPORT}.{name}",), effects=Effect.NETWORK)
        for name in ("auth_password", "auth_publickey", "connect")
    ),
    CallRow(names=(f"{_TRANSPORT}.start_client",), effects=Effect.NETWORK, timeout=Timeout(position=1)),
    CallRow(
        names=(f"{_TRANSPORT}.open_session",),
        effects=Effect.NETWORK,
        timeout=Timeout(position=2, default=Wait.FINITE, infinite=()),
        returns=_CHANNEL,
    ),
    CallRow(names=(f"{_TRANSPORT}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_SFTP}.from_transport",), effects=Effect.NETWORK, returns=_SFTP),
    *(
        CallRow(names=(f"{_SFTP}.{name}",), effects=Effect.NETWORK)
        for name in (
            "chmod",
            "get",
            "getfo",
            "listdir",
            "listdir_attr",
            "lstat",
            "mkdir",
            "open",
            "put",
            "putfo",
            "remove",
            "rename",
            "rmdir",
            "stat",
        )
    ),
    CallRow(names=(f"{_SFTP}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_SSH}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_CHANNEL}.recv_exit_status",), effects=Effect.WAIT, timeout=Timeout(keyword="")),
    CallRow(names=(f"{_CHANNEL}.recv",), effects=Effect.NETWORK),
    *(
        CallRow(names=(f"{_CHANNEL}.{name}",), effects=Effect.NETWORK)
        for name in ("exec_command", "invoke_shell", "recv_stderr", "send", "sendall")
    ),
    CallRow(names=(f"{_SSH}.invoke_shell",), effects=Effect.NETWORK, returns=_CHANNEL),
    CallRow(names=(f"{_TRANSPORT}.accept",), effects=Effect.WAIT, timeout=Timeout(position=0), returns=_CHANNEL),
    CallRow(
        names=(f"{_TRANSPORT}.open_channel",),
        effects=Effect.NETWORK,
        timeout=Timeout(position=5, default=Wait.FINITE, infinite=()),
        returns=_CHANNEL,
    ),
    CallRow(names=(f"{_CHANNEL}.close",), role=Role.CLOSE),
    # The server object holds the limit for connecting; each connection one for answers.
    CallRow(names=("ldap3.Server",), timeout=Timeout(keyword="connect_timeout", position=7)),
    CallRow(
        names=(_LDAP,),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="receive_timeout", position=21),
    ),
    *(
        CallRow(names=(f"{_LDAP}.{name}",), effects=Effect.NETWORK)
        for name in (
            "add",
            "bind",
            "compare",
            "delete",
            "extended",
            "modify",
            "modify_dn",
            "rebind",
            "search",
            "start_tls",
        )
    ),
    CallRow(names=(f"{_LDAP}.unbind",), effects=Effect.NETWORK, role=Role.CLOSE),
    *(
        CallRow(names=(f"dns.query.{name}",), effects=Effect.NETWORK, timeout=_QUERY, keeps=False)
        for name in ("udp", "tcp", "tls", "https", "quic", "udp_with_fallback")
    ),
    *(
        CallRow(names=(f"dns.asyncquery.{name}",), effects=Effect.NETWORK, timeout=_QUERY, coroutine=True, keeps=False)
        for name in ("udp", "tcp", "tls", "https", "quic", "udp_with_fallback")
    ),
    *(
        CallRow(
            names=(f"{owner}.{name}",),
            effects=Effect.NETWORK,
            timeout=Timeout(keyword="lifetime", position=position, default=Wait.FINITE, infinite=()),
            coroutine="async" in owner,
            keeps=False,
        )
        for owner, name, position in (
            ("dns.resolver", "resolve", 7),
            ("dns.resolver", "query", 7),
            ("dns.resolver", "resolve_address", None),
            (_RESOLVER, "resolve", 7),
            (_RESOLVER, "query", 7),
            (_RESOLVER, "resolve_address", None),
            ("dns.asyncresolver", "resolve", 7),
            ("dns.asyncresolver.Resolver", "resolve", 7),
        )
    ),
    CallRow(names=("httplib2.Http",), timeout=Timeout(position=1)),
    CallRow(names=("httplib2.Http.request",), effects=Effect.NETWORK, keeps=False),
    CallRow(names=("serial.Serial",), effects=Effect.FILE, timeout=Timeout(position=5, default=Wait.NONE)),
    *(
        CallRow(names=(f"serial.Serial.{name}",), effects=Effect.WAIT, keeps=False)
        for name in ("read", "readinto", "readline", "readlines", "read_until", "write", "flush")
    ),
    CallRow(names=("serial.serial_for_url",), effects=Effect.FILE, returns="serial.Serial"),
    CallRow(names=("serial.Serial.open",), effects=Effect.FILE),
    CallRow(names=("serial.Serial.close",), role=Role.CLOSE),
    CallRow(
        names=("pexpect.run", "pexpect.run.run"),
        effects=Effect.SUBPROCESS,
        timeout=Timeout(position=1, default=Wait.FINITE, infinite=(None,)),
    ),
    CallRow(names=("pexpect.spawn",), effects=Effect.SUBPROCESS),
    *(
        CallRow(
            names=(f"pexpect.spawn.{name}",),
            effects=Effect.SUBPROCESS | Effect.WAIT,
            timeout=Timeout(position=1, default=Wait.FINITE),
        )
        for name in ("expect", "expect_exact", "expect_list", "read_nonblocking")
    ),
    CallRow(names=("pexpect.spawn.wait",), effects=Effect.SUBPROCESS | Effect.WAIT, role=Role.JOIN),
    CallRow(names=("pexpect.spawn.close",), role=Role.CLOSE),
    *(
        CallRow(names=(f"selenium.webdriver.{name}",), effects=Effect.NETWORK | Effect.SUBPROCESS)
        for name in ("Chrome", "Edge", "Firefox", "Safari")
    ),
    CallRow(names=("selenium.webdriver.Remote",), effects=Effect.NETWORK),
)
