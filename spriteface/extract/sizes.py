"""From which size on a picture is worth loops compiled by numba, whose import costs more than it
saves below."""

COMPILED = 40_000  # px
