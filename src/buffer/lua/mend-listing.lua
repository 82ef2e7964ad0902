-- Lists a record that no list has, if it is still the one that was seen and still in none.
--
-- KEYS  1 the list   2 the hash in which it lies   3 its parent's pending records   4 dead letters of the partition
-- ARGV  1 its number   2 its stamp   3 its reference
-- Reply 1 | 0 where it is gone, was changed, or is listed by now
--
-- Among the revisions also lies the tombstone of a pending record, which needs no reference beside that of the record.

local payload = redis.call('HGET', KEYS[2], ARGV[1])
if not payload or string.sub(payload, 1, #ARGV[2]) ~= ARGV[2] then return 0 end
if KEYS[2] ~= KEYS[3] and redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then return 0 end
if redis.call('ZSCORE', KEYS[4], ARGV[3]) or redis.call('LPOS', KEYS[1], ARGV[3]) then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[3])
return 1
