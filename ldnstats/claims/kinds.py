"""The kinds of claim: which fields each may hold, and of what shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Shape: TypeAlias = Literal[
    "number", "numbers", "whole", "wholes", "text", "texts", "claim", "claims"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What one field of a claim may hold.

    Attributes
    ----------
    shape : str
        One printed number or several, whole numbers, words, or other claims by name.
    required : bool
        Whether the kind cannot do without it.
    low, high : int or None
        Limits of the value.
    allowed : tuple of str
        The words allowed, where only some are.
    count : int or None
        How many values there must be.
    of_kind : tuple of str
        The kinds that a claim named here may be of, where only some fit.
    help : str
        What the field is, for people who write a study file.
    """

    shape: Shape
    help: str
    required: bool = False
    low: int | None = None
    high: int | None = None
    allowed: tuple[str, ...] = ()
    count: int | None = None
    of_kind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of claim.

    Attributes
    ----------
    name : str
        How a study file names it.
    title : str
        What such a claim says.
    fields : tuple of (str, Field)
        Its fields beside those that every claim has.
    joint : bool
        Whether it only puts a question to several claims and prints nothing of its own.
    """

    name: str
    title: str
    fields: tuple[tuple[str, Field], ...]
    joint: bool = False

    def field(self, name: str) -> Field | None:
        """Return the field of this name, or None.

        Parameters
        ----------
        name : str

        Returns
        -------
        Field or None

        Examples
        --------
        >>> KINDS["correlation"].field("r").high
        1
        """
        return dict(self.fields).get(name)


def _probability(help_text: str = "the printed p-value", *, required: bool = False) -> Field:
    """Describe a p-value."""
    return Field(shape="number", help=help_text, low=0, high=1, required=required)


RANK_TESTS = ("Wilcoxon signed-rank", "Mann-Whitney")
"""Tests whose p no means and spreads give."""
_N = Field(shape="whole", help="people, as printed", low=1)
_PEOPLE = Field(
    shape="claim",
    help="the claim of kind total that prints how many people",
    of_kind=("total",),
)
_ARMS = Field(shape="texts", help="names of the arms or conditions, in the order of the numbers")
_ARMS_OF = Field(
    shape="texts",
    help="the two arms that are compared, first minus second; in the design's order if absent",
    count=2,
)
_SCALE = Field(
    shape="text", help="what the estimate is", allowed=("difference", "ratio", "standardised")
)
_READING = Field(
    shape="text",
    help="what the words say the number is: the figure itself, a difference, a relative "
    "difference, any comparison of two arms, two arms' values, or the two ends of a range",
    allowed=("value", "difference", "relative", "compared", "arms", "range"),
)
_RESTATES = Field(shape="claims", help="the primary claims that it restates", required=True)
_RIVALS = Field(shape="claims", help="other claims from which the number could come")

_KINDS = (
    Kind(
        name="test",
        title="a test statistic with its degrees of freedom and p",
        fields=(
            (
                "statistic",
                Field(
                    shape="text",
                    help="which statistic",
                    required=True,
                    allowed=("t", "F", "chi2", "z"),
                ),
            ),
            ("value", Field(shape="number", help="its printed value", required=True)),
            ("df", Field(shape="numbers", help="degrees of freedom, numerator first", low=0)),
            ("arms", _ARMS_OF),
            ("p", _probability(required=True)),
            ("tails", Field(shape="whole", help="1 or 2; 2 if absent", low=1, high=2)),
        ),
    ),
    Kind(
        name="correlation",
        title="a correlation coefficient",
        fields=(
            ("r", Field(shape="number", help="the coefficient", required=True, low=-1, high=1)),
            ("n", _N),
            ("people", _PEOPLE),
            ("p", _probability()),
            ("arms", _ARMS_OF),
            (
                "column",
                Field(shape="text", help="column of the patient table that is one of the two"),
            ),
        ),
    ),
    Kind(
        name="variance-explained",
        title="a share of variance said to be explained by a correlation",
        fields=(
            (
                "percent",
                Field(shape="number", help="the share in percent", required=True, low=0, high=100),
            ),
            (
                "correlation",
                Field(
                    shape="claim",
                    help="the correlation that it squares",
                    required=True,
                    of_kind=("correlation",),
                ),
            ),
        ),
    ),
    Kind(
        name="summary",
        title="mean, SD or range of one variable in one group",
        fields=(
            ("mean", Field(shape="number", help="mean")),
            ("sd", Field(shape="number", help="standard deviation", low=0)),
            ("minimum", Field(shape="number", help="smallest value")),
            ("maximum", Field(shape="number", help="largest value")),
            ("n", _N),
            ("arms", _ARMS_OF),
            ("column", Field(shape="text", help="column of the patient table that it describes")),
        ),
    ),
    Kind(
        name="means",
        title="means of one outcome by arm or condition",
        fields=(
            ("arms", _ARMS),
            ("mean", Field(shape="numbers", help="one mean an arm", required=True)),
            ("sd", Field(shape="numbers", help="one standard deviation an arm", low=0)),
            ("low", Field(shape="numbers", help="lower confidence limits")),
            ("high", Field(shape="numbers", help="upper confidence limits")),
            (
                "n",
                Field(
                    shape="wholes", help="people, one number an arm (one for paired data)", low=1
                ),
            ),
            (
                "visit",
                Field(shape="text", help='when, of several visits: such as "week 4"'),
            ),
            (
                "sequence",
                Field(
                    shape="text",
                    help="whose, of the sequences of a crossover, by their treatments in order: "
                    'such as "drug-placebo"; then one mean a period',
                ),
            ),
            (
                "measure",
                Field(
                    shape="text",
                    help="of role visits, if not as the analysed outcome: the level, or its change "
                    "from baseline",
                    allowed=("level", "change"),
                ),
            ),
        ),
    ),
    Kind(
        name="spread",
        title="plus-minus figures of means printed elsewhere",
        fields=(
            ("means", Field(shape="claim", help="the means", required=True, of_kind=("means",))),
            ("spread", Field(shape="numbers", help="one figure an arm", required=True, low=0)),
            (
                "meaning",
                Field(
                    shape="text",
                    help="what the source says it is",
                    allowed=("sd", "se", "ci95", "unstated"),
                ),
            ),
        ),
    ),
    Kind(
        name="quoted-spread",
        title="a spread quoted from another source",
        fields=(
            (
                "spread",
                Field(shape="numbers", help="one figure an arm, as quoted", required=True, low=0),
            ),
            ("restates", _RESTATES),
            ("n", _N),
            ("people", _PEOPLE),
        ),
    ),
    Kind(
        name="comparison",
        title="a p-value for a comparison whose statistic is not printed",
        fields=(
            ("p", _probability(required=True)),
            ("arms", _ARMS_OF),
            ("means", Field(shape="claim", help="the means compared", of_kind=("means",))),
            ("spread", Field(shape="claim", help="their spreads", of_kind=("spread",))),
            (
                "proportions",
                Field(shape="claim", help="the proportions compared", of_kind=("proportions",)),
            ),
            (
                "paired",
                Field(
                    shape="text", help="whether the same people are in both", allowed=("yes", "no")
                ),
            ),
            ("test", Field(shape="text", help="the test, if one of ranks", allowed=RANK_TESTS)),
            ("n", _N),
            ("people", _PEOPLE),
        ),
    ),
    Kind(
        name="estimate",
        title="an estimated effect with its confidence interval, standard error or p",
        fields=(
            ("estimate", Field(shape="number", help="point estimate", required=True)),
            ("arms", _ARMS_OF),
            ("interval", Field(shape="numbers", help="confidence limits, low then high", count=2)),
            (
                "se",
                Field(shape="number", help="standard error (of a ratio: of its logarithm)", low=0),
            ),
            ("p", _probability()),
            ("scale", _SCALE),
            ("sizes", Field(shape="wholes", help="people by arm", low=1)),
            ("d", Field(shape="number", help="standardised difference, as printed", low=0)),
            ("i2", Field(shape="number", help="heterogeneity I2 in percent", low=0, high=100)),
            ("studies", Field(shape="whole", help="number of studies pooled", low=1)),
        ),
    ),
    Kind(
        name="proportions",
        title="percentages of people, by arm",
        fields=(
            ("arms", _ARMS),
            ("percent", Field(shape="numbers", help="one percentage an arm", low=0, high=100)),
            ("count", Field(shape="wholes", help="one count an arm", low=0)),
            (
                "reduction",
                Field(
                    shape="number",
                    help="people count whose outcome fell by at least this % of its baseline",
                    low=0,
                    high=100,
                ),
            ),
            (
                "n",
                Field(
                    shape="wholes", help="denominators, one an arm (one if they share it)", low=1
                ),
            ),
            ("people", _PEOPLE),
        ),
    ),
    Kind(
        name="total",
        title="a number that is the sum of others",
        fields=(
            ("value", Field(shape="whole", help="the total", required=True, low=0)),
            (
                "parts",
                Field(shape="wholes", help="the numbers that add up to it", required=True, low=0),
            ),
        ),
    ),
    Kind(
        name="quantity",
        title="a number of the design or setting, which nothing else printed can check",
        fields=(("value", Field(shape="numbers", help="as printed", required=True)),),
    ),
    Kind(
        name="significance",
        title="a statement that something did or did not differ, without a number",
        fields=(
            (
                "significant",
                Field(shape="text", help="what is said", required=True, allowed=("yes", "no")),
            ),
            ("restates", Field(shape="claims", help="the claims with the p-values")),
        ),
    ),
    Kind(
        name="restatement",
        title="a number taken from another claim",
        fields=(
            ("value", Field(shape="numbers", help="as printed", required=True)),
            ("reading", _READING),
            ("restates", _RESTATES),
            ("rivals", _RIVALS),
        ),
    ),
    Kind(
        name="false-discovery",
        title="a threshold said to control the false-discovery rate of several tests",
        fields=(
            ("threshold", _probability("the printed threshold", required=True)),
            ("alpha", _probability("the rate that was aimed at", required=True)),
            (
                "tests",
                Field(
                    shape="claims",
                    help="the tests that it was applied to",
                    required=True,
                    of_kind=("test", "correlation", "comparison", "estimate"),
                ),
            ),
            ("number", Field(shape="whole", help="how many tests were made, as printed", low=1)),
        ),
    ),
    Kind(
        name="assumption",
        title="a value that no source prints, with the reason for assuming it",
        fields=(
            ("value", Field(shape="numbers", help="the assumed value", required=True)),
            ("reason", Field(shape="text", help="why it is assumed", required=True)),
        ),
    ),
    Kind(
        name="common-n",
        title="whether several percentages of the same people share a denominator",
        joint=True,
        fields=(
            (
                "of",
                Field(
                    shape="claims",
                    help="the claims with the percentages",
                    required=True,
                    of_kind=("proportions",),
                ),
            ),
            (
                "between",
                Field(
                    shape="wholes",
                    help="smallest and largest n tried",
                    required=True,
                    count=2,
                    low=1,
                ),
            ),
        ),
    ),
    Kind(
        name="arm-sizes",
        title="the denominators at which each arm's percentages exist",
        joint=True,
        fields=(
            (
                "of",
                Field(
                    shape="claims",
                    help="the claims with percentages by arm",
                    required=True,
                    of_kind=("proportions",),
                ),
            ),
            (
                "between",
                Field(
                    shape="wholes",
                    help="smallest and largest n tried",
                    required=True,
                    count=2,
                    low=1,
                ),
            ),
        ),
    ),
    Kind(
        name="common-df",
        title="the numerator degrees of freedom with which several F tests print their p",
        joint=True,
        fields=(
            ("of", Field(shape="claims", help="the F tests", required=True, of_kind=("test",))),
            (
                "between",
                Field(
                    shape="wholes",
                    help="smallest and largest df tried",
                    required=True,
                    count=2,
                    low=1,
                ),
            ),
        ),
    ),
    Kind(
        name="joint-correlations",
        title="whether several correlations can hold together, given the patient table",
        joint=True,
        fields=(
            (
                "of",
                Field(
                    shape="claims",
                    help="correlations of one variable with columns of the table",
                    required=True,
                    of_kind=("correlation",),
                ),
            ),
            (
                "column",
                Field(
                    shape="text",
                    help="the column that the last of them is taken to be",
                    required=True,
                ),
            ),
        ),
    ),
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}

COMMON: tuple[tuple[str, Field], ...] = (
    ("id", Field(shape="text", help="name of the claim, unique in the file", required=True)),
    ("kind", Field(shape="text", help="kind of claim", required=True)),
    ("says", Field(shape="text", help="the claim in a few words", required=True)),
    ("source", Field(shape="text", help="id of the source that prints it")),
    ("locator", Field(shape="text", help="where in the source")),
    ("unit", Field(shape="text", help="unit of the numbers")),
    ("note", Field(shape="text", help="what a reader should know")),
)
