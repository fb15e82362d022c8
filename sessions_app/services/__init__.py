"""What people do with sessions: every change is one named action here."""
