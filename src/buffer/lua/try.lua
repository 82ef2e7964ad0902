-- Writes as an accept does, and says which commands of the scripts may not be run.
--
-- KEYS  1 what is written   2 a key that is there for no longer than this call
-- ARGV  1 milliseconds what is written stays
-- Reply {command that may not be run, …}
--
-- Rights that are missing are met by a script in its middle, when half of it is done: so they are looked for before.

local refused = {}
local function try(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) == 'table' and reply.err and is_of_rights(reply.err) then refused[#refused + 1] = string.lower(command) end
end

redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])

local key = KEYS[2]
try('TIME')
try('INFO', 'server')
try('PUBLISH', key, '')
for _, read in ipairs({ 'GET', 'EXISTS', 'HGETALL', 'HKEYS', 'HLEN', 'LLEN', 'ZCARD', 'PTTL', 'PERSIST' }) do try(read, key) end
for _, read in ipairs({ 'HGET', 'HMGET', 'HEXISTS', 'HSTRLEN', 'HDEL', 'ZSCORE', 'ZMSCORE', 'ZREM', 'EXPIRE', 'PEXPIRE' }) do
  try(read, key, '1')
end
for _, read in ipairs({ 'LRANGE', 'ZRANGE', 'ZRANGEBYSCORE', 'ZREVRANGEBYSCORE', 'ZCOUNT', 'ZREMRANGEBYRANK', 'ZREMRANGEBYSCORE' }) do
  try(read, key, '0', '1')
end
try('INCR', key)
try('DEL', key)
try('HSET', key, 'field', '1')
try('HSETNX', key, 'field', '1')
try('HINCRBY', key, 'field', '1')
try('UNLINK', key)
try('RPUSH', key, '1')
try('LPUSH', key, '1')
try('LINDEX', key, '0')
try('LPOS', key, '1')
try('LSET', key, '0', '1')
try('LTRIM', key, '1', '0')
try('UNLINK', key)
try('ZADD', key, '0', '1')
try('UNLINK', key)
table.sort(refused)
return refused
