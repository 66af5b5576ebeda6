-- +goose Up

-- What matches fed to correlations, in the order in which batches were
-- committed. Windows are built from it. Only the newest part is kept: see the
-- type correlation.
CREATE TABLE correlation_journal (
    seq         BIGINT NOT NULL, -- number of the batch
    correlation TEXT   NOT NULL, -- entry, and a hash of what makes old rows fit
    writer      TEXT   NOT NULL, -- which process's which batch
    newest      BIGINT NOT NULL, -- event time of the newest, unix microseconds
    events      BIGINT NOT NULL,
    data        BYTEA  NOT NULL,
    PRIMARY KEY (correlation, seq)
);
CREATE INDEX correlation_journal_seq ON correlation_journal (seq);

-- The last batch, and the newest event time ever seen. Its one row is also the
-- lock that lets one writer at a time append.
CREATE TABLE correlation_head (
    one    BIGINT PRIMARY KEY CHECK (one = 1),
    seq    BIGINT NOT NULL,
    writer TEXT   NOT NULL,
    newest BIGINT NOT NULL
);
INSERT INTO correlation_head (one, seq, writer, newest) VALUES (1, 0, '', 0);

-- +goose Down
DROP TABLE correlation_head;
DROP TABLE correlation_journal;
