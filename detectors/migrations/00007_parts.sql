-- +goose Up

-- For correlations with parts: of what each violation consists, and what
-- restored such parts of late. Times are unix microseconds.
CREATE TABLE part_weak (
    entry   TEXT   NOT NULL,
    part    TEXT   NOT NULL, -- tenant and values, case-folded
    subject TEXT   NOT NULL, -- of the violation, case-folded
    since   BIGINT NOT NULL, -- when it first became one
    added   BIGINT NOT NULL, -- and last
    told    BIGINT NOT NULL, -- when the violation was last found to have it
    data    BYTEA  NOT NULL, -- the violation's tenant, subject and name, as JSON
    PRIMARY KEY (entry, part, subject)
);
CREATE INDEX part_weak_told ON part_weak (entry, told);
CREATE TABLE part_strong (
    entry    TEXT   NOT NULL,
    part     TEXT   NOT NULL,
    slot     BIGINT NOT NULL, -- when it happened; where there are many, the unix hour, of which the newest is kept
    happened BIGINT NOT NULL,
    data     BYTEA  NOT NULL, -- what of it people are told, as JSON
    PRIMARY KEY (entry, part, slot)
);
CREATE INDEX part_strong_happened ON part_strong (entry, happened);

-- +goose Down
DROP TABLE part_strong;
DROP TABLE part_weak;
