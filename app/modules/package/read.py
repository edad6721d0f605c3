"""From bytes to a Package: the archive, then each file, then the parts against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.modules.manifest import Manifest, Problem, check_manifest
from app.modules.manifest.problems import did_you_mean, errors_of
from app.modules.package.archive import Refused, gather, unzip, without_junk
from app.modules.package.contents import check_content
from app.modules.package.listing import Listing, missing_screenshots, read_listing
from app.modules.package.model import CheckedPackage, CheckSource, Package, PackageInvalid, digest_of, frozen
from app.modules.package.paths import place_fault, without_top_folder
from app.modules.package.samples import check_locales, read_samples, read_tests


def read_package(data: bytes, *, check_source: CheckSource | None = None) -> Package:
    """The package in a zip. Raises PackageInvalid, whose .problems lists every error and warning with its file.

    check_source: (path, text) to problems, called for each template and function; syntax is not checked without it.
    """
    return _package(check_package(data, check_source=check_source))


def read_folder(files: Iterable[tuple[str, bytes]], *, check_source: CheckSource | None = None) -> Package:
    """The package in a dropped folder: (path, content) of its files. Raises PackageInvalid, as read_package does."""
    return _package(check_folder(files, check_source=check_source))


def check_package(data: bytes, *, check_source: CheckSource | None = None) -> CheckedPackage:
    """Like read_package, but never raises for what is in the zip."""
    return _checked(lambda: unzip(data), check_source)


def check_folder(files: Iterable[tuple[str, bytes]], *, check_source: CheckSource | None = None) -> CheckedPackage:
    """Like read_folder, but never raises for what is in the folder."""
    return _checked(lambda: gather(files), check_source)


def _package(checked: CheckedPackage) -> Package:
    if checked.package is None:
        raise PackageInvalid(checked.problems)
    return checked.package


def _checked(source: Callable[[], dict[str, bytes]], check_source: CheckSource | None) -> CheckedPackage:
    try:
        files, problems = without_junk(source())
    except Refused as refused:
        return CheckedPackage(None, refused.problems)
    top = without_top_folder(files)
    files = {path.removeprefix(top): content for path, content in files.items()}
    for path, content in files.items():
        fault = place_fault(path)
        problems += [Problem("", fault, code="place", file=path)] if fault else check_content(path, content)
    if "module.yaml" not in files:
        problems.append(Problem("", "the package has no module.yaml at its top", code="required"))
        return CheckedPackage(None, problems)
    checked = check_manifest(files["module.yaml"])
    # a file that is no text was reported with its contents already
    problems += [problem for problem in checked.problems if problem.code != "encoding"]
    listing, faults = read_listing(files.get("listing.yaml"))
    problems += [*(fault for fault in faults if fault.code != "encoding"), *missing_screenshots(listing, files)]
    if checked.manifest is None or errors_of(problems):
        return CheckedPackage(None, problems)
    return _whole(checked.manifest, listing, files, problems, check_source)


def _whole(
    manifest: Manifest,
    listing: Listing,
    files: dict[str, bytes],
    problems: list[Problem],
    check_source: CheckSource | None,
) -> CheckedPackage:
    """The package, once its manifest and each of its files are good by themselves."""
    problems += [*_file_references(manifest, files), *check_locales(files, manifest)]
    sample, sample_problems = read_samples(files, manifest)
    tests, test_problems = read_tests(files, manifest)
    problems += [*sample_problems, *test_problems]
    if check_source is not None:
        for path in sorted(path for path in files if path.startswith(("templates/", "functions/"))):
            problems += check_source(path, files[path].decode())
    if errors_of(problems):
        return CheckedPackage(None, problems)
    package = Package(
        manifest=manifest,
        manifest_text=files["module.yaml"].decode(),
        listing=listing,
        files=frozen(files),
        digest=digest_of(files),
        sample=sample,
        tests=tuple(tests),
        warnings=tuple(problems),
    )
    return CheckedPackage(package, problems)


def _file_references(manifest: Manifest, files: dict[str, bytes]) -> list[Problem]:
    """Files the manifest names and the package lacks, and files of code that nothing names."""
    problems = []
    named = {
        **{f"pages.{name}.template": f"templates/{page.template}" for name, page in manifest.pages.items()},
        **{f"functions.{name}.file": f"functions/{function.file}" for name, function in manifest.functions.items()},
    }
    if manifest.icon and "." in manifest.icon:
        named["icon"] = manifest.icon
    for path, file in named.items():
        if file not in files:
            problems.append(
                Problem(path, f'no file "{file}" in the package{did_you_mean(file, files)}', code="reference")
            )
    for file in files:
        if file.startswith(("templates/", "functions/")) and file not in named.values():
            what = "page" if file.startswith("templates/") else "function"
            message = f"no {what} of the manifest uses this file"
            problems.append(Problem("", message, code="unused", severity="warning", file=file))
    return problems
