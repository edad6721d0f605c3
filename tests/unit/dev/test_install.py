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


def test_a_checkout_is_set_up_once_whatever_lay_there(checkout, capfd):
    """One story, for making a .venv takes its time: from a broken one to a whole one, a wrong requirement, another Python."""
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "left over").touch()
    assert not install.usable()
    install.install("test")
    first = capfd.readouterr().out
    install.install("run")  # what tests need holds what a run needs
    install.install("test")
    assert (first, capfd.readouterr().out) == (
        "Installing what `make test` needs (the first time takes about a minute) …\n",
        "",
    )
    assert (install.usable(), (checkout / ".venv" / "left over").exists()) == (True, False)

    stamp = checkout / ".venv" / "installed-run"
    stamp.unlink()
    (checkout / "requirements.txt").write_text("./no-such-folder\n")
    with pytest.raises(install.CannotInstall, match=r"^pip could not install the requirements"):
        install.install("run")
    assert "no-such-folder" in capfd.readouterr().err
    assert not stamp.exists()

    config = checkout / ".venv" / "pyvenv.cfg"
    made_by_us = config.read_text()
    config.write_text(made_by_us.replace("version = 3.", "version = 2."))
    assert not install.usable()
    config.write_text(made_by_us)
    assert install.usable()


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
