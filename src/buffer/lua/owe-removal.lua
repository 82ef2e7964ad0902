-- Makes it owed that all documents beneath a deleted application or chat go.
--
-- KEYS  1 owed removals
-- ARGV  1 its path   2 time now, milliseconds
-- Reply 1 | 0 where it was owed

return redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
