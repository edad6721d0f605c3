"""Small tools that know nothing of the product: clock, ids, crypto, outgoing HTTP, mail, storage, SQL files."""
