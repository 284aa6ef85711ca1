"""An IPython kernel in two halves: what is done once before the forks, and what each fork does.

``prepare`` imports, and builds the parts of a kernel that hold no thread, socket or secret: the
application, its configuration, the shell with its magics. ``listen`` adds the rest in the fork.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import pkgutil
import re
import sys
import time
import types
import uuid
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from autograder.imports import NotAllowed

# What a kernel, or a first cell, would import by itself. A name that this version of a library
# does not have is passed over.
MACHINERY = (
    "IPython",
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "ipykernel.datapub",
    "IPython.extensions.storemagic",
    "IPython.core.magics.execution",
    "IPython.core.magics.ast_mod",
    "IPython.core.magics.pylab",
    "IPython.utils.module_paths",
    "psutil",
    "tornado.platform.asyncio",
    "zmq.backend.cython",
    "stack_data",
    "pygments.formatters.terminal256",
    "pygments.lexers.python",
    "pygments.styles.default",
    "jedi",
)
COMPANIONS = {
    "numpy": ("numpy.random", "numpy.linalg", "numpy.fft", "numpy.testing"),
    "matplotlib": (
        "matplotlib.pyplot",
        "matplotlib_inline.backend_inline",
        "matplotlib_inline.config",
        "IPython.core.pylabtools",
    ),
    # Which torch puts off until the first layer on the meta device, or the first optimiser.
    "torch": ("torch._dynamo",),
}
# What may be a magic, a shell command, a question or a quick call: all that IPython adds to Python.
OWN_SYNTAX = re.compile(r"[%?]|!(?!=)|^\s*[/,;]")
# How numeric libraries are told how many threads to use.
POOLS = tuple(f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"))
HEARTBEAT_SECONDS = 10.0
# In a message that is too long: what is left of a list, and a text that stays as it is, as a name.
LEFT_ITEMS, SHORT_TEXT = 50, 1_000
MUCH_TEXT = 1 << 20  # characters
_app: Any = None
_threads = 1
# The grader's modules, of which a kernel shows no trace, and a submission its end of the wire.
_own_modules: list[str] = []
BRIDGE = ("wire", "peer", "bridge", "gate")
_bridge = types.ModuleType("autograder")


def prepare(settings: Mapping[str, Any]) -> None:
    """Do everything that forks can share.

    Args:
        settings: ``packages``, names to import; ``local``, those of them that are a course's own
            helpers, imported with all their modules; ``allowed``, as the instructor wrote them;
            ``blocked``, names that are installed and not allowed; ``partial``, those of
            ``blocked`` whose folder is there; ``jailed``, whether the others' are hidden;
            ``threads``, of numeric libraries in a kernel.
    """
    global _app, _threads
    gc.disable()  # nothing of what follows is garbage
    _threads = settings["threads"]
    _refuse_imports(settings)
    # The debugger costs more than the rest of a kernel's start, and nobody is there to use it.
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    for name in MACHINERY:
        _import(name)
    del sys.modules["debugpy"]
    for name in settings["packages"]:
        _import(name)
        for companion in COMPANIONS.get(name, ()):
            _import(companion)
    for name in settings["local"]:
        for found in pkgutil.iter_modules(getattr(sys.modules.get(name), "__path__", ())):
            _import(f"{name}.{found.name}")
    _app = _build_app()
    if "matplotlib.pyplot" in sys.modules:
        _draw_once()
    # Listed here: in a fork, each name looked at would copy the page it lies on.
    _bridge.__path__ = []
    for name in BRIDGE:
        setattr(_bridge, name, importlib.import_module(f"autograder.{name}"))
    _own_modules[:] = [name for name in sys.modules if name.partition(".")[0] == "autograder"]
    gc.collect()
    # Keep collections in the forks from writing to pages that they share.
    gc.freeze()
    gc.enable()


def _refuse_imports(settings: Mapping[str, Any]) -> None:
    allowed, blocked = settings["allowed"], set(settings["blocked"])
    # What has a folder in sight, the ordinary finders would import, if only as a namespace.
    in_sight = set(settings["partial"]) if settings["jailed"] else blocked
    sys.meta_path.insert(0, NotAllowed(in_sight, allowed))
    sys.meta_path.append(NotAllowed(blocked - in_sight, allowed))


def _import(name: str) -> None:
    # What does not import here will say why in the submission's own cell.
    with contextlib.suppress(Exception):
        importlib.import_module(name)


def _build_app() -> Any:
    from ipykernel import compiler
    from ipykernel.kernelapp import IPKernelApp
    from ipykernel.zmqshell import ZMQInteractiveShell
    from IPython.core.application import BaseIPythonApplication

    # The hash in the name of a cell's file, for which ipykernel's own is slow Python.
    compiler.murmur2_x86 = lambda text, seed: zlib.crc32(text.encode("utf-8", "replace"), seed)
    app = IPKernelApp.instance()
    # A history file would be a thread, a database and a trace of earlier submissions.
    app.config.HistoryManager.enabled = False
    BaseIPythonApplication.initialize(app, [])
    app.init_pdb()
    app.shell = ZMQInteractiveShell.instance(
        parent=app,
        profile_dir=app.profile_dir,
        compiler_class=compiler.XCachingCompiler,
    )
    app.session.key = b""  # each fork sets its own, and a name
    setattr(app, "init_iopub", partial(_init_iopub, app))  # noqa: B010, no method to mypy
    app.init_gui_pylab()
    app.init_extensions()
    app.init_code()
    _warm_shell(app.shell)
    _read_plain_cells_once(app.shell)
    return app


def _read_plain_cells_once(shell: Any) -> None:
    """Spare cells without a sign of IPython's own syntax the search for it, token by token."""
    manager = shell.input_transformer_manager
    search, known = manager.do_token_transforms, list(manager.token_transformers)

    def do_token_transforms(lines: list[str]) -> list[str]:
        plain = manager.token_transformers == known and not any(map(OWN_SYNTAX.search, lines))
        return lines if plain else list(search(lines))

    manager.do_token_transforms = do_token_transforms


