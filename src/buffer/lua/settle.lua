-- Takes documents that are written, and can be found, off what is owed; one that was owed again since stays.
--
-- KEYS  1 meta   2 chats with owed documents   then for each chat: its owed documents
-- ARGV  for each chat: its path, how many documents, then of each number and sequence
-- Reply how many were taken off

local at, settled = 1, 0
local function take()
  local value = ARGV[at]
  at = at + 1
  return value
end

for key = 3, #KEYS do
  local owed, chat = KEYS[key], take()
  for _ = 1, tonumber(take()) do
    local number, sequence = take(), take()
    local current = redis.call('ZSCORE', owed, number)
    if current and tonumber(current) == tonumber(sequence) then
      settled = settled + redis.call('ZREM', owed, number)
    end
  end
  local oldest = redis.call('ZRANGE', owed, 0, 0, 'WITHSCORES')
  if oldest[2] then
    redis.call('ZADD', KEYS[2], oldest[2], chat)
  else
    redis.call('ZREM', KEYS[2], chat)
  end
end
redis.call('HINCRBY', KEYS[1], 'owed', 0 - settled)
return settled
