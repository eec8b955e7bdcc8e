"""How long tests wait for events: longer than a busy machine takes, so that only a hang fails."""

HANG_S = 180
HANG_MS = 1000 * HANG_S
