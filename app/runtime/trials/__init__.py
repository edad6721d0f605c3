"""Modules tried out: one version with its sample records in a schema of its own, for somebody of an agency, gone within the hour.

Owns module_trials. A trial is no install (docs/adr): the marketplace starts it, its pages are served as those of an install, its
records are worked with in the workspace, and nothing of it is told, sent, counted or kept. Called by marketplace and workspace.
"""
