"""What is read about guarantees, in a constant number of queries."""
