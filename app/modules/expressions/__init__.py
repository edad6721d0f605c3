"""Formulas: a checked subset of SQL expressions over the fields of a row, and the aggregates of cards and reports.

syntax reads text into a typed tree, operations lists what a formula may do (its SQL and its Python side by side),
formula and aggregate are what callers use. No text of a formula is ever passed through to SQL.
"""

from app.modules.expressions.aggregate import Aggregate as Aggregate
from app.modules.expressions.aggregate import parse_aggregate as parse_aggregate
from app.modules.expressions.formula import Formula as Formula
from app.modules.expressions.formula import parse_formula as parse_formula
from app.modules.expressions.formula import resolve_formulas as resolve_formulas
from app.modules.expressions.tree import FormulaInvalid as FormulaInvalid
