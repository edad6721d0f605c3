"""Pages of modules for visitors: parameters, records a template sees, forms and their protection. Called by embed.

Owns no table. Nothing here knows HTTP: embed hands in what was asked and turns the outcome into an answer.
"""
