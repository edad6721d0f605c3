"""Runs the functions of modules: what calls them, what they may ask of the platform, the account of every run.

Owns module_function_runs, module_schedules and module_event_runs. Called by runtime.data (hooks), gateway (routes), jobs.
"""
