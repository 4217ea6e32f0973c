"""One `Source` → facts and local alarms. The only package that walks over a syntax tree."""
