-- Takes a dead letter off the list of them: to be tried again, or to be thrown away.
--
-- KEYS  1 meta   2 dead letters   3 their reasons   4 what is set aside
--       where it is a record:   5 its list   6 its parent's dead letters   7 its parent's counter
-- ARGV  1 the dead letter's reference   2 "requeue" or "discard"   3 the record's number   4 wake-up channel
-- Reply 1 | 0 where there is no such dead letter
--
-- A new record that is thrown away becomes a tombstone, and is flushed as one: MySQL must know that its number
-- was given. Of a refused change, only the change is thrown away; the row stays as it was.

if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[3], ARGV[1])
if redis.call('HDEL', KEYS[4], ARGV[1]) == 1 then return 1 end

local payload = redis.call('HGET', KEYS[6], ARGV[3])
if not payload then return 1 end
local function grow(bytes)
  redis.call('HINCRBY', KEYS[1], 'bytes', bytes)
  redis.call('HINCRBY', KEYS[7], 'bytes', bytes)
end

if ARGV[2] == 'discard' and string.sub(ARGV[1], -3) == ':dr' then
  redis.call('HDEL', KEYS[6], ARGV[3])
  grow(0 - #payload)
  return 1
end
if ARGV[2] == 'discard' then
  local head, times = string.match(payload, '^([^|]*|[^|]*|)[^|]*(|[^|]*|[^|]*|)')
  local tombstone = head .. 'discarded' .. times .. 'x'
  redis.call('HSET', KEYS[6], ARGV[3], tombstone)
  grow(#tombstone - #payload)
end
redis.call('RPUSH', KEYS[5], ARGV[1])
redis.call('PUBLISH', ARGV[4], 'manual')
return 1
