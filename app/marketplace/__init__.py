"""Where agencies find modules: the list with search and categories, a module's page. Owns no table.

Called by browsers of members with marketplace:view.
"""
