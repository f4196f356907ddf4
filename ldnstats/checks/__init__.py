"""A verdict on every claim, with its working."""

from ldnstats.checks.calls import RULES, check
from ldnstats.checks.verdict import Status, Value, Verdict, Verdicts

__all__ = ["RULES", "Status", "Value", "Verdict", "Verdicts", "check"]