def _init_iopub(app: Any, context: Any) -> None:
    """Lose no message when the grader reads slowly: what waits is the submission's memory."""
    context.setsockopt(sys.modules["zmq"].SNDHWM, 0)
    type(app).init_iopub(app, context)


def _warm_shell(shell: Any) -> None:
    """Fill the caches behind a cell's way through the shell; leaves its namespace as it is."""
    shell.transform_cell("%matplotlib inline\nx = 1\n")
    shell.display_formatter.format([1, 2, 3])
    try:
        raise NotImplementedError
    except NotImplementedError as error:
        shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)


def _draw_once() -> None:
    """Find the fonts and lay out one figure; the fork's first one is then as quick as its next."""
    from matplotlib import font_manager, pyplot

    figure, axes = pyplot.subplots()
    axes.plot([0, 1])
    axes.set_title("title")
    figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")
    pyplot.close(figure)
    # The cache of open fonts holds files, and a fork closes files that are not its own.
    font_manager._get_font.cache_clear()  # type: ignore[attr-defined]


def listen(connection: dict[str, Any], longest: int) -> None:
    """Build the rest of the kernel, after the fork, and bind its sockets.

    Args:
        connection: ``ip`` (a path prefix), ``transport``, ``key``, ``signature_scheme``, ports.
        longest: bytes that the content of one message may have.
    """
    # A fresh process has random states of its own; Python's reseeds itself after a fork.
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.seed()
    if _threads > 1:
        os.environ.update(dict.fromkeys(POOLS, str(_threads)))
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(_threads)
    for name in _own_modules:
        sys.modules.pop(name, None)
    app = _app
    app.session.pid = os.getpid()
    app.session.session = uuid.uuid4().hex
    _cut_what_is_longer(app.session, longest)
    app.load_connection_info(connection)
    app.parent_handle = 0
    app.init_sockets()
    app.init_heartbeat()
    app.init_io()
    app.init_signal()
    shell = app.shell
    with _no_modules_to_list():
        app.init_kernel()  # takes the shell that is there: it is a singleton
    shell.parent = shell.kernel = app.kernel
    app.kernel._bridge = _bridge  # for the engine, which puts it in place before any cell
    app.init_path()
    app.init_shell()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        _spare_empty_flushes(stream)
        _flush_when_full(stream)
    _wait_for_heartbeat(Path(f"{app.ip}-{app.hb_port}"))


@contextlib.contextmanager
def _no_modules_to_list() -> Iterator[None]:
    """Keep the kernel from listing all modules for a debugger that is not there.

    The look at each of a thousand modules would copy a page of shared memory, a third of what
    the start of a kernel costs.
    """
    ipkernel: Any = importlib.import_module("ipykernel.ipkernel")

    class Sys:
        modules: ClassVar[dict[str, Any]] = {}

        def __getattr__(self, name: str) -> Any:
            return getattr(sys, name)

    ipkernel.sys = Sys()
    try:
        yield
    finally:
        ipkernel.sys = sys


def _cut_what_is_longer(session: Any, longest: int) -> None:
    """Cut the texts of a message that the grader would not take."""
    pack = session.pack

    def packed(value: Any) -> bytes:
        found, room = bytes(pack(value)), longest * 7 // 8
        while len(found) > longest and room:
            found = bytes(pack(_shortened(value, [room])))
            room //= 2  # a character may take more than a byte
        return found

    session.pack = packed


def _shortened(value: Any, room: list[int]) -> Any:
    """The value with texts of ``room[0]`` characters in all; each that was cut says so."""
    if isinstance(value, dict):
        return {key: _shortened(inner, room) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner, room) for inner in value[:LEFT_ITEMS]]
    if isinstance(value, str) and len(value) > max(room[0], SHORT_TEXT):
        left, room[0] = value[: room[0]], 0
        return f"{left} … (the first {len(left):,} of {len(value):,} characters)\n"
    room[0] = max(room[0] - len(value), 0) if isinstance(value, str) else room[0]
    return value


def _spare_empty_flushes(stream: Any) -> None:
    """Spare a stream the flushes that have nothing to send.

    Each would wake the thread that sends, twice, and wait for it: for all cells together a fifth of
    what a submission costs beyond its own code.
    """
    flush = stream.flush
    # Where a later ipykernel keeps its text elsewhere, every flush is done.
    stream.flush = lambda: flush() if getattr(stream, "_buffers", True) else None


def _flush_when_full(stream: Any) -> None:
    """Let who prints much wait until it is sent, again and again.

    Else the text of a fifth of a second waits together: hundreds of megabytes of the submission's
    memory, and one message that takes the grader seconds to see.
    """
    write, unsent = stream.write, 0

    def written(text: str) -> Any:
        nonlocal unsent
        answer = write(text)
        unsent += len(text)
        if unsent > MUCH_TEXT:
            unsent = 0
            stream.flush()
        return answer

    stream.write = written


def _wait_for_heartbeat(path: Path) -> None:
    """Its thread binds its own socket, and after this no socket can be made there."""
    end = time.monotonic() + HEARTBEAT_SECONDS
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError("the heartbeat does not listen")
        time.sleep(0.0005)


def run() -> None:
    """Answer requests until the process is killed."""
    _app.start()
    os._exit(0)
