"""What people see of sessions: reads only, each in a constant number of queries."""
