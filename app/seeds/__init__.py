"""The demo world: two agencies at work, made through the actions that people use. For development and for tests of the whole."""
