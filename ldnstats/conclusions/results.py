"""Which published conclusions are forced, prior-dependent or left open."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import scipy.special

from ldnstats.display import NOT_ADVICE, html_table

if TYPE_CHECKING:
    import pandas as pd

Standing: TypeAlias = Literal[
    "forced", "excluded", "given", "prior-dependent", "left open", "not checkable"
]
STANDINGS: tuple[Standing, ...] = get_args(Standing)

MEANINGS: dict[Standing, str] = {
    "forced": "true of every member under every prior and reading tried",
    "excluded": "true of no member under any prior and reading tried",
    "given": "the claim's own figures, which every member prints: no check",
    "prior-dependent": "the share of members of which it is true depends on the prior or reading",
    "left open": "true of some members and not of others, equally often under every prior",
    "not checkable": "no trial can be rebuilt without the claim, or none under any prior",
}

_HOMOGENEITY = 0.001
"""Shares differ between priors if a chi-square test of equal shares has a smaller p than this."""

_COLUMNS = (
    "claim",
    "conclusion",
    "by",
    "rebuilt without",
    "what the members say",
    "lowest share",
    "highest share",
    "members",
    "decided most by, or why not",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Of how many members a statement is true under one choice of priors and readings.

    Attributes
    ----------
    setting : tuple of (str, str)
        Axis and value, in words.
    held, members : int
        Members of which it is true, and members that have the quantity.
    failed : int
        Members without it, such as those whose analysis failed.
    worth : float or None
        How many independent members one of them is worth: 1 by rejection; for chains the least
        effective sample size of any figure, over the members; None where that is not known.
    """

    setting: tuple[tuple[str, str], ...]
    held: int
    members: int
    failed: int = 0
    worth: float | None = 1.0

    @property
    def share(self) -> float:
        """The share of members.

        Examples
        --------
        >>> Share(setting=(), held=250, members=1000).share
        0.25
        """
        return self.held / self.members

    @property
    def effective(self) -> float:
        """How many independent members have the same Monte-Carlo error; NaN if not known.

        Examples
        --------
        >>> Share(setting=(), held=250, members=1000, worth=0.25).effective
        250.0
        """
        return float("nan") if self.worth is None else self.worth * self.members

    @property
    def mcse(self) -> float:
        """Its Monte-Carlo standard error; 0 where the members agree, for which see `limit`.

        NaN where members differ and it is not known how many independent ones they are worth.

        Examples
        --------
        >>> round(Share(setting=(), held=250, members=1000).mcse, 4)
        0.0137
        >>> round(Share(setting=(), held=250, members=1000, worth=0.25).mcse, 4)
        0.0274
        """
        spread = self.share * (1.0 - self.share)
        return float((spread / self.effective) ** 0.5) if spread else 0.0

    @property
    def limit(self) -> float | None:
        """Upper 95% limit of the exceptions' share where the members agree (rule of three).

        At most 1; NaN where it is not known how many independent members they are worth.

        Examples
        --------
        >>> Share(setting=(), held=1000, members=1000).limit
        0.003
        """
        if self.held not in (0, self.members):
            return None
        return _rule_of_three(self.effective)

    def __str__(self) -> str:
        limit = self.limit
        if limit is None:
            error = "not known" if self.worth is None else f"{100 * self.mcse:.1f}"
            return f"{100 * self.share:.1f}% (SE {error})"
        most = "an error not known" if self.worth is None else f"at most {100 * limit:.2f}"
        return f"{'100' if self.held else '0'}% (off by {most})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """One published conclusion, looked at by one analysis, under every prior and reading.

    Attributes
    ----------
    claim : str
        Full name of the claim that says it.
    says : str
        In words.
    analysis : str
        By which it was looked at.
    without : tuple of str
        The claims that the members were rebuilt without: the claim itself, if it is among those
        that a rebuilt trial must print.
    given : bool
        Whether the members print the claim's own figures all the same, because a trial cannot be
        built without them.
    shares : tuple of Share
        One for each choice under which trials could be rebuilt.
    not_rebuilt : tuple of (tuple of (str, str), str)
        The choices under which they could not, with the reason.
    """

    claim: str
    says: str
    analysis: str
    without: tuple[str, ...]
    given: bool
    shares: tuple[Share, ...]
    not_rebuilt: tuple[tuple[tuple[tuple[str, str], ...], str], ...] = ()

    @property
    def standing(self) -> Standing:
        """Whether it is forced, excluded, given, prior-dependent, left open or not checkable.

        Examples
        --------
        >>> shares = (Share(setting=(("SD", "small"),), held=1000, members=1000),
        ...           Share(setting=(("SD", "large"),), held=400, members=1000))
        >>> Conclusion(claim="a:p", says="p below 0.05", analysis="paired t", without=("a:p",),
        ...            given=False, shares=shares).standing
        'prior-dependent'
        """
        if not self.shares:
            return "not checkable"
        if all(share.held == share.members for share in self.shares):
            return "given" if self.given else "forced"
        if not any(share.held for share in self.shares):
            return "excluded"
        return "prior-dependent" if self.shares_differ else "left open"

    @property
    def shares_differ(self) -> bool:
        """Whether shares differ between choices by more than their Monte-Carlo error.

        By Pearson's chi-square test of equal shares at the level 0.001, with the members' effective
        numbers; streams of random numbers are shared between choices, which makes it cautious.
        Choices whose error is not known are left out.

        Examples
        --------
        >>> shares = tuple(Share(setting=(), held=k, members=1000) for k in (400, 410))
        >>> Conclusion(claim="a:p", says="", analysis="", without=(), given=False,
        ...            shares=shares).shares_differ
        False
        """
        known = [share for share in self.shares if share.worth is not None]
        total = sum(share.effective for share in known)
        pooled = sum(share.effective * share.share for share in known) / total if known else 0.0
        if len(known) < 2 or not 0.0 < pooled < 1.0:
            return False
        squares = (share.effective * (share.share - pooled) ** 2 for share in known)
        statistic = sum(squares) / (pooled * (1.0 - pooled))
        return bool(scipy.special.chdtrc(len(known) - 1, statistic) < _HOMOGENEITY)

    @property
    def lowest(self) -> Share | None:
        """The choice under which it is true least often.

        Examples
        --------
        >>> shares = tuple(Share(setting=(), held=k, members=10) for k in (4, 2))
        >>> Conclusion(claim="a:p", says="", analysis="", without=(), given=False,
        ...            shares=shares).lowest.held
        2
        """
        return min(self.shares, key=lambda share: share.share, default=None)

    @property
    def highest(self) -> Share | None:
        """The choice under which it is true most often.

        Examples
        --------
        >>> shares = tuple(Share(setting=(), held=k, members=10) for k in (4, 2))
        >>> Conclusion(claim="a:p", says="", analysis="", without=(), given=False,
        ...            shares=shares).highest.held
        4
        """
        return max(self.shares, key=lambda share: share.share, default=None)

    @property
    def members(self) -> int:
        """Members looked at, under all choices together.

        Examples
        --------
        >>> shares = tuple(Share(setting=(), held=k, members=10) for k in (4, 2))
        >>> Conclusion(claim="a:p", says="", analysis="", without=(), given=False,
        ...            shares=shares).members
        20
        """
        return sum(share.members for share in self.shares)

    @property
    def limit(self) -> float:
        """Upper 95% limit of the exceptions' share under each choice, if all members agree.

        By the rule of three, with the least effective number of members of any choice; NaN where
        one is not known, or there is no choice.

        Examples
        --------
        >>> shares = tuple(Share(setting=(), held=k, members=k) for k in (100, 300))
        >>> Conclusion(claim="a:p", says="", analysis="", without=(), given=False,
        ...            shares=shares).limit
        0.03
        """
        if not self.shares or any(share.worth is None for share in self.shares):
            return float("nan")
        return _rule_of_three(min(share.effective for share in self.shares))

    def by_axis(self) -> tuple[tuple[str, tuple[tuple[str, float], ...]], ...]:
        """Return the share of members for each value of each axis, over the others together.

        Of the others those choices count under which more than one value of the axis was tried.

        Returns
        -------
        tuple of (str, tuple of (str, float))
            Axis, then value and share; the axis whose values differ most comes first.

        Examples
        --------
        >>> shares = (Share(setting=(("SD", "small"),), held=9, members=10),
        ...           Share(setting=(("SD", "large"),), held=4, members=10))
        >>> Conclusion(claim="a:p", says="", analysis="", without=(), given=False,
        ...            shares=shares).by_axis()
        (('SD', (('small', 0.9), ('large', 0.4))),)
        """
        axes = dict.fromkeys(axis for share in self.shares for axis, _ in share.setting)
        values = [(axis, _by_value(self.shares, axis)) for axis in axes]
        pooled = [
            (axis, tuple((value, _pooled(shares)) for value, shares in by.items()))
            for axis, by in values
            if len(by) > 1
        ]
        return tuple(sorted(pooled, key=lambda entry: -_reach(entry[1])))

    def decided_by(self) -> str:
        """Say which axis of the grid moves the share most, and from where to where.

        Returns
        -------
        str
            Empty unless the share depends on the prior or reading.

        Examples
        --------
        >>> shares = (Share(setting=(("SD", "small"),), held=900, members=1000),
        ...           Share(setting=(("SD", "large"),), held=400, members=1000))
        >>> Conclusion(claim="a:p", says="", analysis="", without=(), given=False,
        ...            shares=shares).decided_by()
        'SD: 40.0% (large) to 90.0% (small)'
        """
        axes = self.by_axis()
        if self.standing != "prior-dependent" or not axes:
            return ""
        axis, values = axes[0]
        low, high = min(values, key=lambda v: v[1]), max(values, key=lambda v: v[1])
        return f"{axis}: {100 * low[1]:.1f}% ({low[0]}) to {100 * high[1]:.1f}% ({high[0]})"

    def reason(self) -> str:
        """Say which choice decides a conclusion most, or why there is nothing to decide.

        Returns
        -------
        str

        Examples
        --------
        >>> shares = (Share(setting=(), held=400, members=1000),)
        >>> Conclusion(claim="a:p", says="", analysis="", without=(), given=False,
        ...            shares=shares).reason()
        'no choice moves it beyond its Monte-Carlo error'
        """
        standing = self.standing
        if standing == "not checkable":
            return self.not_rebuilt[0][1] if self.not_rebuilt else "no member has the quantity"
        if standing == "left open":
            unknown = sum(share.worth is None for share in self.shares)
            rest = f"; in {unknown} of {len(self.shares)} choices that error is not known"
            return "no choice moves it beyond its Monte-Carlo error" + (rest if unknown else "")
        return self.decided_by() or "the same under every choice"

    def never_with(self) -> tuple[tuple[str, str], ...]:
        """Return the axes and values with which no trial could be rebuilt.

        Returns
        -------
        tuple of (str, str)

        Examples
        --------
        >>> Conclusion(claim="a:p", says="", analysis="", without=(), given=False,
        ...            shares=(Share(setting=(("SD", "small"),), held=9, members=10),),
        ...            not_rebuilt=(((("SD", "large"),), "in conflict"),)).never_with()
        (('SD', 'large'),)
        """
        built = {entry for share in self.shares for entry in share.setting}
        tried = [entry for setting, _ in self.not_rebuilt for entry in setting]
        return tuple(entry for entry in dict.fromkeys(tried) if entry not in built)

    def sentence(self) -> str:
        """Say in words what the members say.

        Returns
        -------
        str

        Examples
        --------
        >>> shares = (Share(setting=(), held=1000, members=1000),)
        >>> print(Conclusion(claim="a:p", says="p below 0.05", analysis="paired t",
        ...                  without=("a:p",), given=False, shares=shares).sentence())
        a:p, "p below 0.05" (paired t): forced, rebuilt without a:p; true of all 1000 members
        (exceptions below 0.30% under each choice)
        """
        head = f'{self.claim}, "{self.says}" ({self.analysis}): {self.standing}'
        left = f", rebuilt without {', '.join(self.without)}" if self.without else ""
        low, high = self.lowest, self.highest
        if low is None or high is None:
            return f"{head}: {self.reason()}"
        choices = f" under {len(self.shares)} choices" if len(self.shares) > 1 else ""
        if low.held == low.members or high.held == 0:
            word, kind = ("all", "exceptions") if low.held else ("none of", "cases")
            limit = self.limit
            most = "an unknown share" if isnan(limit) else f"{100 * limit:.2f}%"
            said = (
                f"true of {word} {self.members} members{choices} "
                f"({kind} below {most} under each choice)"
            )
        elif len(self.shares) == 1:
            said = f"true of {low} of {self.members} members"
        else:
            said = f"true of {low} to {high} of the members{choices} ({self.members} members)"
        most = self.decided_by()
        return f"{head}{left}; {said}" + (f"; most by {most}" if most else "")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Conclusions:
    """Every published conclusion of a study, as the rebuilt trials see it.

    Attributes
    ----------
    study : str
        Key of the study.
    conclusions : tuple of Conclusion
        In the order of the study's claims.
    draws : int
        Members for each choice of priors and readings.
    seed : int
        Of the members.
    alpha : float
        Level of significance.
    crossed : bool
        Whether every combination of priors and readings was tried, or one changed at a time.
    """

    study: str
    conclusions: tuple[Conclusion, ...]
    draws: int
    seed: int
    alpha: float
    crossed: bool = True

    def __len__(self) -> int:
        return len(self.conclusions)

    def counts(self) -> dict[Standing, int]:
        """Count the conclusions by what the members say.

        Returns
        -------
        dict

        Examples
        --------
        >>> Conclusions(study="a", conclusions=(), draws=1, seed=1, alpha=0.05).counts()["forced"]
        0
        """
        return {word: sum(c.standing == word for c in self.conclusions) for word in STANDINGS}

    def table(self) -> pd.DataFrame:
        """Return the conclusions as a frame.

        Returns
        -------
        DataFrame
            One row a conclusion and analysis: claim, conclusion, analysis, without, standing;
            lowest and highest share with their Monte-Carlo standard errors (lowest_mcse,
            highest_mcse); limit, the upper 95% limit of the exceptions under each choice where
            all members agree; members, choices (under which trials could be rebuilt) and
            not_rebuilt (under which they could not); decided_by. Shares are NaN where no trial
            could be rebuilt.

        Examples
        --------
        >>> Conclusions(study="a", conclusions=(), draws=1, seed=1, alpha=0.05).table().empty
        True
        """
        import pandas as pd

        return pd.DataFrame([_frame_row(c) for c in self.conclusions])

    def __str__(self) -> str:
        lines = [c.sentence() for c in self.conclusions]
        return "\n".join([f"{self.study}: {len(self)} conclusions", *lines, "", NOT_ADVICE])

    def __repr__(self) -> str:
        return str(self)

    def rows(self) -> list[tuple[str, ...]]:
        """Return the cells of the printed table, under `columns`.

        Returns
        -------
        list of tuple of str

        Examples
        --------
        >>> Conclusions(study="a", conclusions=(), draws=1, seed=1, alpha=0.05).rows()
        []
        """
        return [
            (
                c.claim,
                c.says,
                c.analysis,
                ", ".join(c.without) or "nothing",
                c.standing,
                "" if c.lowest is None else str(c.lowest),
                "" if c.highest is None else str(c.highest),
                f"{c.members} in {len(c.shares)} choices",
                c.reason(),
            )
            for c in self.conclusions
        ]

    @property
    def columns(self) -> tuple[str, ...]:
        """The headings of the printed table.

        Examples
        --------
        >>> Conclusions(study="a", conclusions=(), draws=1, seed=1, alpha=0.05).columns[1]
        'conclusion'
        """
        return _COLUMNS

    def _repr_html_(self) -> str:
        caption = f"Published conclusions of {self.study} on rebuilt trials"
        return html_table(_COLUMNS, self.rows(), caption) + f"<p>{NOT_ADVICE}</p>"


def _frame_row(c: Conclusion) -> dict[str, object]:
    """Return one row of the frame."""
    low, high, nan = c.lowest, c.highest, float("nan")
    agreed = c.standing in ("forced", "given", "excluded")
    return {
        "claim": c.claim,
        "conclusion": c.says,
        "analysis": c.analysis,
        "without": ", ".join(c.without),
        "standing": c.standing,
        "lowest": nan if low is None else low.share,
        "lowest_mcse": nan if low is None else low.mcse,
        "highest": nan if high is None else high.share,
        "highest_mcse": nan if high is None else high.mcse,
        "limit": c.limit if agreed else nan,
        "members": c.members,
        "choices": len(c.shares),
        "not_rebuilt": len(c.not_rebuilt),
        "decided_by": c.decided_by(),
    }


def _rule_of_three(members: float) -> float:
    """Return the upper 95% limit of a share of which members show none; NaN if they are NaN."""
    return 3.0 / members if isnan(members) or members > 3.0 else 1.0


def _by_value(shares: tuple[Share, ...], axis: str) -> dict[str, list[Share]]:
    """Return the shares for each value of an axis, where others were tried beside it."""
    groups: dict[tuple[tuple[str, str], ...], list[tuple[str, Share]]] = {}
    for share in shares:
        value = dict(share.setting).get(axis)
        if value is not None:
            others = tuple(entry for entry in share.setting if entry[0] != axis)
            groups.setdefault(others, []).append((value, share))
    found: dict[str, list[Share]] = {}
    for entries in groups.values():
        for value, share in entries if len(entries) > 1 else ():
            found.setdefault(value, []).append(share)
    return found


def _pooled(shares: list[Share]) -> float:
    """Return the share over several choices."""
    return sum(share.held for share in shares) / sum(share.members for share in shares)


def _reach(values: tuple[tuple[str, float], ...]) -> float:
    """Return how far the shares of an axis lie apart."""
    found = [share for _, share in values]
    return max(found) - min(found)
