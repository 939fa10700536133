"""How good a run is: its clusters and names against labels that somebody else gave, and its privacy under attack."""
