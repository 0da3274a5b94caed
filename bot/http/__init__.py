"""The agents' API and the admin API."""
