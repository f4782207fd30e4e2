"""Models behind one interface: adapters, what is computed with them, and which of them are loaded."""
