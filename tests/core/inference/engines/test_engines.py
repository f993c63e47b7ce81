"""Engines give the same numbers; the choice follows the machine and the setting; nothing leaves the machine."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
import torch

from core.errors import ModelError, UsageError
from core.imaging import Frame, Roi
from core.inference import Case, Prediction, Predictor
from core.inference.engines import choice as module
from core.inference.engines.choice import choose_engine, describe_choice, load_engine
from core.inference.engines.torch import TorchEngine
from core.simulation import render_patient, simulate_cohort
from models.bundle import WEIGHTS
from models.input_rule import InputRule

if TYPE_CHECKING:
    from core.inference.engines.interface import Engine

ROOT = Path(__file__).parents[4]
DEMO_BUNDLE = ROOT / "models" / "ki67-demo"
RULE = InputRule(96, 1.5, 0.2, 0.18)
OTHERS = [("torch", "bf16"), ("openvino", "fp32"), ("openvino", "bf16"), ("cuda", "fp32"), ("cuda", "bf16")]
FRAMES = 6
NO_GPU = "no CUDA device on this machine"


@pytest.fixture(scope="module")
def weights(bundle_dir: Path) -> Path:
    return bundle_dir.parent / "backbone" / WEIGHTS


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (5, RULE.size, RULE.size), dtype=np.uint8)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    cohort = simulate_cohort(24, 5)
    drawn = [render_patient(cohort, i, 5) for i in range(FRAMES)]
    frames = [Frame(np.array(d.pixels), None, (0.0, 0.0), (1.0, 1.0), "0" * 64) for d in drawn]
    return [Case.of(f, Roi(*map(float, d.box)), {"age": 50.0}) for f, d in zip(frames, drawn, strict=True)]


@pytest.fixture(scope="module")
def as_trained(cases: list[Case]) -> list[Prediction]:
    """What the network says in the precision that it was trained in."""
    predictor = Predictor.load(DEMO_BUNDLE, engine="torch", precision="fp32")
    return [predictor.predict(case) for case in cases]


def skip_without_gpu(name: str) -> None:
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip(NO_GPU)


@pytest.mark.parametrize(("name", "precision"), OTHERS)
def test_engines_agree(name: str, precision: str, cases: list[Case], as_trained: list[Prediction]) -> None:
    skip_without_gpu(name)
    predictor = Predictor.load(DEMO_BUNDLE, engine=name, precision=precision)
    for case, expected in zip(cases, as_trained, strict=True):
        got = predictor.predict(case)
        close, share = (1e-4, 1e-3) if precision == "fp32" else (0.06, 0.25)  # why it is no default
        assert got.probability == pytest.approx(expected.probability, abs=close)
        heat, wanted = got.views[0].heatmap, expected.views[0].heatmap
        assert np.abs(heat - wanted).max() <= share * np.ptp(wanted)


@pytest.mark.parametrize(("name", "precision"), [("torch", "fp32"), *OTHERS])
def test_a_batch_gives_what_its_images_give(name: str, precision: str, weights: Path, crops: np.ndarray) -> None:
    skip_without_gpu(name)
    engine = load_engine(weights, RULE, name=name, precision=precision)
    together = engine.extract_maps(crops)
    alone = np.concatenate([engine.extract_maps(crop[None]) for crop in crops])
    assert together.shape == (len(crops), engine.n_features, 3, 3)
    assert together.dtype == np.float32
    assert np.abs(together - alone).max() <= 0.02 * np.ptp(alone)


@pytest.mark.parametrize(("name", "precision"), [("torch", "fp32"), *OTHERS])
def test_heads_are_read_from_the_maps(name: str, precision: str, weights: Path, crops: np.ndarray) -> None:
    skip_without_gpu(name)
    engine = load_engine(weights, RULE, name=name, precision=precision)
    heads = np.random.default_rng(1).normal(size=(3, engine.n_features)).astype(np.float32)
    maps, reading = engine.extract_maps(crops), engine.read(crops, heads)
    expected = np.einsum("kc,nchw->nkhw", heads, maps)
    assert np.abs(reading.pooled - maps.mean(axis=(2, 3))).max() <= 1e-4 * np.ptp(maps)
    assert np.abs(reading.score_maps - expected).max() <= 1e-4 * np.ptp(expected)


def test_maps_of_one_call_outlive_the_next(weights: Path, crops: np.ndarray) -> None:
    engine = load_engine(weights, RULE, name="openvino")
    first = engine.extract_maps(crops[:1])
    kept = first.copy()
    engine.extract_maps(crops[1:2])
    assert np.array_equal(first, kept)


def test_weights_without_a_layer_are_refused(weights: Path, tmp_path: Path) -> None:
    model = onnx.load(weights)
    model.graph.initializer.remove(next(t for t in model.graph.initializer if t.name.endswith("head.conv.weight")))
    onnx.save(model, tmp_path / WEIGHTS)
    for name in ("torch", "openvino"):
        with pytest.raises(ModelError, match="does not hold a network that this program knows"):
            load_engine(tmp_path / WEIGHTS, RULE, name=name)


def write_growing(fill: tuple[int, ...]) -> onnx.ModelProto:
    """Write a network of a few hundred bytes that adds a constant of this shape to the image."""
    shape = onnx.numpy_helper.from_array(np.array(fill, dtype=np.int64), "shape")
    nodes = [
        onnx.helper.make_node("ConstantOfShape", ["shape"], ["large"]),
        onnx.helper.make_node("ReduceSum", ["large"], ["sum"], keepdims=0),
        onnx.helper.make_node("Cast", ["images"], ["grey"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("Add", ["grey", "sum"], ["maps"]),
    ]
    images = onnx.helper.make_tensor_value_info("images", onnx.TensorProto.UINT8, ["n", RULE.size, RULE.size])
    maps = onnx.helper.make_tensor_value_info("maps", onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph(nodes, "grows", [images], [maps], [shape])
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])


def test_a_small_file_whose_constants_fill_the_memory_is_refused(tmp_path: Path) -> None:
    onnx.save(write_growing((1 << 36,)), tmp_path / WEIGHTS)
    for name in ("torch", "openvino"):
        with pytest.raises(ModelError, match="does not hold a network that this program knows"):
            load_engine(tmp_path / WEIGHTS, RULE, name=name)


def test_weights_that_point_to_another_file_are_refused(weights: Path, tmp_path: Path) -> None:
    model = onnx.load(weights)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")
    (tmp_path / WEIGHTS).write_bytes(model.SerializeToString())
    for name in ("torch", "openvino"):
        with pytest.raises(ModelError, match="does not hold a network that this program knows"):
            load_engine(tmp_path / WEIGHTS, RULE, name=name)


@pytest.mark.parametrize("content", [b"", b"not a network at all"])
def test_a_broken_file_of_weights_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(ModelError, match="does not hold a network"):
        load_engine(tmp_path / WEIGHTS, RULE)


@pytest.mark.parametrize(
    ("gpus", "packages", "expected"),
    [
        (1, {"openvino", "torch"}, "cuda"),
        (1, {"openvino"}, "openvino"),
        (0, {"openvino", "torch"}, "openvino"),
        (0, {"torch"}, "torch"),
    ],
)
def test_the_fastest_that_runs_here_is_chosen(
    monkeypatch: pytest.MonkeyPatch, gpus: int, packages: set[str], expected: str
) -> None:
    monkeypatch.setattr(module, "count_gpus", lambda: gpus)
    monkeypatch.setattr(module, "find_spec", lambda name: name if name in packages else None)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert choose_engine() == expected


def test_an_engine_that_does_not_run_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "count_gpus", lambda: 0)
    with pytest.raises(UsageError, match="'cuda' does not run on this machine \\(it needs an NVIDIA GPU\\)"):
        choose_engine("cuda")


@pytest.mark.parametrize("name", ["auto", "openvino", "torch"])
def test_the_description_is_that_of_the_loaded_engine(name: str, weights: Path) -> None:
    if choose_engine(name) == "cuda":
        pytest.skip("a GPU's own name is known only once it is loaded")
    assert describe_choice(name) == load_engine(weights, RULE, name=name).description


def test_an_unknown_engine_or_precision_is_refused(weights: Path) -> None:
    with pytest.raises(UsageError, match="'tpu' is not known: choose auto, cuda, openvino, torch"):
        choose_engine("tpu")
    with pytest.raises(UsageError, match="'openvino' computes in fp32 or bf16, not 'int8'"):
        load_engine(weights, RULE, name="openvino", precision="int8")


def test_the_setting_chooses_the_engine(bundle_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.inference.predictor.get_text_setting", lambda name: {"engine": "torch"}[name])
    engine: Engine = Predictor.load(bundle_dir).engine
    assert isinstance(engine, TorchEngine)
    assert engine.description.startswith("torch on the CPU, ")


OFFLINE = """
import socket, sys
def refuse(*args, **kwargs):
    print("ASKED THE NETWORK"); raise OSError
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from pathlib import Path
import numpy as np
from core.inference.predictor import Predictor
predictor = Predictor.load(Path("models/ki67-demo"), engine="openvino")
predictor.engine.warm_up()
print(sorted({name.split(".")[0] for name, it in sys.modules.items() if it} & {"torch", "openvino_telemetry"}))
"""


def test_openvino_needs_no_torch_and_asks_no_network(tmp_path: Path) -> None:
    """As a user at home would run it: outside CI, with a home folder that holds no refusal of telemetry."""
    environ = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    run = subprocess.run(
        [sys.executable, "-c", OFFLINE], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stderr
    assert list(tmp_path.iterdir()) == []
