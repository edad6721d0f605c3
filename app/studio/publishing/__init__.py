"""The way of a version from draft to release: its checks one by one, what they say, the weighing of its risk.

One file per check; `pipeline` runs them in order for the Studio's job and the command line alike. Owns no table of its own.
"""
