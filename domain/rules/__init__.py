"""Rules of a process definition: paths, patterns and the schema, evaluated with a bounded amount of work."""
