-- Takes the next sequence of a partition, and makes documents owed under it.
--
-- KEYS  1 meta   2 chats with owed documents   then for each chat: its owed documents
-- ARGV  for each chat: its path, how many documents, then their numbers
-- Reply the sequence: what was committed before has none above it, what is committed later gets one

local at = 1
local function take()
  local value = ARGV[at]
  at = at + 1
  return value
end

local last = tonumber(redis.call('HGET', KEYS[1], 'touched') or '0')
local sequence = math.max(last + 1, tonumber(clock_ms()))
local mark = string.format('%.0f', sequence)
local newly_owed = 0
for key = 3, #KEYS do
  local chat = take()
  for _ = 1, tonumber(take()) do
    newly_owed = newly_owed + redis.call('ZADD', KEYS[key], mark, take())
  end
  redis.call('ZADD', KEYS[2], 'NX', mark, chat)
end
redis.call('HSET', KEYS[1], 'touched', mark)
redis.call('HINCRBY', KEYS[1], 'owed', newly_owed)
return sequence
