"""Which engine runs: CUDA before OpenVINO before torch on the CPU, unless the setting `engine` says otherwise."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from core.errors import UsageError
from core.inference.engines.interface import FULL, Engine, Precision
from core.inference.engines.processor import count_gpus
from models.input_rule import InputRule

AUTO = "auto"


def choose_engine(name: str = AUTO) -> str:
    """Choose the engine for this machine; torch is imported only where an NVIDIA GPU is seen."""
    if name == AUTO:
        return next(engine for engine, runs_here in _RUNS_HERE.items() if runs_here())
    if name not in _RUNS_HERE:
        raise UsageError(f"The engine '{name[:20]}' is not known: choose auto, {', '.join(_RUNS_HERE)}.")
    if not _RUNS_HERE[name]():
        raise UsageError(f"The engine '{name}' does not run on this machine ({_NEEDS[name]}): choose auto.")
    return name


def describe_choice(name: str = AUTO) -> str:
    """Say in words which engine runs, and in which precision, without loading it."""
    chosen = choose_engine(name)
    return f"{_PLACES[chosen]}, {FULL}"


def load_engine(weights: Path, rule: InputRule, *, name: str = AUTO, precision: str | None = None) -> Engine:
    """Load the backbone into an engine; only that engine's library is imported."""
    chosen = choose_engine(name)
    if precision and precision not in PRECISIONS[chosen]:
        raise UsageError(
            f"The engine '{chosen}' computes in {' or '.join(PRECISIONS[chosen])}, not '{precision[:20]}'."
        )
    return _LOADERS[chosen](weights, rule, cast("Precision | None", precision))


def _load_cuda(weights: Path, rule: InputRule, precision: Precision | None) -> Engine:
    from core.inference.engines.cuda import CudaEngine  # noqa: PLC0415 - brings torch

    return CudaEngine(weights, rule, precision=precision)


def _load_openvino(weights: Path, rule: InputRule, precision: Precision | None) -> Engine:
    from core.inference.engines.openvino import OpenVinoEngine  # noqa: PLC0415 - brings OpenVINO

    return OpenVinoEngine(weights, rule, precision=precision)


def _load_torch(weights: Path, rule: InputRule, precision: Precision | None) -> Engine:
    from core.inference.engines.torch import TorchEngine  # noqa: PLC0415 - brings torch

    return TorchEngine(weights, rule, precision=precision or FULL, device="cpu")


def _sees_gpu() -> bool:
    if not count_gpus() or find_spec("torch") is None:
        return False
    import torch  # noqa: PLC0415 - heavy, and only where there is a GPU

    return torch.cuda.is_available()


PRECISIONS = {"cuda": ("fp32", "bf16", "fp16"), "openvino": ("fp32", "bf16"), "torch": ("fp32", "bf16")}
_NEEDS = {
    "cuda": "it needs an NVIDIA GPU",
    "openvino": "it needs the package openvino",
    "torch": "it needs the package torch",
}
_PLACES = {"cuda": "torch on an NVIDIA GPU", "openvino": "OpenVINO on the CPU", "torch": "torch on the CPU"}
_RUNS_HERE: Mapping[str, Callable[[], bool]] = {
    "cuda": _sees_gpu,
    "openvino": lambda: find_spec("openvino") is not None,
    "torch": lambda: find_spec("torch") is not None,
}
_LOADERS: Mapping[str, Callable[[Path, InputRule, Precision | None], Engine]] = {
    "cuda": _load_cuda,
    "openvino": _load_openvino,
    "torch": _load_torch,
}
