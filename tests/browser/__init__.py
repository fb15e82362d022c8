"""Journeys through the admin in headless Chromium."""
