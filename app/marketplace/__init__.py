"""Where agencies find modules: search with filters, a module's page.

Owns marketplace_listings (one row per released module, kept by triggers when the module changes), marketplace_bits,
marketplace_postings and marketplace_gone (for counting, and for words that many have), marketplace_words (for mistyped words),
marketplace_publishers (whom staff verified). Called by browsers of members with marketplace:view.
"""
