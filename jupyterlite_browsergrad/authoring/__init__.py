"""Making labs: from a template, and from one source with marked solutions and tests."""
