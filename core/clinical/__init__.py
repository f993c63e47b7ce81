"""What is known of a patient: the data dictionary, clinics' words and column names, and the check of one value."""

from core.clinical.fields import BY_NAME, FIELDS, M1_PREDICTORS, M2_PREDICTORS, Field, Value
from core.clinical.names import (
    COLUMNS,
    FACTORS,
    KNOWN,
    KNOWN_NAMES,
    NOT_COMPUTED,
    UNITS,
    Column,
    Title,
    read_title,
    simplify_name,
)
from core.clinical.values import REFUSED_INPUTS, parse_inputs, parse_value
from core.clinical.vocabulary import BINARY_WORDS, COMPETING, YES_NO, fold_word, is_missing, match_level, names_summary

__all__ = [
    "BINARY_WORDS",
    "BY_NAME",
    "COLUMNS",
    "COMPETING",
    "FACTORS",
    "FIELDS",
    "KNOWN",
    "KNOWN_NAMES",
    "M1_PREDICTORS",
    "M2_PREDICTORS",
    "NOT_COMPUTED",
    "REFUSED_INPUTS",
    "UNITS",
    "YES_NO",
    "Column",
    "Field",
    "Title",
    "Value",
    "fold_word",
    "is_missing",
    "match_level",
    "names_summary",
    "parse_inputs",
    "parse_value",
    "read_title",
    "simplify_name",
]
