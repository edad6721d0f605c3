"""Who acts and what they may: actors, permissions, the roles' table. Decided here and nowhere else."""
