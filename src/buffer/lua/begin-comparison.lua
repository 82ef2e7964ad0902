-- Begins a comparison with MySQL: leaves a word, or shares the one that is there, and says what Redis knows.
--
-- KEYS  1 meta
-- ARGV  1 a fresh random word
-- Reply {word, epoch or nil, flush sequence, committed, losses}

redis.call('HSETNX', KEYS[1], 'comparing', ARGV[1])
return redis.call('HMGET', KEYS[1], 'comparing', 'epoch', 'sequence', 'committed', 'losses')
