-- Begins the first epoch, unless there is one.
--
-- KEYS  1 meta
-- ARGV  1 the epoch
-- Reply {epoch that there is then, flush sequence, committed, losses}

redis.call('HSETNX', KEYS[1], 'epoch', ARGV[1])
return redis.call('HMGET', KEYS[1], 'epoch', 'sequence', 'committed', 'losses')
