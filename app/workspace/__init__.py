"""The screens where staff work with the records of installed modules, generated from manifests.

Owns no table: records go through runtime.data, which decides who may do what. Called by nobody but the composition root.
"""
