-- Makes the list of dead letters, their reasons and what is set aside agree about one of them. Nothing is lost by it but a
-- reason of nothing.
--
-- KEYS  1 dead letters   2 their reasons   3 what is set aside
-- ARGV  1 the dead letter's id   2 time now, milliseconds   3 the reason of one that has lost its own
-- Reply 1 | 0 where they agree

local is_listed = redis.call('ZSCORE', KEYS[1], ARGV[1])
local changed = 0
if not is_listed and redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then
  is_listed = true
  changed = redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
end
if is_listed then return math.max(changed, redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[3])) end
return redis.call('HDEL', KEYS[2], ARGV[1])
