"""Runs the acceptance tests of a package (tests/*.yaml) against a scratch site that never exists for anybody else.

Everything happens in one transaction of the owner that is rolled back: schema, role, records, events and letters of a run
leave nothing behind, also when the process is killed. For publishing jobs and the test suite, never for a request.
"""

from app.runtime.acceptance.expect import Failure as Failure
from app.runtime.acceptance.runner import Report as Report
from app.runtime.acceptance.runner import Result as Result
from app.runtime.acceptance.runner import check_tests as check_tests
from app.runtime.acceptance.runner import run_tests as run_tests
from app.runtime.acceptance.tryout import Called as Called
from app.runtime.acceptance.tryout import SampleData as SampleData
from app.runtime.acceptance.tryout import call_on_sample as call_on_sample
from app.runtime.acceptance.tryout import draw_sample as draw_sample
from app.runtime.acceptance.tryout import show_sample_page as show_sample_page
