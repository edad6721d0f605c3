"""Module packages: a zip or a dropped folder in, files that may be trusted to be what they say out.

Every rule on uploads (sizes, names, links, archives in archives, drawings, secrets) is kept here. Nothing is ever unpacked to disk.
"""

from app.modules.package.archive import write_package as write_package
from app.modules.package.listing import Listing as Listing
from app.modules.package.model import AcceptanceTest as AcceptanceTest
from app.modules.package.model import CheckedPackage as CheckedPackage
from app.modules.package.model import CheckSource as CheckSource
from app.modules.package.model import Package as Package
from app.modules.package.model import PackageInvalid as PackageInvalid
from app.modules.package.read import check_folder as check_folder
from app.modules.package.read import check_package as check_package
from app.modules.package.read import read_folder as read_folder
from app.modules.package.read import read_package as read_package
from app.modules.package.samples import read_samples as read_samples
