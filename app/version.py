"""The version of the platform, which modules name the ranges of that they run on."""

VERSION = "1.0.0"
