"""Letters: written into the transaction that causes them, delivered by a job, kept in a mailbox page in development.

Table: mails. Called by accounts, tenancy and runtime.
"""
