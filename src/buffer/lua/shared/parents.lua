-- What several scripts do with a parent, an application or a chat; it stands in front of each of them.

-- Marks a parent deleted and drops what lies beneath it. The mark is all that readers and accept.lua look at, so there
-- is this one way to delete; it stays until somebody gives it an end. Which number it gave last stays with the mark:
-- where MySQL refuses the deletion and the chat is there again, it may know of less.
local function delete_parent(meta, counter, pending, revisions, dead)
  redis.call('HINCRBY', meta, 'bytes', 0 - tonumber(redis.call('HGET', counter, 'bytes') or '0'))
  local numbered = redis.call('HMGET', counter, 'last', 'losses')
  redis.call('DEL', counter)
  redis.call('UNLINK', pending, revisions, dead)
  redis.call('HSET', counter, 'deleted', 1)
  if numbered[1] then redis.call('HSET', counter, 'last', numbered[1], 'losses', numbered[2] or '0') end
end

local function is_deleted(counter)
  return redis.call('HEXISTS', counter, 'deleted') == 1
end

-- A counter may leave Redis after a rest, but not while anything beneath it is known to Redis alone.
local function let_rest(counter, pending, revisions, dead, seconds)
  if redis.call('EXISTS', pending, revisions, dead) == 0 then redis.call('EXPIRE', counter, seconds) end
end
