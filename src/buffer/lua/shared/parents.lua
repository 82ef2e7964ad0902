-- What several scripts do with a parent, an application or a chat; it stands in front of each of them.

-- Marks a parent deleted and drops what lies beneath it. The mark is all that readers and accept.lua look at, so there
-- is this one way to delete; it stays until somebody gives it an end.
local function delete_parent(meta, counter, pending, revisions, dead)
  redis.call('HINCRBY', meta, 'bytes', 0 - tonumber(redis.call('HGET', counter, 'bytes') or '0'))
  redis.call('DEL', counter)
  redis.call('UNLINK', pending, revisions, dead)
  redis.call('HSET', counter, 'deleted', 1)
end

local function is_deleted(counter)
  return redis.call('HEXISTS', counter, 'deleted') == 1
end

-- A counter may leave Redis after a rest, but not while anything beneath it is known to Redis alone.
local function let_rest(counter, pending, revisions, dead, seconds)
  if redis.call('EXISTS', pending, revisions, dead) == 0 then redis.call('EXPIRE', counter, seconds) end
end
