"""Roots: where something new begins to run, which of it runs in parallel, and what the settings add."""

from __future__ import annotations

import re

import pytest

from conclint.analysis.module import analyse
from conclint.catalog.rows import RunsIn
from conclint.model.hints import NO_HINTS, Hints
from conclint.project.link import Linker
from conclint.project.project import Project
from conclint.project.roots import find_begin
from conclint.source import parse

HEAD = """\
import asyncio, atexit, concurrent.futures, functools, signal, sys, threading, weakref
import http.server, multiprocessing.pool, socketserver, wsgiref.simple_server, xmlrpc.server
class Job:
    def run(self, *args): ...
    @classmethod
    def of_class(cls): ...
    @staticmethod
    def of_none(): ...
class Special(Job):
    def __call__(self): ...
def job(*args): ...
loop = asyncio.new_event_loop()
pool = concurrent.futures.ThreadPoolExecutor()
threads = multiprocessing.pool.ThreadPool()
"""
HANDLER = """\
class Handler(socketserver.StreamRequestHandler):
    def handle(self): ...
    def helper(self): ...
"""
PAGES = """\
class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self): ...
    def done(self): ...
"""
OWN_INIT = """\
class S(socketserver.ThreadingTCPServer):
    def __init__(self, address):
        super().__init__(address, Handler)
S(('', 0))
"""
THREADED = "class S(socketserver.ThreadingMixIn, socketserver.TCPServer): ...\n"
NOT_THREADED = "class S(socketserver.TCPServer, socketserver.ThreadingMixIn): ...\n"
XML = "class S(socketserver.ThreadingMixIn, xmlrpc.server.SimpleXMLRPCServer): ...\n"

CALLABLES = [
    ("job", "job"),
    ("functools.partial(job, 1)", "job"),
    ("functools.partial(functools.partial(job, 1), 2)", "job"),
    ("Job().run", "Job.run"),
    ("Special().run", "Job.run"),
    ("functools.partial(Job().run, 1)", "Job.run"),
    ("Job.of_class", "Job.of_class"),
    ("Job.of_none", "Job.of_none"),
    ("lambda: 1", "<lambda>"),
    ("make()", "make.<locals>.nested"),
    ("Special()", "Special.__call__"),
]
"""Ways to write a callable, and the function that it runs."""
MAKE = "def make():\n    def nested(*args): ...\n    return nested\n"

TAKERS = [
    ("threading.Thread(target={})", RunsIn.THREAD),
    ("threading.Timer(1, {})", RunsIn.TIMER),
    ("pool.submit({})", RunsIn.EXECUTOR_THREAD),
    ("threads.apply_async({})", RunsIn.EXECUTOR_THREAD),
    ("threads.apply_async(print, callback={})", RunsIn.CALLBACK_THREAD),
    ("threads.map_async(print, [], 1, None, {})", RunsIn.CALLBACK_THREAD),
    ("loop.run_in_executor(None, {})", RunsIn.EXECUTOR_THREAD),
    ("asyncio.to_thread({})", RunsIn.EXECUTOR_THREAD),
    ("pool.submit(print).add_done_callback({})", RunsIn.EXECUTOR_THREAD),
    ("loop.call_soon({})", RunsIn.LOOP_CALLBACK),
    ("loop.call_later(1, {})", RunsIn.LOOP_CALLBACK),
    ("loop.call_at(1, {})", RunsIn.LOOP_CALLBACK),
    ("loop.call_soon_threadsafe({})", RunsIn.LOOP_CALLBACK),
    ("loop.add_signal_handler(signal.SIGTERM, {})", RunsIn.LOOP_CALLBACK),
    ("loop.create_future().add_done_callback({})", RunsIn.LOOP_CALLBACK),
    ("signal.signal(signal.SIGTERM, {})", RunsIn.SIGNAL),
    ("signal.signal(signal.SIGTERM, handler={})", RunsIn.SIGNAL),
    ("atexit.register({})", RunsIn.ATEXIT),
    ("weakref.ref(job, {})", RunsIn.FINALIZER),
    ("weakref.proxy(job, {})", RunsIn.FINALIZER),
    ("weakref.finalize(job, {})", RunsIn.FINALIZER),
    ("weakref.WeakMethod(job, {})", RunsIn.FINALIZER),
    ("sys.settrace({})", RunsIn.HOOK),
    ("threading.setprofile({})", RunsIn.HOOK),
    ("sys.excepthook = {}", RunsIn.HOOK),
    ("threading.excepthook = {}", RunsIn.HOOK),
    ("wsgiref.simple_server.make_server('', 80, {})", RunsIn.REQUEST),
    ("xmlrpc.server.SimpleXMLRPCServer(('', 80)).register_function({})", RunsIn.REQUEST),
    (f"{XML}S(('', 80)).register_function({{}})", RunsIn.REQUEST_THREAD),
]


