"""What a formula may compute: columns of the data, arithmetic, and known functions.

A factor such as ``np.log(x)`` is Python, and formulaic evaluates it. So every factor is
read first, and only what is listed here is let through: a formula from a stranger runs
no code of its own.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable

from formulaic import Formula, SimpleFormula
from formulaic.errors import FormulaicError
from formulaic.parser.algos.tokenize import tokenize
from formulaic.parser.types import Factor, Term

FUNCTIONS = {
    "codings": ("Diff", "Helmert", "Poly", "Sum", "Treatment"),
    "factors": ("C", "I", "Q", "contr"),
    "numbers": ("abs", "exp", "exp2", "log", "log10", "log2"),
    "columns": ("bs", "cc", "center", "cr", "cs", "poly", "scale", "standardize"),
}
"""The functions that a formula may call by name."""

NUMPY = {
    "curves": ("abs", "absolute", "cbrt", "power", "sign", "sqrt", "square"),
    "logarithms": ("exp", "exp2", "expm1", "log", "log10", "log1p", "log2"),
    "waves": ("arctan", "cos", "cosh", "sin", "sinh", "tan", "tanh"),
    "steps": ("ceil", "clip", "floor", "fmax", "fmin", "maximum", "minimum", "round", "where"),
    "truth": ("logical_and", "logical_not", "logical_or"),
}
"""The functions of numpy that a formula may call, as ``np.log``."""

CONTRASTS = ("SAS", "diff", "helmert", "poly", "sum", "treatment")
"""The codings that a formula may name, as ``contr.sum``."""

_CALLED = frozenset(name for names in FUNCTIONS.values() for name in names)
_NUMERIC = frozenset(name for names in NUMPY.values() for name in names)
_CONSTANTS = frozenset(("e", "pi"))
_LONGEST = 10_000
_MOST_CROSSED = 8
_LARGEST = 100
_NO_FACTOR = "write C(column) for a factor"
_NAMES = re.compile(r"`([^`]*)`")
_PLAIN = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.Constant,
    ast.List,
    ast.Tuple,
    ast.keyword,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
)


def read_side(text: str, side: str) -> SimpleFormula:
    """Read one side of a formula, or say why it cannot be read.

    Parameters
    ----------
    text : str
        The formula, for the message.
    side : str
        The side.

    Returns
    -------
    formulaic.SimpleFormula
        Its terms.

    Raises
    ------
    ValueError
        If it is no formula, or so large that reading it would not end.

    Examples
    --------
    >>> [str(term) for term in read_side("y ~ a * b", "a * b")]
    ['1', 'a', 'b', 'a:b']
    """
    try:
        _check_size(text, side)
        found = Formula(side)
    except (FormulaicError, SyntaxError, RecursionError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        hint = f"; {_NO_FACTOR}" if "factor(" in side else ""
        message = f'formula "{text}": "{side}" cannot be read: {reason}{hint}'
        raise ValueError(message) from error
    if not isinstance(found, SimpleFormula):
        message = (
            f'formula "{text}": "{side}" has more than one part; write one response, one "~",'
            ' and every "|" inside the brackets of a covariance term'
        )
        raise ValueError(message)  # noqa: TRY004
    return found


def columns_of(text: str, terms: Iterable[Term]) -> list[str]:
    """Return the columns that terms of a formula need.

    Parameters
    ----------
    text : str
        The formula, for the message.
    terms : iterable of formulaic.parser.types.Term
        The terms: one side of the formula, or some of it.

    Returns
    -------
    list of str
        Sorted names; those with dots or spaces stand in backquotes in the formula.

    Raises
    ------
    ValueError
        If they ask for anything but columns, arithmetic and known functions, or
        calls a function that a column hides.

    Examples
    --------
    >>> columns_of("y ~ np.log(dose)*drug", read_side("y ~ np.log(dose)*drug", "np.log(dose)*drug"))
    ['dose', 'drug']
    """
    names: set[str] = set()
    called: set[str] = set()
    for factor in (f for term in terms for f in term.factors):
        own, functions = factor_names(text, factor)
        names |= own
        called |= functions
    hidden = sorted(names & called)
    if hidden:
        message = (
            f'formula "{text}": column "{hidden[0]}" hides the function {hidden[0]} that the'
            " formula calls; rename the column"
        )
        raise ValueError(message)
    return sorted(names)


def factor_names(text: str, factor: Factor) -> tuple[set[str], set[str]]:
    """Return the columns and the functions that one factor names.

    Parameters
    ----------
    text : str
        The formula, for the message.
    factor : formulaic.parser.types.Factor
        The factor.

    Returns
    -------
    tuple of set of str
        Columns and functions.

    Raises
    ------
    ValueError
        As for ``columns_of``.

    Examples
    --------
    >>> factor_names("y ~ C(drug)", Factor("C(drug)", eval_method="python"))
    ({'drug'}, {'C'})
    """
    if factor.eval_method.value == "lookup":
        return {str(factor.expr)}, set()
    if factor.eval_method.value == "python":
        return _expression(text, str(factor.expr))
    return set(), set()


def _check_size(text: str, side: str) -> None:
    """Raise if there is so much of a formula that its terms cannot be written out."""
    if len(text) > _LONGEST:
        message = f'formula "{text[:40]}..." has {len(text)} characters; at most {_LONGEST}'
        raise ValueError(message)
    tokens = [(str(token.token), str(token.kind)) for token in tokenize(side)]
    if any(token == "." for token, _ in tokens):
        message = (
            f'formula "{text}": "." for all other columns is not known here; write the columns out'
        )
        raise ValueError(message)
    operators = [token for token, kind in tokens if kind.endswith("OPERATOR")]
    powers = [
        following
        for (token, _), (following, _) in itertools.pairwise(tokens)
        if token in ("**", "^")
    ]
    crossed = sum(operator in ("*", "/", "%in%") for operator in operators)
    if crossed > _MOST_CROSSED or any(not p.isdecimal() or int(p) > 4 for p in powers):
        message = (
            f'formula "{text}": "{side}" crosses too much; at most {_MOST_CROSSED} signs * or /'
            " and powers up to **4 are written out; name the interactions that matter"
        )
        raise ValueError(message)


def _expression(text: str, expression: str) -> tuple[set[str], set[str]]:
    """Return the columns and functions of one factor, having checked all of it."""
    quoted: list[str] = []

    def name(match: re.Match[str]) -> str:
        quoted.append(match[1])
        return f" quoted_{len(quoted) - 1}_ "

    try:
        tree = ast.parse(_NAMES.sub(name, expression).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        message = f'formula "{text}": "{expression}" cannot be read: {error}'
        raise ValueError(message) from error
    columns: set[str] = set()
    called: set[str] = set()
    _walk(text, expression, tree, columns, called)
    written = {f"quoted_{j}_": column for j, column in enumerate(quoted)}
    return {written.get(column, column) for column in columns}, called


def _walk(text: str, expression: str, node: ast.AST, columns: set[str], called: set[str]) -> None:
    """Collect columns and functions below a node, or raise at what is not allowed."""
    if isinstance(node, ast.Name):
        columns.add(node.id)
        return
    if isinstance(node, ast.Attribute):
        called.add(_known_attribute(text, expression, node))
        return
    inner = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Name):
            called.add(_known_function(text, expression, function.id))
            inner = [*node.args, *node.keywords]
        if isinstance(function, ast.Name) and function.id == "Q":
            columns |= {str(a.value) for a in node.args if isinstance(a, ast.Constant)}
        _check_numbers(text, expression, node)
    elif isinstance(node, ast.BinOp):
        _check_operation(text, expression, node)
    elif not isinstance(node, _PLAIN):
        raise ValueError(_not_plain(text, expression))  # noqa: TRY004
    for child in inner:
        known = isinstance(child, ast.Name) and child.id in FUNCTIONS["codings"]
        if not known:
            _walk(text, expression, child, columns, called)


def _mentions_column(node: ast.AST) -> bool:
    """Tell whether a column or a function is below a node."""
    return any(isinstance(below, ast.Name) for below in ast.walk(node))


def _check_operation(text: str, expression: str, node: ast.BinOp) -> None:
    """Raise at a power that is none, and at arithmetic of numbers that could grow without bound."""
    if isinstance(node.op, ast.BitXor):
        message = f'formula "{text}": "{expression}": powers of numbers are written x**2, not x^2'
        raise ValueError(message)  # noqa: TRY004
    if _mentions_column(node):
        return
    powers = any(isinstance(below, ast.Pow | ast.LShift) for below in ast.walk(node))
    texts = any(
        isinstance(below, ast.Constant) and not isinstance(below.value, int | float)
        for below in ast.walk(node)
    )
    if powers or texts:
        message = f'formula "{text}": "{expression}" computes a number; write the number itself'
        raise ValueError(message)


def _check_numbers(text: str, expression: str, call: ast.Call) -> None:
    """Raise if a function of columns is asked for more columns than a model could hold."""
    if not isinstance(call.func, ast.Name) or call.func.id not in ("poly", "bs", "cr", "cs", "cc"):
        return
    given = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    for value in given:
        number = value.value if isinstance(value, ast.Constant) else 0
        if isinstance(number, int) and number > _LARGEST:
            message = (
                f'formula "{text}": {number} in "{expression}" is too large; at most'
                f" {_LARGEST} columns are made of one"
            )
            raise ValueError(message)


def _known_function(text: str, expression: str, name: str) -> str:
    """Return a function's name if a formula may call it."""
    if name not in _CALLED:
        listed = ", ".join(sorted(_CALLED, key=str.lower))
        instead = (
            f"it may call {listed}, and np.sqrt and its like; compute anything else as a column"
        )
        if name == "factor":
            instead = _NO_FACTOR
        elif name in _NUMERIC:
            instead = f"numpy's are written np.{name}(column)"
        message = (
            f'formula "{text}": "{expression}" calls {name}, which a formula may not; {instead}'
        )
        raise ValueError(message)
    return name


def _known_attribute(text: str, expression: str, node: ast.Attribute) -> str:
    """Return the base of ``np.log``, ``np.pi`` or ``contr.sum`` if a formula may use it."""
    known = {"np": _NUMERIC | _CONSTANTS, "contr": frozenset(CONTRASTS)}
    if isinstance(node.value, ast.Name) and node.attr in known.get(node.value.id, frozenset()):
        return node.value.id
    listed = ", ".join(f"np.{name}" for name in sorted(_NUMERIC | _CONSTANTS))
    message = (
        f'formula "{text}": "{expression}" uses {ast.unparse(node)}, which a formula may not; it'
        f" may use {listed}; compute anything else as a column"
    )
    raise ValueError(message)


def _not_plain(text: str, expression: str) -> str:
    """Say that a factor is more than arithmetic of columns."""
    return (
        f'formula "{text}": "{expression}" is more than columns, arithmetic and known functions;'
        " compute it as a column"
    )
