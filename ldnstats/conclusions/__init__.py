"""What rebuilt trials say: every analysis of every member, and which published conclusion holds.

``ranges`` gives the range of every analysis over the members of one ensemble; ``grid`` declares
the priors and readings that a conclusion is tried under; ``statements`` turns a study's claims
into statements about a member; ``evaluation`` counts the members of which they hold; ``results``
says which are forced, prior-dependent or left open; ``diaries`` asks the same of daily diaries.
"""

from ldnstats.conclusions.diaries import DiaryAnswers, answer_diaries
from ldnstats.conclusions.evaluation import conclude
from ldnstats.conclusions.grid import Cell, Grid
from ldnstats.conclusions.ranges import Answers, analyse_members
from ldnstats.conclusions.results import Conclusion, Conclusions, Share
from ldnstats.conclusions.statements import Statement, published_statements

__all__ = [
    "Answers",
    "Cell",
    "Conclusion",
    "Conclusions",
    "DiaryAnswers",
    "Grid",
    "Share",
    "Statement",
    "analyse_members",
    "answer_diaries",
    "conclude",
    "published_statements",
]
