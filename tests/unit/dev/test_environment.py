"""What `make run` gives its programs, and what it tells the person who started it."""

import stat
from pathlib import Path

import pytest

from app.config import Config, ConfigInvalid
from app.dev.errors import DevError
from app.dev.folders import data_folder
from app.dev.run import banner, complete_environment, must_be_free


@pytest.fixture
def data_dir(tmp_path):
    return data_folder(tmp_path / "data")


def test_addresses_and_secret_are_made_once_and_passed_on(data_dir):
    made = complete_environment({"PATH": "/bin", "PORT": ""}, data_dir)
    assert sorted(made) == ["DATABASE_URL", "DATA_DIR", "PATH", "PYTHONUNBUFFERED", "REDIS_URL", "SECRET_KEY"]
    assert complete_environment({"PATH": "/bin"}, data_dir) == made
    config = Config.from_env(made)
    assert (config.data_dir, config.redis_url) == (data_dir, f"unix://{data_dir}/run/valkey.sock?db=0")


def test_what_is_given_wins(data_dir):
    given = {"DATABASE_URL": "postgresql://o:p@db/x", "REDIS_URL": "redis://cache/3", "SECRET_KEY": "s" * 32}
    made = complete_environment(given, data_dir)
    assert {name: made[name] for name in given} == given
    assert sorted(path.name for path in data_dir.iterdir()) == ["environment"]


def test_production_gets_no_made_up_secret(data_dir):
    given = {"DRAMAC_ENV": "production", "DATABASE_URL": "postgresql://o:p@db/x", "REDIS_URL": "redis://cache/3"}
    assert "SECRET_KEY" not in complete_environment(given, data_dir)


def test_management_commands_find_the_running_servers(data_dir, monkeypatch):
    made = complete_environment({}, data_dir)
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DRAMAC_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    config = Config.from_env()
    assert (config.database_url, config.secret_keys) == (made["DATABASE_URL"], (made["SECRET_KEY"],))
    assert stat.S_IMODE((data_dir / "environment").stat().st_mode) == 0o600
    monkeypatch.setenv("DRAMAC_ENV", "production")
    with pytest.raises(ConfigInvalid, match="DATABASE_URL: is required"):
        Config.from_env()


def test_a_data_dir_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DevError) as caught:
        data_folder(tmp_path / "file" / "data")
    assert str(caught.value) == (
        f"DATA_DIR: {tmp_path}/file/data cannot be made (Not a directory); set DATA_DIR to a folder you may write"
    )


def test_a_host_that_is_no_address_is_one_line():
    with pytest.raises(DevError, match=r"^HOST: no-such-host\.invalid is not an address of this machine"):
        must_be_free("PORT", "no-such-host.invalid", 8000)


def test_the_banner_says_where_it_is_and_who_may_sign_in(data_dir):
    config = Config.from_env({**complete_environment({}, data_dir), "DEMO_PASSWORD": "correct horse"})
    (data_dir / "demo-people").write_text("ada@example.com   owner of North\nvic@example.com   viewer of North\n")
    assert banner(config, 1.26) == "\n".join(
        [
            "",
            "Dramac is ready (1.3 s).",
            "",
            "  http://localhost:8000  the platform",
            "  http://127.0.0.1:8001  public pages and embeds of modules",
            "",
            "  Sign in with the password correct horse as",
            "    ada@example.com   owner of North",
            "    vic@example.com   viewer of North",
            "",
            f"  Data is kept in {data_dir}. Stop with ctrl-C.",
            "",
        ]
    )


def test_a_folder_that_exists_keeps_its_rights(tmp_path):
    (tmp_path / "given").mkdir(mode=0o755)
    assert stat.S_IMODE(data_folder(Path(tmp_path / "given")).stat().st_mode) == 0o755
