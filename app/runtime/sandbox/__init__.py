"""Runs module code that nobody trusts: templates and functions, in worker processes behind two walls. Called by runtime.

`pool` is the parent's side and all that others import (its names are below). `worker` is what runs inside, `frames` what
both speak. Wall 1 is the process: forked from a clean zygote, nobody's user, no network, no files, no new processes,
limited memory, killed at its deadline. Wall 2 is the engine: QuickJS inside WebAssembly with limits of its own, a
template engine that counts its steps. No tables.
"""
