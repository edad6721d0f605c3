-- What a recorded body says it is: calls of a module's own code take texts and forms, too.
ALTER TABLE recorded_bodies ADD COLUMN content_type text NOT NULL DEFAULT '' CHECK (length(content_type) <= 200);
