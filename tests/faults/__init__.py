"""Runs against a server and workers that are really started, and really killed."""
