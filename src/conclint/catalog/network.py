"""What `socket`, `ssl`, `select`, `selectors` and `socketserver` mean. Protocols stand in `internet`."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait

_SOCKET = "socket.socket"
_SERVER = "socketserver.BaseServer"
_THREADING = "socketserver.ThreadingMixIn"
_FORKING = "socketserver.ForkingMixIn"
_HANDLER = "socketserver.BaseRequestHandler"
_SELECTORS = (
    "BaseSelector",
    "DefaultSelector",
    "SelectSelector",
    "PollSelector",
    "EpollSelector",
    "KqueueSelector",
    "DevpollSelector",
)

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_SOCKET, "socket.SocketType"), kind=Kind.SESSION),
    ClassRow(names=("ssl.SSLSocket",), kind=Kind.SESSION, bases=(_SOCKET,)),
    ClassRow(names=("ssl.SSLContext",), kind=Kind.OTHER),
    ClassRow(names=tuple(f"selectors.{name}" for name in _SELECTORS), kind=Kind.OTHER),
    ClassRow(names=("select.epoll",), kind=Kind.OTHER),
    ClassRow(names=("select.poll",), kind=Kind.OTHER, factory=True),
    ClassRow(names=("select.devpoll",), kind=Kind.OTHER, factory=True),
    ClassRow(names=("select.kqueue",), kind=Kind.OTHER),
    *(
        ClassRow(names=(name,), kind=Kind.OTHER, bases=bases)
        for name, bases in (
            (_SERVER, ()),
            ("socketserver.TCPServer", (_SERVER,)),
            ("socketserver.UDPServer", ("socketserver.TCPServer",)),
            ("socketserver.UnixStreamServer", ("socketserver.TCPServer",)),
            ("socketserver.UnixDatagramServer", ("socketserver.UDPServer",)),
            ("http.server.HTTPServer", ("socketserver.TCPServer",)),
            ("xmlrpc.server.SimpleXMLRPCServer", ("socketserver.TCPServer",)),
            # Each request is handled in a thread, or process, of its own.
            (_THREADING, ()),
            (_FORKING, ()),
            ("socketserver.ThreadingTCPServer", (_THREADING, "socketserver.TCPServer")),
            ("socketserver.ThreadingUDPServer", (_THREADING, "socketserver.UDPServer")),
            ("socketserver.ThreadingUnixStreamServer", (_THREADING, "socketserver.UnixStreamServer")),
            ("socketserver.ThreadingUnixDatagramServer", (_THREADING, "socketserver.UnixDatagramServer")),
            ("socketserver.ForkingTCPServer", (_FORKING, "socketserver.TCPServer")),
            ("socketserver.ForkingUDPServer", (_FORKING, "socketserver.UDPServer")),
            ("xmlrpc.server.DocXMLRPCServer", ("xmlrpc.server.SimpleXMLRPCServer",)),
            ("wsgiref.simple_server.WSGIServer", ("http.server.HTTPServer",)),
            ("http.server.ThreadingHTTPServer", (_THREADING, "http.server.HTTPServer")),
        )
    ),
    *(
        ClassRow(names=(name,), kind=Kind.OTHER, bases=bases, since=since)
        for name, bases, since in (
            ("socketserver.ForkingUnixStreamServer", (_FORKING, "socketserver.UnixStreamServer"), (3, 12)),
            ("socketserver.ForkingUnixDatagramServer", (_FORKING, "socketserver.UnixDatagramServer"), (3, 12)),
            ("http.server.HTTPSServer", ("http.server.HTTPServer",), (3, 14)),
            ("http.server.ThreadingHTTPSServer", (_THREADING, "http.server.HTTPSServer"), (3, 14)),
        )
    ),
    ClassRow(names=(_HANDLER,), kind=Kind.OTHER, runs=("setup", "handle", "finish"), runs_in=RunsIn.REQUEST),
    *(
        ClassRow(names=(f"socketserver.{name}",), kind=Kind.OTHER, bases=(_HANDLER,))
        for name in ("StreamRequestHandler", "DatagramRequestHandler")
    ),
    *(
        ClassRow(
            names=(f"http.server.{name}",),
            kind=Kind.OTHER,
            bases=("socketserver.StreamRequestHandler",),
            runs=("setup", "handle", "finish", "do_*"),
            runs_in=RunsIn.REQUEST,
            until=until,
        )
        for name, until in (
            ("BaseHTTPRequestHandler", None),
            ("SimpleHTTPRequestHandler", None),
            ("CGIHTTPRequestHandler", (3, 15)),
        )
    ),
)

_SOCKET_CALLS = (
    CallRow(
        names=("socket.create_connection",),
        effects=Effect.NETWORK,
        timeout=Timeout(position=1, default=Wait.SOCKET_DEFAULT),
        returns=_SOCKET,
        keeps=False,
        twin="asyncio.open_connection",
    ),
    *(
        # The resolver has time limits of its own, which no parameter sets.
        CallRow(names=(f"socket.{name}",), effects=Effect.NETWORK, keeps=False)
        for name in (
            "getaddrinfo",
            "gethostbyname",
            "gethostbyname_ex",
            "gethostbyaddr",
            "getnameinfo",
            "getfqdn",
        )
    ),
    # `settimeout` bounds them, so a row without `timeout`: nothing is known here.
    *(
        CallRow(names=(f"{_SOCKET}.{name}",), effects=Effect.NETWORK, keeps=False)
        for name in (
            "connect",
            "connect_ex",
            "send",
            "sendall",
            "sendto",
            "sendmsg",
            "sendfile",
            "recv",
            "recv_into",
            "recvfrom",
            "recvfrom_into",
            "recvmsg",
            "recvmsg_into",
        )
    ),
    CallRow(names=(f"{_SOCKET}.accept",), effects=Effect.NETWORK, returns_item=_SOCKET),
    CallRow(names=(f"{_SOCKET}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_SOCKET}.shutdown",), role=Role.CANCEL),
    CallRow(names=(f"{_SOCKET}.__exit__",), role=Role.CLOSE),
    CallRow(names=(f"{_SOCKET}.settimeout",), keeps=False),
    CallRow(names=("socket.create_server",), returns=_SOCKET, keeps=False),
    CallRow(names=("socket.socketpair",), returns_item=_SOCKET, keeps=False),
    *(CallRow(names=(f"socket.{name}",), effects=Effect.NETWORK, keeps=False) for name in ("recv_fds", "send_fds")),
    *(
        CallRow(names=(f"ssl.SSLSocket.{name}",), effects=Effect.NETWORK, keeps=False)
        for name in ("read", "write", "do_handshake", "unwrap")
    ),
)

_TLS_CALLS = (
    CallRow(
        names=("ssl.get_server_certificate",),
        effects=Effect.NETWORK,
        timeout=Timeout(position=3, default=Wait.SOCKET_DEFAULT),
        keeps=False,
    ),
    # Both read the certificates of the system from disk.
    CallRow(
        names=("ssl.create_default_context",),
        effects=Effect.SLOW_FIRST_USE,
        returns="ssl.SSLContext",
        keeps=False,
    ),
    CallRow(names=("ssl.SSLContext.load_default_certs",), effects=Effect.SLOW_FIRST_USE, keeps=False),
    CallRow(names=("ssl.SSLContext.load_verify_locations",), effects=Effect.SLOW_FIRST_USE, keeps=False),
    CallRow(names=("ssl.SSLContext.load_cert_chain",), effects=Effect.SLOW_FIRST_USE, keeps=False),
    # It shakes hands at once when the socket is connected.
    CallRow(
        names=("ssl.SSLContext.wrap_socket",),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="", default=Wait.FINITE, nonblocking=(("do_handshake_on_connect", 2, False),)),
        returns="ssl.SSLSocket",
    ),
)

_MILLISECONDS = Timeout(position=0, infinite=(None, -1))

_SELECT_CALLS = (
    CallRow(
        names=("select.kqueue.control",),
        effects=Effect.WAIT,
        timeout=Timeout(position=2),
        keeps=False,
    ),
    CallRow(names=("select.devpoll.poll",), effects=Effect.WAIT, timeout=_MILLISECONDS, keeps=False),
    CallRow(names=("select.select",), effects=Effect.WAIT, timeout=Timeout(position=3), keeps=False),
    CallRow(names=("selectors.BaseSelector.select",), effects=Effect.WAIT, timeout=Timeout(position=0), keeps=False),
    CallRow(names=("selectors.BaseSelector.close",), role=Role.CLOSE),
    CallRow(names=("select.epoll.poll",), effects=Effect.WAIT, timeout=_MILLISECONDS, keeps=False),
    CallRow(names=("select.poll.poll",), effects=Effect.WAIT, timeout=_MILLISECONDS, keeps=False),
)

_SERVER_CALLS = (
    CallRow(names=(f"{_SERVER}.serve_forever",), effects=Effect.NETWORK),
    CallRow(names=(f"{_SERVER}.handle_request",), effects=Effect.NETWORK),
    CallRow(names=(f"{_SERVER}.shutdown",), effects=Effect.WAIT, role=Role.CANCEL),
    CallRow(names=(f"{_SERVER}.server_close",), role=Role.CLOSE),
    *(
        CallRow(
            names=names,
            spawn=Spawn(runs_in=runs_in, keyword="RequestHandlerClass", position=1, of_class=True),
        )
        for runs_in, names in (
            (
                RunsIn.REQUEST,
                (
                    *(f"socketserver.{kind}Server" for kind in ("Base", "TCP", "UDP", "UnixStream", "UnixDatagram")),
                    "http.server.HTTPServer",
                    "http.server.HTTPSServer",
                ),
            ),
            (
                RunsIn.REQUEST_THREAD,
                (
                    _THREADING,
                    *(f"socketserver.Threading{kind}Server" for kind in ("TCP", "UDP", "UnixStream", "UnixDatagram")),
                    "http.server.ThreadingHTTPServer",
                    "http.server.ThreadingHTTPSServer",
                ),
            ),
            (
                RunsIn.PROCESS,
                (
                    _FORKING,
                    *(f"socketserver.Forking{kind}Server" for kind in ("TCP", "UDP", "UnixStream", "UnixDatagram")),
                ),
            ),
        )
    ),
    # It runs where the constructor of the server says.
    CallRow(
        names=("xmlrpc.server.SimpleXMLRPCServer.register_function",),
        spawn=Spawn(runs_in=RunsIn.REQUEST, keyword="function", position=0),
    ),
    CallRow(
        names=("wsgiref.simple_server.make_server",), spawn=Spawn(runs_in=RunsIn.REQUEST, keyword="app", position=2)
    ),
)

CALLS: tuple[CallRow, ...] = _SOCKET_CALLS + _TLS_CALLS + _SELECT_CALLS + _SERVER_CALLS
