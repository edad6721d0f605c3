"""Which passwords are good enough, and how they are kept."""

from __future__ import annotations

import pytest

from app.accounts.passwords import hash_password, is_outdated, matches, weakness

ABOUT = ("ada@example.test", "Ada Bright")


@pytest.mark.parametrize(
    "password",
    [
        "copper lantern drifts quietly",
        "x7#Kq9!vTz2$",
        "ツバメ が とても 静かに 飛ぶ",
        "a long sentence of plain words is fine",
        "w" * 20 + "copper lantern drifts quietly" * 7,
    ],
)
def test_A3_long_or_random_passwords_of_any_characters_are_welcome(password: str) -> None:
    assert weakness(password, about=ABOUT) is None


@pytest.mark.parametrize(
    "password",
    [
        "",
        "x7#Kq9!vTz2",  # 11 characters
        "passwordpassword",
        "123456789012",
        "qwertyuiop12",
        "dramac-module-studio",
        "ada@example.test",
        "adabright1234",
        "aaaaaaaaaaaaaaaa",
        "Password123!",
    ],
)
def test_A3_guessable_passwords_are_refused_with_a_sentence(password: str) -> None:
    reason = weakness(password, about=ABOUT)
    assert reason is not None
    assert reason.endswith(".")


def test_A3_at_most_256_bytes_are_taken() -> None:
    word = "copper lantern drifts quietly "
    assert weakness((word * 9)[:256]) is None
    assert weakness((word * 9)[:257]) == "Use at most 256 bytes."
    assert weakness("ツ" * 86) == "Use at most 256 bytes."


def test_A3_a_password_is_kept_as_argon2id_with_a_salt_of_its_own() -> None:
    first, second = hash_password("copper lantern"), hash_password("copper lantern")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert not is_outdated(first)


@pytest.mark.parametrize(("kept", "expected"), [("right", True), ("wrong", False), (None, False)])
def test_only_the_right_password_matches(kept: str | None, expected: bool) -> None:
    assert matches(hash_password(kept) if kept else None, "right") is expected


@pytest.mark.parametrize(
    "kept", ["", "plain", "$argon2id$v=19$m=19456,t=2,p=1$broken", "$2b$12$abcdefghijklmnopqrstuv"]
)
def test_a_hash_that_is_none_matches_nothing(kept: str) -> None:
    assert matches(kept, "plain") is False


def test_A3_the_password_is_not_normalised() -> None:
    composed, decomposed = "caf\u00e9 lantern drifts", "cafe\u0301 lantern drifts"
    assert matches(hash_password(composed), decomposed) is False
