"""Serves insights, and nothing else, to a browser on this machine."""
