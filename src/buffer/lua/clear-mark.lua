-- Takes a mark off a partition, unless it was set again since.
--
-- KEYS  1 meta
-- ARGV  1 the mark's field   2 its value as it was read
-- Reply 1 | 0

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
