"""Automations: when an event happens and its record fits, letters, calls, functions and changes of records follow.

Owns automations, automation_states and automation_runs. events.dispatch hands events over (receivers.py); the job
automations.work runs them (running.py).
"""
