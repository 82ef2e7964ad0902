-- Lists a chat among those with owed documents exactly if it has some.
--
-- KEYS  1 chats with owed documents   2 the chat's owed documents
-- ARGV  1 the chat's path
-- Reply 1 | 0 where it is so

local oldest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if oldest[2] then return redis.call('ZADD', KEYS[1], 'NX', oldest[2], ARGV[1]) end
return redis.call('ZREM', KEYS[1], ARGV[1])
