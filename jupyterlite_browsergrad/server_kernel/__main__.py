"""``python -m jupyterlite_browsergrad.server_kernel -f CONNECTION_FILE``: what ``kernel.json`` runs."""

from .kernel import main

if __name__ == "__main__":
    main()
