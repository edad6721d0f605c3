"""What stops the development command: always one line that says the fix."""


class DevError(Exception):
    """Dramac cannot start or go on; the message is one clear line for the person at the terminal."""
