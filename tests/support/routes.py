"""The route list as the tests keep it: `python -m tests.support.routes` writes it anew; read the difference before committing."""

from __future__ import annotations

from pathlib import Path

SNAPSHOT = Path(__file__).parents[1] / "contracts" / "routes.txt"


def main() -> None:
    from app.cli.commands import route_lines
    from app.config import Config
    from app.factory import create_api_app, create_platform_app, create_runtime_app, wire

    config = Config.from_env(
        {"DATABASE_URL": "postgresql://nobody@nowhere/none", "REDIS_URL": "redis://nowhere", "SECRET_KEY": "k" * 40}
    )
    wire(config)
    apps = create_platform_app(config), create_api_app(config), create_runtime_app(config)
    SNAPSHOT.write_text("".join(f"{line}\n" for line in route_lines(*apps)))


if __name__ == "__main__":
    main()
