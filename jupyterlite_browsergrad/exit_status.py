"""Exit statuses of ``jupyter browsergrad``: the same error gives the same one in every command."""

__all__ = ["DONE", "FAULTS", "UNUSABLE"]

#: The command has done its work, and nothing that it looked at is wrong.
DONE = 0
#: It has done its work, and something that it looked at is wrong: a check failed, a lab or a source has faults.
FAULTS = 1
#: It could not do its work: wrong options, a file that is missing, or cannot be read, written or used. Also argparse's status.
UNUSABLE = 2
