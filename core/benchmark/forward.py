"""The bare forward pass of one image on every engine, ours and others', as what a prediction is measured against."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.benchmark.timing import Part
from core.inference.engines.choice import AUTO, choose_engine, load_engine
from core.inference.engines.interface import Engine
from core.inference.engines.processor import computes_in_bf16
from models.bundle import read_bundle
from models.input_rule import InputRule


def list_forward_parts(bundle: Path) -> dict[str, Part | None]:
    """List the bare forward pass of one image, engine by engine."""
    weights, rule = _read(bundle)
    blank = np.zeros((1, rule.size, rule.size), dtype=np.uint8)
    engines = [load_engine(weights, rule, name=name, precision=p) for name, p in _list_engines()]
    parts: dict[str, Part | None] = {f"bare forward, {engine.description}": _run(engine, blank) for engine in engines}
    parts["bare forward, ONNX Runtime on the CPU, fp32"] = _run_onnx(weights, blank)
    return parts


def _read(bundle: Path) -> tuple[Path, InputRule]:
    read = read_bundle(bundle)
    return read.weights_path, read.manifest.input


def _list_engines() -> list[tuple[str, str]]:
    precisions = ("fp32", "bf16") if computes_in_bf16() else ("fp32",)
    cpu = [(name, precision) for name in ("torch", "openvino") for precision in precisions]
    return [*cpu, ("cuda", "fp32"), ("cuda", "bf16")] if choose_engine(AUTO) == "cuda" else cpu


def _run(engine: Engine, images: NDArray[np.uint8]) -> Part:
    return lambda: engine.extract_maps(images)


def _run_onnx(weights: Path, images: NDArray[np.uint8]) -> Part | None:
    try:
        import onnxruntime  # noqa: PLC0415 - of the tests' requirements
    except ImportError:
        return None
    session = onnxruntime.InferenceSession(weights, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"images": images})
