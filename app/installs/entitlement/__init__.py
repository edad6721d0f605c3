"""Whether an agency may use a module that has a price. Owns module_entitlements: trials, and leave given by platform staff.

`rules.entitled()` is the only judge: installing, the runtime (pages, API, functions) and screens ask it with what
entitlement_of() says, which the runtime reads in the statement that reads an install.
"""
