-- +goose Up

-- For correlations with while_open: what opens and closes a thing, what
-- happened to it, what was found, and the values seen of it. Times are unix
-- microseconds.
CREATE TABLE while_open (
    correlation TEXT   NOT NULL, -- entry, and a hash of what makes old rows fit
    thing       TEXT   NOT NULL, -- tenant and group, case-folded
    role        TEXT   NOT NULL, -- opens, closes, passed, waits, found or seen
    event       TEXT   NOT NULL, -- its id; of what waits, its minute; of what was seen, the value
    happened    BIGINT NOT NULL,
    data        BYTEA  NOT NULL, -- what of it people are told, as JSON
    PRIMARY KEY (correlation, thing, role, event)
);
CREATE INDEX while_open_happened ON while_open (correlation, role, happened);

-- For correlations with raises: who is suspect since when, and the violations
-- of the last days by who caused them.
CREATE TABLE raise_suspects (
    correlation TEXT   NOT NULL,
    actor       TEXT   NOT NULL, -- tenant and name, case-folded
    event       TEXT   NOT NULL,
    happened    BIGINT NOT NULL,
    PRIMARY KEY (correlation, actor, event)
);
CREATE INDEX raise_suspects_happened ON raise_suspects (happened);
CREATE TABLE raise_acts (
    actor    TEXT   NOT NULL,
    act      TEXT   NOT NULL, -- entry, subject and event
    happened BIGINT NOT NULL,
    finding  BYTEA  NOT NULL, -- as JSON
    PRIMARY KEY (actor, act)
);
CREATE INDEX raise_acts_happened ON raise_acts (happened);

-- For correlations with flaps: when safeguards became weak and strong.
CREATE TABLE flaps (
    thing    TEXT   NOT NULL, -- tenant, entry and subject, case-folded
    event    TEXT   NOT NULL,
    weak     BOOLEAN NOT NULL,
    happened BIGINT NOT NULL,
    PRIMARY KEY (thing, event, weak)
);
CREATE INDEX flaps_happened ON flaps (happened);
CREATE INDEX flaps_weak ON flaps (thing, weak, happened);

-- For correlations with a baseline: how many events each hour had.
CREATE TABLE baselines (
    correlation TEXT   NOT NULL,
    thing       TEXT   NOT NULL,
    hour        BIGINT NOT NULL, -- unix hours
    events      BIGINT NOT NULL,
    PRIMARY KEY (correlation, thing, hour)
);

-- +goose Down
DROP TABLE baselines;
DROP TABLE flaps;
DROP TABLE raise_acts;
DROP TABLE raise_suspects;
DROP TABLE while_open;
