"""The nouns of conclint: frozen values without behaviour, shared by every other package."""
