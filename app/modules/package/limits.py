"""How large a package may be. Where two pages of the design differ, the smaller figure holds."""

MAX_PACKED_BYTES = 10_000_000
MAX_UNPACKED_BYTES = 50_000_000
MAX_ENTRIES = 500
MAX_RATIO = 100
MAX_PATH_CHARACTERS = 200
MAX_DEPTH = 8
MAX_TEXT_BYTES = 1_000_000
MAX_PIXELS = 40_000_000
