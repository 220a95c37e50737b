-- Definitions are few among all events; this finds those of a workspace, and the workspaces that have any.
CREATE INDEX stored_events_definitions_idx ON stored_events (originator_id, originator_version)
    WHERE topic = 'DefinitionPublished';
