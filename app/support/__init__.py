"""What happened and to whom: the audit trail, and in development the letters that would have been sent.

Owns no tables. Called by nobody; reads what events and mail keep.
"""
