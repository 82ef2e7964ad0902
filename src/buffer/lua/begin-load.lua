-- Begins to load a parent whose counter Redis does not have, or has of another epoch: says what Redis knows.
--
-- KEYS  1 meta   2 the parent's counter   3 its pending records   4 the application's counter
-- ARGV  1 a fresh ticket   2 seconds it lasts where the counter has left Redis
-- Reply {"known"} | {"deleted-parent"} | {"no-epoch"}
--       | {"loading", ticket, epoch, losses, flush sequence that MySQL had,
--          greatest number Redis knows, losses before it was given}
--
-- MySQL is read after this, and what it said may only count while no other load has come to its end since: until then
-- the ticket lies in the counter, for all who load the parent at a time. So one who slept in between, for however
-- long, gives no number that others gave meanwhile.

local state = redis.call('HMGET', KEYS[1], 'epoch', 'losses', 'committed')
if not state[1] then return { 'no-epoch' } end
local known = redis.call('HMGET', KEYS[2], 'epoch', 'last', 'losses', 'deleted', 'loading')
if known[4] or redis.call('HEXISTS', KEYS[4], 'deleted') == 1 then return { 'deleted-parent' } end
if known[1] == state[1] then return { 'known' } end

local ticket = known[5]
if not ticket then
  ticket = ARGV[1]
  local is_there = redis.call('EXISTS', KEYS[2]) == 1
  redis.call('HSET', KEYS[2], 'loading', ticket)
  if not is_there then redis.call('EXPIRE', KEYS[2], ARGV[2]) end
end

local greatest = tonumber(known[2] or '0')
for _, field in ipairs(redis.call('HKEYS', KEYS[3])) do greatest = math.max(greatest, tonumber(field)) end
local losses, committed = tonumber(state[2] or '0'), tonumber(state[3] or '0')
return { 'loading', ticket, state[1], losses, committed, greatest, tonumber(known[3] or '0') }
