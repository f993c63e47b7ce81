"""The loop that every network is trained by, on a network of one weight."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from core.training import loop
from core.training.loop import Batch, Schedule, average_by, fit

TINY = Schedule(((8, 4), (16, 4)), batch_size=3, learning_rate=0.1, weight_decay=0.0, ema_decay=0.9, seed=3)
ROWS = np.arange(10)


def make_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(1, 1)


def learn(net: nn.Module, batch: Batch) -> torch.Tensor:
    x = batch.rows[:, None].float() + torch.rand(len(batch.rows), 1, generator=batch.generator)
    return ((net(x) - batch.size) ** 2).mean() / 1000


def test_a_schedule_gives_sizes_and_rates() -> None:
    assert TINY.steps == 8
    assert [TINY.size_at(step) for step in (0, 3, 4, 7)] == [8, 8, 16, 16]
    assert TINY.size == 16
    rates = [TINY.rate_at(step) for step in range(8)]
    assert max(rates) <= 0.1
    assert rates[-1] < 0.1 * rates[1]


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 3)
    whole = fit(make_net(), learn, ROWS, TINY, tmp_path / "whole")

    class StopError(Exception):
        pass

    def stop(step: int, total: int, loss: float) -> None:
        if step == 5:
            raise StopError

    with pytest.raises(StopError):
        fit(make_net(), learn, ROWS, TINY, tmp_path / "parts", stop)
    steps: list[int] = []
    resumed = fit(make_net(), learn, ROWS, TINY, tmp_path / "parts", lambda step, *_: steps.append(step))
    assert steps == [4, 5, 6, 7, 8]
    assert torch.equal(whole.weight, resumed.weight)
    steps.clear()
    fit(make_net(), learn, ROWS, TINY, tmp_path / "parts", lambda step, *_: steps.append(step))
    assert steps == []


def test_each_image_is_drawn_once_a_pass(tmp_path: Path) -> None:
    drawn: list[int] = []

    def note(net: nn.Module, batch: Batch) -> torch.Tensor:
        drawn.extend(batch.rows.tolist())
        return learn(net, batch)

    fit(make_net(), note, ROWS + 5, TINY, tmp_path)
    assert len(set(drawn[:9])) == len(set(drawn[9:18])) == 9
    assert set(drawn) <= set(range(5, 15))


def test_the_average_weighs_the_first_weights_no_more_than_others() -> None:
    average = torch.optim.swa_utils.AveragedModel(nn.Linear(1, 1), avg_fn=average_by(0.9))
    net = nn.Linear(1, 1)
    for value in (1.0, 2.0, 3.0):
        net.weight.data.fill_(value)
        average.update_parameters(net)
    weights = 0.9 ** np.array([2, 1, 0])
    assert average.module.weight.item() == pytest.approx(weights @ [1, 2, 3] / weights.sum(), abs=1e-6)
