"""The map of a project: what the rules believe, collected for people to look at."""

from conclint.project.map.collect import collect_map

__all__ = ["collect_map"]
