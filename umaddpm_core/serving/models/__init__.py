"""The models of one server: its files, which of them is in use, and those in memory."""
