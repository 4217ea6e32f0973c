"""All facts of a program → `Project`: what its names mean, what runs where, who holds what. Never sees a tree."""
