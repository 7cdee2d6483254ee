-- The webhooks that were ever registered.
CREATE TABLE IF NOT EXISTS webhook (
    webhook    uuid    PRIMARY KEY,
    -- Where in the log it was registered.
    registered bigint  NOT NULL,
    retired    boolean NOT NULL
)
