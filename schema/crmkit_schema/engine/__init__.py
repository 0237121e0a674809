"""Queries compiled once into one SQL statement whose result is the response itself.

The statement of an operation gives its data as JSON text, nested as the client asked. What the
compiler does not understand, it says why, and the reference executor answers instead.
"""
