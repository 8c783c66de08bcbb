"""Sessions as data: their DER, PEM and JSON fields."""
