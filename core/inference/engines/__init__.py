"""The networks on a device: one interface; CUDA, OpenVINO, torch."""
