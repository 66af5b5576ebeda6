-- +goose Up

-- Restores of subjects that were never weak: what each batch had of them, one
-- row for all, in the order in which batches were committed, for 72 hours. They
-- count when a weakening turns up that happened before them.
CREATE TABLE idle_restores (
    seq     BIGINT PRIMARY KEY,
    writer  TEXT   NOT NULL,  -- which process's which batch
    arrived BIGINT NOT NULL,
    ids     BYTEA  NOT NULL,  -- of the violations they would end, 16 bytes each
    begun   BYTEA  NOT NULL,  -- violations that became known with this batch, likewise
    data    BYTEA  NOT NULL   -- what they say, in the order of ids, gzip
);

-- The last of these rows: what a process remembers of them is compared with it.
ALTER TABLE ledger_lock ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ledger_lock ADD COLUMN writer TEXT NOT NULL DEFAULT '';

-- Records of such restores are no longer kept.
DROP INDEX evidence_orphans;
DELETE FROM evidence WHERE NOT kept;
ALTER TABLE evidence DROP COLUMN kept;

-- +goose Down
ALTER TABLE evidence ADD COLUMN kept BOOLEAN NOT NULL DEFAULT TRUE;
CREATE INDEX evidence_orphans ON evidence (stored) WHERE NOT kept;
ALTER TABLE ledger_lock DROP COLUMN writer;
ALTER TABLE ledger_lock DROP COLUMN seq;
DROP TABLE idle_restores;
