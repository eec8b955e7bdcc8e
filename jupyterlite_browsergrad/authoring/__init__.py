"""Makes labs: from a template, and from a source with marked solutions and tests."""
