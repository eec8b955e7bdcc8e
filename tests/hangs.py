"""How long tests wait for what should come: longer than a machine takes that does much else, so that only what hangs fails."""

HANG_S = 180
HANG_MS = 1000 * HANG_S
