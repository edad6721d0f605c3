"""What a process is told once at its start; the composition root (app/factory.py) calls it and nobody else does."""
