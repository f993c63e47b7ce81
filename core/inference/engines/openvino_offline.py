"""OpenVINO without its telemetry: its package reports each import to a server unless the part that sends is missing."""

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # the package then takes a stub that sends nothing

import openvino  # noqa: E402

__all__ = ["openvino"]
