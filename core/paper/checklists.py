"""TRIPOD+AI, CLAIM and STARD-AI: each item, the section that answers it, and what the study's people must fill in."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from core.paper.content import Item
from core.training.bundle.reporting import CLAIM, MISSING, STARD, TRIPOD, list_items

NOTE = (
    "Items in short words of our own; of STARD-AI those alone that ask for more than the others. What is called "
    "missing is for the study's people to fill in."
)
HELD_OUT = ("split-external", "split-test")
Answered = Mapping[str, tuple[str, str]]
ANSWERED: Mapping[str, Answered] = {
    TRIPOD: {
        "5a": ("data", "why these data, and whom they stand for"),
        "6a": ("data", "setting and place of the centres"),
        "7": ("predictors", ""),
        "8a": ("outcome", "how and when Ki-67 was counted"),
        "9a": ("predictors", "why these predictors"),
        "9b": ("predictors", "how and when they were measured"),
        "10": ("size", ""),
        "11": ("missing-values", ""),
        "12a": ("data", ""),
        "12b": ("model", ""),
        "12c": ("model", ""),
        "12d": ("validation", ""),
        "12e": ("statistics", ""),
        "12f": ("statistics", ""),
        "12g": ("call", ""),
        "13": ("model", ""),
        "14": ("statistics", "groups that care may treat unequally"),
        "15": ("call", ""),
        "16": ("characteristics", ""),
        "18e": ("availability", "who gets the data, and how"),
        "18f": ("availability", ""),
        "20a": ("flow", ""),
        "20b": ("characteristics", ""),
        "20c": ("characteristics", ""),
        "21": ("flow", ""),
        "22": ("specification", ""),
        "23a": ("held-out", ""),
        "23b": ("stability", ""),
        "24": ("held-out", ""),
        "26": ("limits", "limits of this study"),
        "27a": ("intake", ""),
    },
    CLAIM: {
        "7": ("data", "where the patients came from"),
        "9": ("predictors", ""),
        "10": ("flow", ""),
        "12": ("missing-values", ""),
        "14": ("outcome", "how Ki-67 was counted"),
        "19": ("data", "how the split was decided, where the table brought it"),
        "20": ("data", ""),
        "21": ("size", ""),
        "22": ("model", ""),
        "23": ("software", ""),
        "24": ("model", ""),
        "25": ("model", ""),
        "26": ("model", ""),
        "27": ("model", ""),
        "28": ("statistics", ""),
        "29": ("statistics", ""),
        "30": ("stability", ""),
        "31": ("model", ""),
        "32": ("split-test", ""),
        "33": ("split-external", ""),
        "35": ("flow", ""),
        "36": ("characteristics", ""),
        "37": ("held-out", ""),
        "38": ("held-out", ""),
        "40": ("limits", "limits of this study"),
        "41": ("limits", "what the study's people conclude"),
        "43": ("availability", "who gets the data, and how"),
    },
    STARD: {
        "10": ("outcome", "how Ki-67 was counted"),
        "16": ("missing-values", ""),
        "17": ("statistics", ""),
        "19": ("flow", ""),
        "27": ("limits", ""),
    },
}


def fill_checklists(
    given: Mapping[str, str], sections: Collection[str], gaps: Mapping[str, str]
) -> dict[str, tuple[Item, ...]]:
    """Fill every item of each guideline, in its order.

    `given` holds the answers of the study's people by guideline and number; `gaps` what a section lacks beside what
    every study's people must fill in.
    """
    return {
        guideline: tuple(
            _fill(Item(number, asks, "", str(given.get(f"{guideline} {number}", "")), MISSING), found, sections, gaps)
            for number, asks in list_items(guideline).items()
            for found in (ANSWERED[guideline].get(number, ("", "")),)
        )
        for guideline in ANSWERED
    }


def _fill(item: Item, found: tuple[str, str], sections: Collection[str], gaps: Mapping[str, str]) -> Item:
    section, missing = found
    if section == "held-out":
        section = next((name for name in HELD_OUT if name in sections), "")
    if section in sections:
        item = replace(item, section=section, missing=missing or gaps.get(section, ""))
    return replace(item, missing="") if item.answer else item
