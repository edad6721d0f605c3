"""Holds what callers send to the manifest: every wrong value at once, each with a pointer, a code and a sentence."""
