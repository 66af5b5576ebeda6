-- +goose Up

-- When events showed that a subject is known, and that it is so no longer: the newest
-- decides. Takes the place of known_strong, which never forgot. A subject that a rule
-- never forgets has its first note only.
CREATE TABLE known_notes (
    entry     TEXT    NOT NULL,
    tenant    TEXT    NOT NULL,
    subject   TEXT    NOT NULL, -- case-folded
    way       TEXT    NOT NULL, -- in which it is known; empty: there is one only; *: every one is forgotten
    happened  BIGINT  NOT NULL, -- event time, unix microseconds
    forgotten BOOLEAN NOT NULL,
    PRIMARY KEY (entry, tenant, subject, way, happened, forgotten)
);
CREATE INDEX known_notes_forgotten ON known_notes (happened) WHERE forgotten;
INSERT INTO known_notes (entry, tenant, subject, way, happened, forgotten) SELECT entry, tenant, subject, '', since, FALSE FROM known_strong;
DROP TABLE known_strong;

-- How often the judgement of a weak value changed; odd: its subject is known.
ALTER TABLE unknown_weak ADD COLUMN turns BIGINT NOT NULL DEFAULT 0;

-- +goose Down
DELETE FROM unknown_weak WHERE turns <> 0;
ALTER TABLE unknown_weak DROP COLUMN turns;
CREATE TABLE known_strong (
    entry   TEXT   NOT NULL,
    tenant  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    since   BIGINT NOT NULL,
    PRIMARY KEY (entry, tenant, subject)
);
INSERT INTO known_strong (entry, tenant, subject, since) SELECT entry, tenant, subject, MIN(happened) FROM known_notes WHERE NOT forgotten GROUP BY entry, tenant, subject;
DROP TABLE known_notes;
