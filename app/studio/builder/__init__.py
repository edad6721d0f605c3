"""The visual editors of a project's manifest: every act is one change of the text of module.yaml, comments and order kept.

Called by members with modules:* permissions. Owns no tables; saving, history and clashes are app.studio.editor's.
"""
