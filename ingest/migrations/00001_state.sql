-- +goose Up

-- Who may decide which partition. ingest/eventhub's checkpoint store writes it;
-- Positions.Advance only reads and locks a row, to fence a process that lost
-- its partition. namespace, hub and consumer_group are as the SDK hands them.
CREATE TABLE ownership (
    namespace      TEXT   NOT NULL, -- fully qualified host of the namespace
    hub            TEXT   NOT NULL, -- name of the event hub
    consumer_group TEXT   NOT NULL,
    partition      TEXT   NOT NULL,
    owner_id       TEXT   NOT NULL, -- empty: relinquished
    etag           TEXT   NOT NULL,
    last_modified  BIGINT NOT NULL, -- unix microseconds
    PRIMARY KEY (namespace, hub, consumer_group, partition)
);

-- Up to where everything of a partition is decided. hub is Partition.Hub:
-- "namespace/hub", or "namespace/hub/group" for a group other than $Default.
CREATE TABLE positions (
    hub        TEXT   NOT NULL,
    partition  TEXT   NOT NULL,
    sequence   BIGINT NOT NULL, -- sequence number of the last message decided
    hub_offset TEXT   NOT NULL, -- its offset, which a receiver starts after
    enqueued   BIGINT NOT NULL, -- when the hub accepted it, unix microseconds, 0 if unknown
    advanced   BIGINT NOT NULL, -- when this row was last written, unix microseconds
    PRIMARY KEY (hub, partition)
);

-- Records that could not be decoded, kept for people.
CREATE TABLE quarantine (
    hub        TEXT   NOT NULL,
    partition  TEXT   NOT NULL,
    sequence   BIGINT NOT NULL,
    idx        BIGINT NOT NULL, -- of the record in its message, -1 for the whole message
    hub_offset TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    detail     TEXT   NOT NULL,
    bytes      BYTEA  NOT NULL,
    size       BIGINT NOT NULL, -- length of bytes
    added      BIGINT NOT NULL, -- when it was put aside, unix microseconds
    PRIMARY KEY (hub, partition, sequence, idx)
);
CREATE INDEX quarantine_added ON quarantine (added, hub, partition, sequence, idx);

-- What quarantine holds, so that its bound needs no scan.
CREATE TABLE quarantine_total (
    one   BIGINT NOT NULL PRIMARY KEY,
    rows  BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);
INSERT INTO quarantine_total (one, rows, bytes) VALUES (1, 0, 0);

-- +goose Down
DROP TABLE quarantine_total;
DROP TABLE quarantine;
DROP TABLE positions;
DROP TABLE ownership;
