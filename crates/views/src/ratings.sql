-- Ratings of a unit that are still from too few enterprises to be summed up. No query reads them.
CREATE TABLE IF NOT EXISTS held_back (
    unit         text COLLATE "C" NOT NULL,
    position     bigint           NOT NULL,
    ordinal      integer          NOT NULL,
    enterprise   text COLLATE "C" NOT NULL,
    satisfaction text             NOT NULL,
    PRIMARY KEY (unit, position, ordinal)
);

-- How many ratings of each grade were summed up in a month, which its first day stands for.
CREATE TABLE IF NOT EXISTS summed (
    unit         text COLLATE "C" NOT NULL,
    month        date             NOT NULL,
    satisfaction text             NOT NULL,
    count        bigint           NOT NULL,
    PRIMARY KEY (unit, month, satisfaction)
)
