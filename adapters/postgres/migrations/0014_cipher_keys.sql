-- Several keys: the events are encrypted with any of these, by fingerprints that do not tell the keys. `none` stands for
-- events in plain text.
ALTER TABLE cipher_fingerprint RENAME TO cipher_keys;
ALTER TABLE cipher_keys DROP COLUMN the_only_row;
ALTER TABLE cipher_keys ADD PRIMARY KEY (fingerprint);
