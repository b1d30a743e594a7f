"""How the laboratory is asked: over HTTP, or in process."""
