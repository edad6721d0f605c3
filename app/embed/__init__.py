"""The pages of modules on the runtime origin: HTTP around runtime.pages. Owns no table; sets no cookie, reads none."""