def link(text: str, hints: Hints = NO_HINTS, **others: str) -> Project:
    modules = [
        analyse(parse(each, path=f"{name}.py", module=name, is_package=False), {}).facts
        for name, each in {"app": text, **others}.items()
    ]
    linker = Linker(modules, None, hints)
    linker.run()
    return Project(linker=linker)


def roots(text: str, **others: str) -> list[tuple[str, RunsIn]]:
    """Return the roots of the module `app`, which begins with HEAD: function, and where it runs."""
    found = link(HEAD + text, **others).roots
    names = (re.sub(r"<lambda:.*>", "<lambda>", root.function.removeprefix("app.")) for root in found)
    return sorted(set(zip(names, (root.runs_in for root in found), strict=True)), key=str)


@pytest.mark.parametrize(("written", "function"), CALLABLES)
@pytest.mark.parametrize(("taker", "runs_in"), TAKERS)
def test_what_is_handed_over_begins_there(taker: str, runs_in: RunsIn, written: str, function: str) -> None:
    assert roots(MAKE + taker.format(written)) == [(function, runs_in)]


@pytest.mark.parametrize(
    ("text", "runs_in"),
    [
        ("socketserver.TCPServer(('', 0), Handler)", RunsIn.REQUEST),
        ("socketserver.UDPServer(('', 0), RequestHandlerClass=Handler)", RunsIn.REQUEST),
        ("socketserver.ThreadingTCPServer(('', 0), Handler)", RunsIn.REQUEST_THREAD),
        ("http.server.HTTPServer(('', 0), Handler)", RunsIn.REQUEST),
        ("http.server.ThreadingHTTPServer(('', 0), Handler)", RunsIn.REQUEST_THREAD),
        (f"{THREADED}S(('', 0), Handler)", RunsIn.REQUEST_THREAD),
        (f"{NOT_THREADED}S(('', 0), Handler)", RunsIn.REQUEST),
        (f"{THREADED}class T(S): ...\nT(('', 0), Handler)", RunsIn.REQUEST_THREAD),
        (OWN_INIT, RunsIn.REQUEST_THREAD),
        ("", RunsIn.REQUEST),
    ],
)
def test_the_server_says_where_its_handlers_run(text: str, runs_in: RunsIn) -> None:
    assert roots(HANDLER + text) == [("Handler.handle", runs_in)]


def test_http_handlers_run_by_the_name_of_the_request() -> None:
    assert roots(PAGES) == [("Pages.do_GET", RunsIn.REQUEST)]
    text = f"{PAGES}class More(Pages):\n    def do_POST(self): ...\nhttp.server.ThreadingHTTPServer(('', 0), More)"
    assert roots(text) == [("Pages.do_GET", RunsIn.REQUEST_THREAD), ("More.do_POST", RunsIn.REQUEST_THREAD)][::-1]


def test_handlers_see_their_server() -> None:
    text = (
        f"{THREADED}class H(socketserver.BaseRequestHandler):\n    def handle(self):\n        self.server.count += 1\n"
    )
    text += "    def finish(self):\n        self.server.note()\n"
    text = text.replace("TCPServer): ...", "TCPServer):\n    count = 0\n    def note(self): ...", 1)
    project = link(f"{HEAD}{text}S(('', 0), H)")
    assert "app.S.note" in project.call_graph.called_by("app.H.finish")
    (race,) = project.races.lost_updates
    assert (race.place.name, race.others[0][0] is race.access) == ("count", True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("class A:\n    def __del__(self): ...", [("A.__del__", RunsIn.FINALIZER)]),
        (
            "class A:\n    def __del__(self): ...\nclass B(A):\n    def __del__(self): ...",
            [("A.__del__", RunsIn.FINALIZER), ("B.__del__", RunsIn.FINALIZER)],
        ),
        ("class W(threading.Thread):\n    def run(self): ...", [("W.run", RunsIn.THREAD)]),
        ("class W(threading.Timer):\n    def run(self): ...", [("W.run", RunsIn.TIMER)]),
        ("class W(multiprocessing.Process):\n    def run(self): ...", [("W.run", RunsIn.PROCESS)]),
        (
            "class W(threading.Thread): ...\nclass X(W):\n    def run(self): ...\nX().start()",
            [("X.run", RunsIn.THREAD)],
        ),
    ],
)
def test_what_runs_by_its_name_needs_no_call(text: str, found: list[tuple[str, RunsIn]]) -> None:
    assert roots(text) == found


