"""Networks on a CPU: OpenVINO where it is installed, plain torch elsewhere.

The network takes 97 % of the time of FID on a CPU (docs/benchmarks.md, table "stages"). OpenVINO keeps the weights of
convolutions in the layout that the CPU computes with, where torch reorders them in every call, and fuses the operations
that follow them (table "engines").

Each stream of OpenVINO is one thread, and each chunk of a batch is computed by one stream, so features have the same
bits for any number of threads.
"""

from __future__ import annotations

import os
import sys
from collections import OrderedDict, deque
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from muge_fast._internal.checks import check_choice
from muge_fast._internal.optional import import_optional
from muge_fast.image.extractors.networks import INPUT_SIZE, Inception
from muge_fast.image.extractors.openvino_graph import Node, translate

ENGINES = ("openvino", "torch")
# Compiled graphs that stay in memory for later extractors of the process: features and logits of one network. Each
# takes 100 to 200 MB.
KEPT = 2


def choose_engine(engine: str | None, device: torch.device, precision: str) -> str:
    """Return the engine that runs a network.

    Args:
        engine: One of ``ENGINES``; None for OpenVINO on a CPU if it is installed and has the precision, else torch.
        device: Device of the network.
        precision: Precision of the network.

    Returns:
        The engine.

    Raises:
        ImportError: OpenVINO is requested but not installed.
        TypeError: ``engine`` is not a string.
        ValueError: The engine is unknown, or OpenVINO cannot run on the device or in the precision.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.cpu_engine import choose_engine
        >>> choose_engine(None, torch.device("cuda"), "fp32")
        'torch'

    """
    if engine is None:
        is_usable = device.type == "cpu" and _is_installed() and _has_precision(precision)
        return "openvino" if is_usable else "torch"
    if check_choice("engine", engine, ENGINES) == "openvino":
        if device.type != "cpu":
            raise ValueError(f"engine is 'openvino', which runs on a CPU, but device is {str(device)!r}")
        if not _is_installed():
            import_optional("openvino", purpose="engine='openvino'", install="muge-fast[t2i]")
        if not _has_precision(precision):
            raise ValueError(f"engine is 'openvino', but this CPU has no instructions for precision {precision!r}")
    return engine


class OpenVinoNetwork:
    """An Inception network on a CPU, compiled by OpenVINO at the first call.

    It is called as the torch network is. Copies and pickles are compiled again.

    Args:
        network: The network after :meth:`muge_fast.image.extractors.networks.Inception.fold_batchnorm`, in float32.
        weights: Name of its weights, which no other weights have.
        outputs: Names of the outputs that calls may ask for.
        precision: ``"fp32"``, ``"tf32"``, which is the same on a CPU, or ``"bf16"``.

    Attributes:
        signature: Name and version of the engine, as signatures of scores have them.

    Example:
        >>> from muge_fast.image.extractors.cpu_engine import OpenVinoNetwork
        >>> engine = OpenVinoNetwork(network, "inception-2015-12-05", ("2048",), "fp32")  # doctest: +SKIP
        >>> engine.signature  # doctest: +SKIP
        'engine:openvino-2026.4.1'

    """

    def __init__(self, network: Inception, weights: str, outputs: Sequence[str], precision: str) -> None:
        self._network, self._weights, self._outputs = network, weights, tuple(outputs)
        self._precision = "bf16" if precision == "bf16" else "f32"
        self._threads = 1
        self.signature = engine_signature()

    def allow_threads(self, threads: int) -> None:
        """Let up to this number of threads call the network at once; others wait.

        Args:
            threads: The number.

        Raises:
            RuntimeError: The process was forked from one that used OpenVINO.

        """
        GRAPHS.check_process()
        self._threads = max(1, threads)

    def __call__(self, x: Tensor, outputs: Sequence[str]) -> dict[str, Tensor]:
        """Compute some outputs on one thread.

        Args:
            x: Images of shape ``(images, 3, 299, 299)``, float32.
            outputs: Any of the names that this object was made with.

        Returns:
            For each output a float32 tensor of shape ``(images, features)``.

        """
        computed: dict[str, Tensor] = {}
        for names in self._network.passes(self._outputs):
            if set(names) & set(outputs):
                computed |= self._compiled(names).run(x)
        return {name: computed[name] for name in outputs}

    def _compiled(self, names: tuple[str, ...]) -> CompiledGraph:
        return GRAPHS.find(self._network, _Key(self._weights, names, self._precision), self._threads)


class _Key(NamedTuple):
    """What a compiled graph depends on."""

    weights: str
    outputs: tuple[str, ...]
    precision: str


