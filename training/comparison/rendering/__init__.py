"""Tables, plots and texts of the comparison page."""