@pytest.mark.parametrize("decorator", ["atexit.register", "register"])
def test_a_decorator_of_the_library_hands_the_function_over(decorator: str) -> None:
    text = f"from atexit import register\n@{decorator}\ndef bye(): ..."
    assert roots(text) == [("bye", RunsIn.ATEXIT)]


FLASK = "import flask\napp = flask.Flask(__name__)\n"
FASTAPI = "import fastapi\napp = fastapi.FastAPI()\n"
DJANGO = "import django.dispatch, django.utils.deprecation\nfrom django.db.models.signals import post_save\n"
TORNADO = "import tornado.web, tornado.tcpserver\n"
GEVENT = "import gevent, gevent.pool, gevent.threadpool\n"
MIDDLEWARE = "class M(django.utils.deprecation.MiddlewareMixin):\n    def process_request(self, request): ...\n"
HTTP = "from starlette.middleware.base import BaseHTTPMiddleware\nclass M(BaseHTTPMiddleware):\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{FLASK}@app.route('/')\ndef view(): ...", [("view", RunsIn.REQUEST_THREAD)]),
        (f"{FLASK}@app.route('/')\nasync def view(): ...", []),
        (f"{FLASK}@app.before_request\ndef begin(): ...", [("begin", RunsIn.REQUEST_THREAD)]),
        (f"{FLASK}app.before_request(job)", [("job", RunsIn.REQUEST_THREAD)]),
        (f"{FLASK}@app.after_request\n@app.teardown_request\ndef end(one): ...", [("end", RunsIn.REQUEST_THREAD)]),
        (f"{FLASK}@app.errorhandler(404)\ndef missing(error): ...", [("missing", RunsIn.REQUEST_THREAD)]),
        (f"{FLASK}app.add_url_rule('/', view_func=job)", [("job", RunsIn.REQUEST_THREAD)]),
        (f"{FLASK}@app.cli.command('go')\ndef go(): ...", []),
        (f"{FASTAPI}@app.get('/')\ndef view(): ...", [("view", RunsIn.REQUEST_THREAD)]),
        (f"{FASTAPI}@app.get('/')\nasync def view(): ...", [("view", RunsIn.TASK)]),
        (f"{FASTAPI}def view(one=fastapi.Depends(job)): ...", [("job", RunsIn.REQUEST_THREAD)]),
        (f"{FASTAPI}async def ask(): ...\ndef view(one=fastapi.Depends(ask)): ...", []),
        (
            f"{FASTAPI}def view(tasks: fastapi.BackgroundTasks):\n    tasks.add_task(job)",
            [("job", RunsIn.REQUEST_THREAD)],
        ),
        (f"{FASTAPI}@app.middleware('http')\nasync def wrap(request, go): ...", [("wrap", RunsIn.TASK)]),
        (f"{FASTAPI}@app.on_event('startup')\ndef start(): ...", []),
        ("import fastapi\nasync def live(app): ...\nfastapi.FastAPI(lifespan=live)", [("live", RunsIn.TASK)]),
        (f"{HTTP}    async def dispatch(self, request, go): ...", [("M.dispatch", RunsIn.TASK)]),
        (f"{DJANGO}{MIDDLEWARE}", [("M.process_request", RunsIn.REQUEST_THREAD)]),
        (f"{DJANGO}@django.dispatch.receiver(post_save)\ndef note(**options): ...", [("note", RunsIn.HOOK)]),
        (f"{DJANGO}post_save.connect(job)", [("job", RunsIn.HOOK)]),
        (f"{DJANGO}django.dispatch.Signal().connect(receiver=job)", [("job", RunsIn.HOOK)]),
        (f"{TORNADO}class P(tornado.web.RequestHandler):\n    def get(self): ...", [("P.get", RunsIn.LOOP_CALLBACK)]),
        (
            f"{TORNADO}class P(tornado.web.RequestHandler):\n    async def post(self): ...\n    def other(self): ...",
            [("P.post", RunsIn.LOOP_CALLBACK)],
        ),
        (f"{GEVENT}gevent.spawn(job)", [("job", RunsIn.GREENLET)]),
        (f"{GEVENT}gevent.spawn_later(1, job)", [("job", RunsIn.GREENLET)]),
        (f"{GEVENT}gevent.pool.Pool(3).spawn(job, 1)", [("job", RunsIn.GREENLET)]),
        (f"{GEVENT}class G(gevent.Greenlet):\n    def _run(self): ...", [("G._run", RunsIn.GREENLET)]),
        (f"{GEVENT}gevent.threadpool.ThreadPool(3).spawn(job)", [("job", RunsIn.THREAD)]),
    ],
)
def test_frameworks_run_their_handlers(text: str, found: list[tuple[str, RunsIn]]) -> None:
    assert roots(text) == found


