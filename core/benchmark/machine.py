"""What a benchmark ran on: the machine in one line, and the versions that count."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from core.inference.engines.processor import count_gpus, read_cpu_flags, read_cpu_name

FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
LIBRARIES = ("torch", "openvino", "onnxruntime", "grad-cam", "torchcam", "numpy", "streamlit")


def describe_machine() -> dict[str, str | int | list[str]]:
    """Describe the processor: name, cores that this process may use, vector units, number of GPUs."""
    flags = read_cpu_flags()
    return {
        "processor": read_cpu_name(),
        "cores": _count_cores(),
        "vector_units": [flag for flag in FLAGS if flag in flags],
        "gpus": count_gpus(),
    }


def list_versions() -> dict[str, str]:
    """List the versions of Python and of what is compared; "not installed" where it is not."""
    return {"python": platform.python_version()} | {name: _find_version(name) for name in LIBRARIES}


def _count_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _find_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
