"""Modules written in the browser: projects, their files with history, checks, trials and previews; drafts made of them.

Called by members with modules:* permissions. Owns studio_projects, studio_files and studio_trials.
"""
