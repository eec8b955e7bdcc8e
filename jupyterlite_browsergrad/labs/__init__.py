"""Labs on disk: manifests, the files they name, and whether a notebook may run."""
