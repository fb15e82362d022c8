"""Files as the legacy systems could have exported them, one module for each of them."""
