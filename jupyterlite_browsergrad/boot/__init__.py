"""Makes the files from which the kernel starts. Imports only the standard library, since the build of this package uses it too."""
