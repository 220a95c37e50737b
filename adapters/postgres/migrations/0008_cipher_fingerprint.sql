-- By what key the events are encrypted, as a fingerprint that does not tell the key; 'none' for events in plain text.
CREATE TABLE cipher_fingerprint (
    the_only_row boolean PRIMARY KEY DEFAULT true CHECK (the_only_row),
    fingerprint text NOT NULL
);
