"""A .venv that another Python made, that moved or that broke is made anew; what cannot be helped is one line with the fix."""

import importlib.util
import subprocess

import pytest

from app.dev import install


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """An empty place for .venv, and one requirement that is always there."""
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    for name in install.FILES["test"]:
        (tmp_path / name).write_text("pip\n")
    return tmp_path


def test_a_new_checkout_is_set_up_once(checkout, capsys):
    install.install("test")
    first = capsys.readouterr().out
    install.install("run")  # what tests need holds what a run needs
    install.install("test")
    assert (first, capsys.readouterr().out) == (
        "Installing what `make test` needs (the first time takes about a minute) …\n",
        "",
    )
    assert install.usable()

    config = checkout / ".venv" / "pyvenv.cfg"
    made_by_us = config.read_text()
    config.write_text(made_by_us.replace("version = 3.", "version = 2."))
    assert not install.usable()
    config.write_text(made_by_us)
    (checkout / ".venv").rename(checkout / "moved")
    (checkout / ".venv").mkdir()
    assert not install.usable()

    install.install("run")
    assert (install.usable(), capsys.readouterr().out[:10]) == (True, "Installing")


def test_a_changed_requirement_is_installed(checkout):
    before = install.fingerprint(install.FILES["run"])
    (checkout / "requirements.txt").write_text("pip\n# another\n")
    assert install.fingerprint(install.FILES["run"]) != before


def test_a_python_without_venv_names_the_package(checkout, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else found(name))
    with pytest.raises(install.CannotInstall, match=r"apt-get install python3\.\d+-venv \(as root\)$"):
        install.make_venv()


def test_a_file_in_the_way_is_not_deleted(checkout):
    (checkout / ".venv").write_text("mine")
    with pytest.raises(install.CannotInstall, match="is in the way"):
        install.make_venv()
    assert (checkout / ".venv").read_text() == "mine"


def test_a_requirement_that_cannot_be_installed_is_told(checkout, capfd):
    (checkout / "requirements.txt").write_text("./no-such-folder\n")
    with pytest.raises(install.CannotInstall, match=r"^pip could not install the requirements"):
        install.install("run")
    assert "no-such-folder" in capfd.readouterr().err
    assert not (checkout / ".venv" / "installed-run").exists()


@pytest.mark.parametrize("arguments", [[], ["everything"], ["run", "test"]])
def test_wrong_use_says_the_right_one(arguments, capsys):
    assert (install.main(arguments), capsys.readouterr().err) == (2, "usage: python3 app/dev/install.py run|test\n")


def test_make_lists_its_targets():
    listed = subprocess.run(["make", "help"], capture_output=True, text=True, check=True, cwd=install.ROOT).stdout
    assert [line.split()[1] for line in listed.splitlines()] == [
        "help",
        "run",
        "test",
        "e2e",
        "check",
        "fix",
        "bench",
        "assets",
        "lock",
    ]
