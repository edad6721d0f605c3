"""A module on a site: install, configure, pause, upgrade, roll back, remove, restore.

Tables: modules_v2, module_member_roles, module_schedules. Called by its own screens, the command line and the demo world.
"""
