"""Backup, restore, drill and the schedule of the database, from its metadata alone."""
