"""The registry of published claims: study files and what they hold."""

from ldnstats.claims.bibliography import Reference, read_bibliography
from ldnstats.claims.kinds import COMMON, KINDS, RANK_TESTS, Field, Kind
from ldnstats.claims.reading import data_root, load_bibliography, load_studies, load_study
from ldnstats.claims.template import blanks, study_template
from ldnstats.claims.types import (
    Claim,
    Diary,
    LeftOut,
    Roles,
    Source,
    Standing,
    Study,
    StudyError,
    Table,
)

__all__ = [
    "COMMON",
    "KINDS",
    "RANK_TESTS",
    "Claim",
    "Diary",
    "Field",
    "Kind",
    "LeftOut",
    "Reference",
    "Roles",
    "Source",
    "Standing",
    "Study",
    "StudyError",
    "Table",
    "blanks",
    "data_root",
    "load_bibliography",
    "load_studies",
    "load_study",
    "read_bibliography",
    "study_template",
]
