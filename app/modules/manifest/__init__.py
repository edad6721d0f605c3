"""The manifest of a module: one set of models, one validator, one JSON Schema for everybody who writes one."""

from app.modules.manifest.computed import all_columns as all_columns
from app.modules.manifest.computed import formulas_of as formulas_of
from app.modules.manifest.computed import rollup_columns as rollup_columns
from app.modules.manifest.fields import FieldBase as FieldBase
from app.modules.manifest.fields import FieldSpec as FieldSpec
from app.modules.manifest.load import Checked as Checked
from app.modules.manifest.load import ManifestInvalid as ManifestInvalid
from app.modules.manifest.load import check_manifest as check_manifest
from app.modules.manifest.load import load_manifest as load_manifest
from app.modules.manifest.model import ALLOWED as ALLOWED
from app.modules.manifest.model import Capability as Capability
from app.modules.manifest.model import Manifest as Manifest
from app.modules.manifest.problems import Problem as Problem
from app.modules.manifest.schema import json_schema as json_schema
from app.modules.manifest.tables import Table as Table
