"""Work after the answer: jobs by name on RQ, the worker that runs them in their scope, the table of timed jobs.

RQ carries work orders only. What must not be lost stands in PostgreSQL; a timed sweep finds what a lost order left.
"""
