"""What is imported of the legacy systems, one module for each of them."""
