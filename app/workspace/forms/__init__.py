"""Forms made from a manifest: values of records to texts in controls, and texts that were sent back to values."""
