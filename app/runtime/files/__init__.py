"""Files that records hold: taken in, kept, handed out. Owns module_files and what lies below files/ in the storage."""
