"""Management commands: `flask --app wsgi …`. Each calls the actions that the screens call; an expected failure is one line."""
