"""Host names of sites: proof of ownership, what they may do, what is served at them. Owns external_domains.

The visitor's side asks known.py (embed, pages, the dispatcher); nothing here knows how a page is made.
"""
