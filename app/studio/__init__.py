"""The Module Studio's screens: upload a package, read its report, publish it. Owns no table.

Called by browsers of members with modules:* permissions.
"""