class CompiledGraph:
    """A compiled graph, which up to ``streams`` threads run at once, each on one core.

    Args:
        graph: An ``openvino.Model`` with one input.
        outputs: Names of its results, in their order.
        precision: ``"f32"`` or ``"bf16"``.
        streams: Number of threads.

    Example:
        >>> from muge_fast.image.extractors.cpu_engine import CompiledGraph
        >>> CompiledGraph(graph, ("2048",), "f32", 2).run(images)  # doctest: +SKIP

    """

    def __init__(self, graph: Node, outputs: tuple[str, ...], precision: str, streams: int) -> None:
        settings = {
            # Without it, OpenVINO computes in bfloat16 or float16 wherever the CPU has instructions for these.
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": streams,
            # Threads that are bound to cores would share these with the threads of other processes.
            "ENABLE_CPU_PINNING": False,
        }
        self.outputs, self.streams = outputs, streams
        self._process = os.getpid()
        self._model = _core().compile_model(graph, "CPU", settings)
        # Requests that no thread uses now.
        self._requests = deque[Any]()

    def run(self, x: Tensor) -> dict[str, Tensor]:
        """Compute the outputs of images.

        Args:
            x: The images, in the form that the graph takes.

        Returns:
            A float32 tensor for each name.

        Raises:
            RuntimeError: The process was forked after the graph was compiled.

        """
        _check_process(self._process)
        try:
            request = self._requests.pop()
        except IndexError:
            request = self._model.create_infer_request()
        try:
            request.infer({0: x.contiguous().numpy()}, share_inputs=True)
            # Copies, because the next run writes to the same memory.
            tensors = [request.get_output_tensor(index).data.copy() for index in range(len(self.outputs))]
        finally:
            self._requests.append(request)
        return dict(zip(self.outputs, map(torch.from_numpy, tensors), strict=True))


class _CompiledGraphs:
    """The compiled graphs of this process; those that were not used for longest are dropped."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._graphs = OrderedDict[_Key, CompiledGraph]()
        self._process = 0

    def find(self, network: Inception, key: _Key, threads: int) -> CompiledGraph:
        """Return the graph of a key for a number of threads; compile it if there is none."""
        with self._lock:
            self._process = os.getpid()
            graph = self._graphs.get(key)
            if graph is None or graph.streams < threads:
                graph = self._graphs[key] = self._compile(network, key, threads)
            self._graphs.move_to_end(key)
            while len(self._graphs) > KEPT:
                self._graphs.popitem(last=False)
            return graph

    def check_process(self) -> None:
        """Raise in a forked process."""
        _check_process(self._process)

    @staticmethod
    def _compile(network: Inception, key: _Key, threads: int) -> CompiledGraph:
        graph = translate(network, key.outputs, INPUT_SIZE, import_openvino())
        return CompiledGraph(graph, key.outputs, key.precision, threads)


def _check_process(process: int) -> None:
    """Raise in a process forked from this one, which has none of OpenVINO's threads and would wait for them forever."""
    if process not in (0, os.getpid()):
        raise RuntimeError(
            "OpenVINO was used before this process was forked, and does not work here: start processes with "
            "multiprocessing's method 'spawn', or pass engine='torch'"
        )


GRAPHS = _CompiledGraphs()


def engine_signature() -> str:
    """Return the name and the version of OpenVINO, as signatures of scores have them.

    Example:
        >>> from muge_fast.image.extractors.cpu_engine import engine_signature
        >>> engine_signature()  # doctest: +SKIP
        'engine:openvino-2026.4.1'

    """
    return f"engine:openvino-{str(import_openvino().__version__).partition('-')[0]}"


def import_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry, which writes to the home folder, and would send what is used.

    Raises:
        ImportError: OpenVINO is not installed.

    Example:
        >>> from muge_fast.image.extractors.cpu_engine import import_openvino
        >>> import_openvino().__name__  # doctest: +SKIP
        'openvino'

    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # as the import system documents it
    return import_module("openvino")


# The one ``openvino.Core`` of a process, which is never dropped. Each core sets a stack for signals, and restores the
# stack before it when it is dropped, even if that belonged to another core and is unmapped by now. The next signal that
# Python handles, for example SIGCHLD with torch's ``DataLoader``, would then end the process.
_core = cache(lambda: import_openvino().Core())


def _is_installed() -> bool:
    try:
        import_openvino()
    except ImportError:
        return False
    return True


def _has_precision(precision: str) -> bool:
    """Return whether the CPU computes in a precision; OpenVINO ignores others."""
    return precision != "bf16" or "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
