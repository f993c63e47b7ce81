"""The processor: its name, what it can do, and whether an NVIDIA GPU is beside it; read without torch."""

import ctypes
import platform
import sys
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
BF16_FLAGS = {"avx512_bf16", "amx_bf16"}


def read_cpu_name() -> str:
    """Name the processor as it names itself."""
    return _read_cpuinfo().get("model name") or platform.processor() or platform.machine()


def read_cpu_flags() -> frozenset[str]:
    """List the processor's abilities; empty where the system does not tell."""
    return frozenset(_read_cpuinfo().get("flags", "").split())


def computes_in_bf16() -> bool:
    """Tell whether the processor multiplies in bf16; without that, bf16 is slower than fp32."""
    return bool(BF16_FLAGS & read_cpu_flags())


@cache
def count_gpus() -> int:
    """Count the GPUs that NVIDIA's driver shows; 0 without a driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


@cache
def _read_cpuinfo() -> dict[str, str]:
    try:
        first = CPUINFO.read_text(encoding="ascii", errors="ignore").split("\n\n", 1)[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
