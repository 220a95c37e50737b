"""How fast it is, as ratios between two things measured in the same run: absolute figures depend on the machine."""
