"""A built site as the files that learning platforms take."""
