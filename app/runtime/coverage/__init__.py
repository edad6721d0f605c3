"""Which statements and branches of a module's functions a test run reached.

The source is given counters before it goes into the sandbox (marks.py), on its own lines, so that every line number stays;
the counters come back with the result of the call. Only test runs do this: `counting()` says that one is under way.
"""

from app.runtime.coverage.counting import SLOWER as SLOWER
from app.runtime.coverage.counting import Coverage as Coverage
from app.runtime.coverage.counting import FileCoverage as FileCoverage
from app.runtime.coverage.counting import Part as Part
from app.runtime.coverage.counting import counting as counting
from app.runtime.coverage.counting import under_way as under_way
