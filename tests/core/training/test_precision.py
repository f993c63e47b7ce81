"""The precision of training follows what the device computes in."""

import pytest
import torch

from core.training import precision


@pytest.mark.parametrize(("has_bf16", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_processor_without_bf16_trains_in_fp32(monkeypatch, has_bf16, dtype):
    monkeypatch.setattr(precision, "computes_in_bf16", lambda: has_bf16)
    with precision.train_in_bf16(torch.device("cpu")):
        assert torch.nn.Linear(4, 2)(torch.ones(1, 4)).dtype == dtype
