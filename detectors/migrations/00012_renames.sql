-- +goose Up

-- For rules that follow what is renamed: which name a thing gave up for which.
CREATE TABLE renames (
    entry    TEXT   NOT NULL,
    tenant   TEXT   NOT NULL,
    name     TEXT   NOT NULL, -- the new one, case-folded
    was      TEXT   NOT NULL, -- what it was known by, case-folded
    happened BIGINT NOT NULL, -- event time, unix microseconds
    PRIMARY KEY (entry, tenant, name, was, happened)
);
CREATE INDEX renames_was ON renames (entry, tenant, was);

-- +goose Down
DROP TABLE renames;
