"""Image scores of a cohort to its prediction table: one row per patient."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import expit

from core.cohort.scoring.local import Row, unpack_refits
from core.inference.prediction import join_hashes
from core.inference.refits import refit_logits, span_interval
from models.bundle import Bundle
from models.fusion import FusionHead

NODE_HEADS = ("lnm", "lnm_without_aln_us")
CORE = ("grade_cnb", "er_pct", "pr_pct", "her2", "ki67_cnb_pct")
SEEN = ("exam_date", "image_device", "gate", "input_sha256", "views")
DESCRIPTIVE = ("age", "size_mm", "menopausal", "birads", "palpable", "adler", *CORE, *SEEN)


def tabulate_scores(rows: Sequence[Row], bundle: Bundle) -> pd.DataFrame:
    """Lay out one row per patient, in the order of the manifest."""
    patients: dict[str, list[Row]] = {}
    for row in rows:
        patients.setdefault(row["patient_id"], []).append(row)
    table = pd.DataFrame([_predict_patient(patient, images, bundle) for patient, images in patients.items()])
    return table.drop(columns="box_source") if table["box_source"].eq("drawn").all() else table


def _predict_patient(patient: str, images: list[Row], bundle: Bundle) -> Row:
    known = {name: value for row in reversed(images) for name, value in row.items() if value is not None}
    known |= _list_seen(images)
    scores = {name: float(np.mean([row["scores"][name] for row in images])) for name in images[0]["scores"]}
    record: Row = {"patient_id": patient, "split": known.get("split", "external"), "centre": known.get("centre", "")}
    ki67 = known.get("ki67_pct")
    if ki67 is not None:
        record |= {"y": int(bundle.cutoff.is_high(ki67)), "ki67_pct": known.get("ki67_range", ki67)}
    for name, fusion in bundle.fusion_heads.items():
        head = fusion.given(known)
        score = scores["lnm" if name in NODE_HEADS else "ki67"]
        log_odds = head.intercept + sum(head.contribute(score, known).values())
        record["prob" if name == "m1" else f"prob_{name}"] = float(expit(log_odds))
        if name == "m1":
            record |= _span_interval(fusion, images, known)
    record |= {name: known[name] for name in ("lnm", "rfs_months", "rfs_event", *DESCRIPTIVE) if name in known}
    sources = {row["box_source"] for row in images}
    record["box_source"] = sources.pop() if len(sources) == 1 else "mixed"
    if "aln_suspicious" in known:
        record["aln_us"] = int(known["aln_suspicious"] == "suspicious")
    return record


def _span_interval(fusion: FusionHead, images: list[Row], known: Row) -> Row:
    """Give the estimate's interval; of rows that an earlier version scored it is not known."""
    refits = [unpack_refits(row["refits"]) for row in images if "refits" in row]
    if len(refits) < len(images):
        return {}
    low, high = span_interval(refit_logits(fusion, [row["scores"]["ki67"] for row in images], refits, known))
    return {"interval_low": low, "interval_high": high}


def _list_seen(images: list[Row]) -> Row:
    """Give what the network saw of a patient and the gate's verdict, as a register keeps them."""
    seen = [row["seen"] for row in images if row.get("seen")]
    devices = [one["device"] for one in seen if one["device"] and not images[0].get("image_device")]
    return {
        "gate": "caution" if any("cautions" in row for row in images) else "ok",
        **({"image_device": devices[0]} if devices else {}),
        **({"input_sha256": join_hashes([one["input_sha256"] for one in seen])} if len(seen) == len(images) else {}),
        "views": "; ".join(",".join(f"{edge:g}" for edge in one["box"]) for one in seen) or None,
    }