@pytest.mark.parametrize(
    ("text", "is_shared"),
    [
        (f"{DJANGO}{MIDDLEWARE}", True),
        ("from django.views import View\nclass V(View):\n    def get(self, request): ...", False),
    ],
)
def test_middleware_is_one_object_and_a_view_is_made_anew(text: str, is_shared: bool) -> None:
    project = link(HEAD + text)
    (root,) = project.roots
    assert project.parallel.has_shared_receiver(root) is is_shared


NAMED = """\
class Count:
    def __call__(self, request): ...
    def process_view(self, request): ...
    def help(self): ...
class Wait:
    async def __call__(self, request): ...
def tag(get_response):
    def answer(request): ...
    return answer
"""


def test_the_settings_of_django_name_middleware() -> None:
    names = ["app.Count", "app.Wait", "app.tag", "app.nothing", "django.middleware.common.CommonMiddleware"]
    assert roots(NAMED, settings=f"MIDDLEWARE = {names}\nOTHER = ['app.job']") == [
        ("Count.__call__", RunsIn.REQUEST_THREAD),
        ("Count.process_view", RunsIn.REQUEST_THREAD),
        ("tag.<locals>.answer", RunsIn.REQUEST_THREAD),
    ]


FRAMEWORK = "class App:\n    def task(self, function):\n        return function\napp = App()\ndef job(**options): ..."


@pytest.mark.parametrize(
    ("hint", "decorator"),
    [
        ("framework.job", "@framework.job"),
        ("framework.job", "@framework.job(retries=3)"),
        ("framework.job", "@job"),
        ("framework.app.task", "@framework.app.task"),
        ("framework.App.task", "@framework.app.task"),
        ("other.job", "@other.job"),
        ("other.app.route", '@other.app.route("/")'),
    ],
)
def test_the_settings_name_decorators_of_roots(hint: str, decorator: str) -> None:
    text = f"import framework, other\nfrom framework import job\n{decorator}\ndef work(): ...\n@some\ndef rest(): ..."
    project = link(text, Hints(root_decorators=(hint,)), framework=FRAMEWORK)
    (root,) = project.roots
    assert (root.function, root.runs_in) == ("app.work", RunsIn.REQUEST_THREAD)
    assert find_begin(project, root).line == 4


@pytest.mark.parametrize(
    ("text", "controls"),
    [
        ("socketserver.TCPServer(('', 0), Handler)", []),
        ("socketserver.ThreadingTCPServer(('', 0), Handler)", ["Handler.handle*"]),
        ("for _ in range(3):\n    threads.apply_async(print, callback=work)", ["work"]),
        ("signal.signal(2, work)", []),
        ("signal.signal(2, work)\nthreading.Thread(target=work).start()", ["work"]),
        ("weakref.finalize(job, work)", []),
        ("class A:\n    def __del__(self):\n        work()", []),
        ("sys.excepthook = work", []),
        ("atexit.register(work)", []),
        ("loop.call_soon(work)", []),
        ("def go():\n    work()", ["main"]),
    ],
)
def test_what_interrupts_a_thread_or_waits_for_its_turn_is_no_thread(text: str, controls: list[str]) -> None:
    handler = HANDLER.replace("def handle(self): ...", "def handle(self):\n        work()")
    project = link(f"{HEAD}def work(): ...\n{handler}{text}\n")
    assert (
        sorted(
            "main" if control.root is None else control.root.function.removeprefix("app.") + "*" * control.many
            for control in project.parallel.controls("app.work")
        )
        == controls
    )
